"""Kinds of text that the sites file is made of, each checked by its type."""

import re
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


class Section(BaseModel):
    """A part of the sites file: frozen, and every key in it is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _host(text: str) -> str:
    host = text.lower().rstrip(".")
    if not _HOST.fullmatch(host):
        raise ValueError("not a host name: write shop.example, without scheme, port or path")
    return host


def _origin(text: str) -> str:
    if text == "*":
        return text
    parts = urlsplit(text)
    _ = parts.port  # raises ValueError for a port that is none
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or text.rstrip("/") != f"{parts.scheme}://{parts.netloc}"
    ):
        raise ValueError('not an origin: write "*" or scheme and host as in https://shop.example')
    return text.rstrip("/").lower()


def allowed_origin(text: str) -> str:
    """The origin, `*` for any, or `null`. Raises ValueError for other text."""
    return text if text == "null" else _origin(text)


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not a web address: write it as in https://shop.example/")
    return text


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone: write an IANA name as in Europe/Berlin") from None
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""Id of a site, a fleet, a goal or a funnel: it stands in keys, paths and labels."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""Name of a table or of a measure: it becomes an identifier of Postgres and part of an object key."""

Title = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""An id made by somebody else; any text."""

Host = Annotated[str, AfterValidator(_host)]
Origin = Annotated[str, AfterValidator(_origin)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Pattern = Annotated[str, AfterValidator(_pattern)]
