"""An event while it is made of a hit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Draft:
    """What was read of a hit so far.

    Attributes:
        parameters: Of the hit.
        warnings: What had to be repaired.
        columns: By contract column.
        props: What has no column, by the parameter's name.
    """

    parameters: Mapping[str, str]
    warnings: list[str]
    columns: dict[str, Any] = field(default_factory=dict)
    props: dict[str, Any] = field(default_factory=dict)
