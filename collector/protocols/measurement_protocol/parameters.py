"""The parameters of the Measurement Protocol, version 1, that stand for themselves: type, size, hits, column.

Those that make sense together only have modules of their own: the page, orders, products, what has an index.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from collector.protocols.measurement_protocol.values import ABSENT, read_boolean, read_integer, read_text

Reader = Callable[[str, str, list[str]], Any]
"""From a parameter's text, its name and a list for warnings to its value; None where it has none."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of the table.

    Attributes:
        read: By type.
        column: Column of the contract; None for one of `props`, under the parameter's own name.
        hits: Types of hits that have it; None for all. In others it is no more than an unknown parameter.
    """

    read: Reader
    column: str | None = None
    hits: frozenset[str] | None = None


def text_of(bytes_max: int | None) -> Reader:
    """Reads text of at most so many bytes."""

    def read(value: str, name: str, warnings: list[str]) -> str:
        return read_text(value, name, bytes_max, warnings)

    return read


def _label(value: str, name: str, warnings: list[str]) -> str | None:
    return None if value in ABSENT else read_text(value, name, 500, warnings)


_ANY = text_of(None)
_COUNT = partial(read_integer, is_signed=False)
_EVENT = frozenset({"event"})
_SOCIAL = frozenset({"social"})
_TIMING = frozenset({"timing"})
_EXCEPTION = frozenset({"exception"})

BROWSER_TIMINGS = ("plt", "dns", "pdt", "rrt", "tcp", "srt", "dit", "clt")
"""Page load, DNS, page download, redirect, TCP connect, server response, DOM interactive, content load; all in ms."""

TABLE: Mapping[str, Parameter] = {
    # General and user
    "npa": Parameter(read_boolean),
    "ds": Parameter(_ANY),
    "uid": Parameter(_ANY, "user_id"),
    "ua": Parameter(_ANY, "user_agent"),
    "geoid": Parameter(_ANY),
    # Traffic source
    "cn": Parameter(text_of(100), "campaign_name"),
    "cs": Parameter(text_of(100), "campaign_source"),
    "cm": Parameter(text_of(50), "campaign_medium"),
    "ck": Parameter(text_of(500), "campaign_term"),
    "cc": Parameter(text_of(500), "campaign_content"),
    "ci": Parameter(text_of(100), "campaign_id"),
    # System
    "de": Parameter(text_of(20)),
    "sd": Parameter(text_of(20)),
    "ul": Parameter(text_of(20), "language"),
    "je": Parameter(read_boolean),
    "fl": Parameter(text_of(20)),
    # Content and app
    "dt": Parameter(text_of(1_500), "page_title"),
    "cd": Parameter(text_of(2_048), "screen_name"),
    "linkid": Parameter(_ANY),
    "an": Parameter(text_of(100), "app_name"),
    "aid": Parameter(text_of(150), "app_id"),
    "av": Parameter(text_of(100), "app_version"),
    "aiid": Parameter(text_of(150)),
    # Event
    "ec": Parameter(text_of(150), "category", _EVENT),
    "ea": Parameter(text_of(500), "action", _EVENT),
    "el": Parameter(_label, "label", _EVENT),
    "ev": Parameter(_COUNT, "value", _EVENT),
    # Social interaction, timing, exception
    "sn": Parameter(text_of(50), None, _SOCIAL),
    "sa": Parameter(text_of(50), None, _SOCIAL),
    "st": Parameter(text_of(2_048), None, _SOCIAL),
    "utc": Parameter(text_of(150), None, _TIMING),
    "utv": Parameter(text_of(500), None, _TIMING),
    "utl": Parameter(text_of(500), None, _TIMING),
    "utt": Parameter(_COUNT, None, _TIMING),
    **{name: Parameter(_COUNT, None, _TIMING) for name in BROWSER_TIMINGS},
    "exd": Parameter(text_of(150), None, _EXCEPTION),
    "exf": Parameter(read_boolean, None, _EXCEPTION),
    # Experiments
    "xid": Parameter(text_of(40)),
    "xvar": Parameter(_ANY),
}
"""By name."""
