"""RudderStack's pixel: a message in the query, its nested fields under dotted names."""

import base64
import functools
from typing import Any
from urllib.parse import parse_qsl

from collector.plans import SiteDirectory
from collector.protocols.segment.requests import Reader, add_messages, open_reading
from collector.reading import Outcome, Reading
from collector.refusal import Reason, Refused
from collector.request import Answer, Request

_FIELDS_MAX = 1_000
_LEVELS_MAX = 16
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_HEADERS = (("Content-Type", "image/gif"), ("Cache-Control", "no-store"))


def reader(kind: str) -> Reader:
    """Reads a request whose query is one message of the type `kind`."""
    return functools.partial(_read, kind=kind)


def _read(request: Request, directory: SiteDirectory, *, kind: str) -> Reading:
    message, warnings = _message(request.query)
    return add_messages(open_reading(message, warnings, request, directory), [{**message, "type": kind}], request)


def _message(query: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The query as a document. A name that says two things keeps the first of them.

    Raises:
        Refused: more fields than a pixel can have.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise Refused(Reason.INVALID_BODY, 400, str(error)) from error
    message: dict[str, Any] = {}
    warnings: tuple[str, ...] = ()
    for name, value in pairs:
        if not _put(message, name.split(".", _LEVELS_MAX - 1), value):
            warnings = ("conflict:query",)
    return message, warnings


def _put(message: dict[str, Any], path: list[str], value: str) -> bool:
    """Set the field at `path`; False when something stands there or on the way already."""
    for name in path[:-1]:
        inner = message.setdefault(name, {})
        if not isinstance(inner, dict):
            return False
        message = inner
    return message.setdefault(path[-1], value) is value


def accept(_request: Request, outcome: Outcome) -> Answer:
    """A transparent pixel."""
    reason = (("Tidemill-Reason", str(outcome.rejects[0].reason)),) if outcome.rejects else ()
    return Answer(200, _GIF, (*_HEADERS, *reason))


def refuse(_request: Request, refused: Refused) -> Answer:
    """The pixel all the same: pages show a broken image otherwise."""
    status = 401 if refused.status == 401 else 400  # noqa: PLR2004  (Unauthorized)
    return Answer(status, _GIF, (*_HEADERS, ("Tidemill-Reason", str(refused.reason))))
