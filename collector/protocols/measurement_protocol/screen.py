"""Sizes of screen and viewport."""

import re
from typing import Any

from collector.protocols.measurement_protocol.draft import Draft

_SIZE = re.compile(r"\s*([0-9]{1,5})\s*[xX]\s*([0-9]{1,5})\s*")
_COLUMNS = {"sr": ("screen_width", "screen_height"), "vp": ("viewport_width", "viewport_height")}
SIZE_PARAMETERS = frozenset(_COLUMNS)


def add_sizes(draft: Draft) -> None:
    """Fill the columns of sizes written `WxH`; what is written otherwise stays as it is in the props."""
    for name in _COLUMNS:
        size = draft.parameters.get(name)
        if size is not None and not add_size(name, size, draft.columns):
            draft.props[name] = size


def add_size(name: str, size: str, columns: dict[str, Any]) -> bool:
    """Fill the two columns of a size; False for what is none."""
    match = _SIZE.fullmatch(size)
    if match is not None:
        width, height = _COLUMNS[name]
        columns[width], columns[height] = int(match[1]), int(match[2])
    return match is not None
