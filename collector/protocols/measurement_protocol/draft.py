"""An event while it is made of a hit."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Draft(msgspec.Struct):
    """What was read of a hit so far.

    Attributes:
        parameters: Of the hit.
        warnings: What had to be repaired.
        columns: By contract column.
        props: What has no column, by the parameter's name.
    """

    parameters: Mapping[str, str]
    warnings: list[str]
    columns: dict[str, Any] = msgspec.field(default_factory=dict)
    props: dict[str, Any] = msgspec.field(default_factory=dict)
