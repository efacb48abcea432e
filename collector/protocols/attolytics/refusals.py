"""Why attolytics' requests are refused, and what of them may be kept: everything but the key."""

import json
import re
from enum import StrEnum
from typing import Any, Final

import msgspec

from collector.protocols.attolytics.origins import Headers
from collector.refusal import Refused

_KEY: Final = re.compile(rb'("secret_key"\s*+:\s*+)"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_HIDDEN: Final = rb'\1""'


class Cause(StrEnum):
    """Reasons that only this family knows."""

    WRONG_METHOD = "wrong_method"
    """Another method than POST."""
    WRONG_CONTENT_TYPE = "wrong_content_type"
    """Another content type than application/json."""
    UNKNOWN_APP = "unknown_app"
    """No app of the sites file has this id."""
    INVALID_ORIGIN = "invalid_origin"
    """The header Origin is no URL."""
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    """The app does not take requests from pages of this origin."""
    UNKNOWN_TABLE = "unknown_table"
    """An event names a table that is not among the app's."""
    MISSING_VALUE = "missing_value"
    """An event has no value for a required column."""
    INVALID_VALUE = "invalid_value"
    """A value of the right type that no column can hold: an unreadable time, U+0000."""
    WRONG_TYPE = "wrong_type"
    """A value of another type than its column's, and the app refuses such."""


class AppRefused(Refused):
    """A refusal that the page may read.

    Attributes:
        headers: Of the answer.
    """

    def __init__(  # noqa: PLR0913  (as a refusal, and what its answer needs)
        self,
        reason: StrEnum,
        status: int,
        detail: str = "",
        *,
        app_id: str,
        body: bytes,
        headers: Headers = (),
    ) -> None:
        super().__init__(reason, status, detail, tracking_key=app_id, body=body)
        self.headers = headers


def without_key(body: bytes) -> bytes:
    """A body that is no JSON, to be kept; nothing of it where its key cannot be found."""
    hidden, count = _KEY.subn(_HIDDEN, body)
    return hidden if count == 1 and b"\\u" not in body.partition(b'"secret_key"')[0] else b""


def document_without_key(document: Any) -> bytes:  # noqa: ANN401  (any JSON value)
    """A body that is JSON, to be kept: its events, as they could be sent again."""
    if isinstance(document, list) and len(document) > 1:  # [key, [events]]
        events = document[1]
    elif isinstance(document, dict) and "events" in document:
        events = document["events"]
    else:
        return b""
    try:
        return msgspec.json.encode({"events": events})
    except (OverflowError, msgspec.MsgspecError):  # a number beyond 64 bits
        return json.dumps({"events": events}, ensure_ascii=False).encode()
