"""What clients of Alcolytics are told; none of it may be kept by a cache."""

import base64
from typing import TYPE_CHECKING, Any

from collector.columns import json_text
from collector.protocols.alcolytics.mapping import PIXEL
from collector.protocols.alcolytics.targets import Target, find_target
from collector.protocols.alcolytics.wire import read_query
from collector.reading import Outcome
from collector.refusal import Reason, Refused
from collector.request import Answer, Request

if TYPE_CHECKING:
    from collector.protocols.alcolytics.reading import Reply

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""A transparent pixel of 43 bytes."""

_NO_CACHE = (
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "Mon, 01 Jan 1990 00:00:00 GMT"),
)


def show_pixel(_request: Request, _directory: object) -> Answer:
    """The pixel alone: `GET /track` asks whether somebody is there."""
    return _pixel()


def accept_track(_request: Request, outcome: Outcome) -> Answer:
    """Queued, whatever was refused."""
    return _json(200, {"result": "queued"}, _reason(outcome))


def refuse_track(_request: Request, refused: Refused) -> Answer:
    """Queued too, but for a body that is no message."""
    if refused.status == 200:  # noqa: PLR2004  (kept as a reject, and no business of the client's)
        return _json(200, {"result": "queued"}, refused.reason)
    message = "Payload too large" if refused.reason == Reason.BODY_TOO_LARGE else "Bad request"
    return _json(refused.status, {"error": message}, refused.reason)


def accept_image(_request: Request, outcome: Outcome) -> Answer:
    """The pixel."""
    return _pixel(_reason(outcome))


def refuse_image(_request: Request, refused: Refused) -> Answer:
    """The pixel all the same."""
    return _pixel(refused.reason)


def accept_target(_request: Request, outcome: Outcome) -> Answer:
    """The id of the event, as the service and the marker in the address want it."""
    reply: Reply = outcome.reading.reply
    return _target(reply.target, reply.name, reply.event_id, _reason(outcome))


def refuse_target(request: Request, refused: Refused) -> Answer:
    """The pixel to an image; else as `POST /track`, with an id that leads to the reject."""
    target = find_target(request.path, read_query(request.query))
    if target.channel == PIXEL or refused.status == 200:  # noqa: PLR2004  (kept as a reject)
        return _target(target, target.name or "", request.request_id, refused.reason)
    return refuse_track(request, refused)


def accept_redirect(_request: Request, outcome: Outcome) -> Answer:
    """On to the target."""
    reply: Reply = outcome.reading.reply
    return Answer(302, b"", (("Location", reply.leads_to), *_NO_CACHE))


def refuse_redirect(request: Request, refused: Refused) -> Answer:
    """The visitor goes on where only the site is unknown: the target was found allowed before."""
    if refused.reason == Reason.UNKNOWN_SITE:
        return Answer(302, b"", (("Location", read_query(request.query)["to"]), *_NO_CACHE))
    is_missing = refused.reason == "redirect_without_target"
    message = 'Parameter "to" is required' if is_missing else 'Parameter "to" leads to a host that is not allowed'
    return _json(refused.status, {"message": message}, refused.reason)


def _target(target: Target, name: str, event_id: str, reason: str | None) -> Answer:
    if target.channel == PIXEL:
        return _pixel(reason)
    if target.is_enveloped:
        return _json(200, {"statusCode": 200, "type__": "data", "data": {"id": event_id}}, reason)
    if target.service == "track":
        return _json(200, {"id": event_id}, reason)
    return _json(200, {"key": f"in.gen.{target.service}.{name}", "id": event_id}, reason)


def _reason(outcome: Outcome) -> str | None:
    return outcome.rejects[0].reason if outcome.rejects else None


def _pixel(reason: str | None = None) -> Answer:
    return _answer(200, _GIF, "image/gif", reason)


def _json(status: int, document: dict[str, Any], reason: str | None) -> Answer:
    return _answer(status, json_text(document).encode(), "application/json", reason)


def _answer(status: int, body: bytes, content_type: str, reason: str | None) -> Answer:
    told = () if reason is None else (("Tidemill-Reason", str(reason)),)
    return Answer(status, body, (("Content-Type", content_type), *_NO_CACHE, *told))
