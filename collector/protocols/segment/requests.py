"""Requests of Segment's API: whose they are, the messages in them, and what is answered."""

import base64
import binascii
import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import replace

from collector.decode import read_json
from collector.limits import EVENTS_MAX
from collector.plans import SiteDirectory, SitePlan
from collector.protocols.segment.messages import is_from_visitor, read_message
from collector.reading import Outcome, Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Answer, Request
from collector.time import parse_time

FAMILY_ID = "segment"
TYPE_IN_PATH = ""
"""In place of a type: the path captures it."""

_BATCH = "batch"
_SHARED = ("context", "integrations")
_KEY_CHARS_MAX = 256

Reader = Callable[[Request, SiteDirectory], Reading]


def message_reader(kind: str) -> Reader:
    """Reads a request whose body is one message of the type `kind`."""
    return functools.partial(_read_one, kind=kind)


def batch_reader() -> Reader:
    """Reads a request whose body holds messages of any type."""
    return _read_batch


def _read_one(request: Request, directory: SiteDirectory, *, kind: str) -> Reading:
    document, reading = _open(request, directory)
    message = {**document, "type": kind or request.captured.get("type", "")}
    return add_messages(reading, [message], request)


def _read_batch(request: Request, directory: SiteDirectory) -> Reading:
    document, reading = _open(request, directory)
    site_id = None if reading.site is None else reading.site.site_id
    messages = document.get(_BATCH)
    if not isinstance(messages, list):
        raise Refused(Reason.INVALID_BODY, 400, "batch is no list", site_id=site_id)
    if len(messages) > EVENTS_MAX:
        raise Refused(Reason.TOO_MANY_EVENTS, 400, f"{len(messages)} messages", site_id=site_id)
    reading.sent_us = parse_time(document.get("sentAt"))
    shared = {key: document[key] for key in _SHARED if isinstance(document.get(key), dict) and document[key]}
    envelope = {key: value for key, value in document.items() if key not in {_BATCH, *_SHARED}}
    reading.enclose = lambda message: {**envelope, _BATCH: [message]}
    return add_messages(reading, [_merged(shared, each) for each in messages] if shared else messages, request)


def _merged(shared: dict[str, Any], message: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """The message with what the batch says for all of them; its own words win."""
    if not isinstance(message, dict):
        return message
    merged = dict(message)
    for key, value in shared.items():
        own = message.get(key)
        merged[key] = {**value, **own} if isinstance(own, dict) else value
    return merged


def add_messages(reading: Reading, messages: list[Any], request: Request) -> Reading:
    """The reading with the messages; those that a server tells of visitors in one of their own."""
    user_agent = request.headers.get("user-agent")
    of_visitors = replace(
        reading, candidates=[], rejects=[], shared={"user_agent": user_agent}, address=request.address
    )
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            reading.rejects.append(Reject(index, Reason.INVALID_EVENT, "the message is no object", message))
            continue
        read = read_message(index, message)
        into = of_visitors if is_from_visitor(message, user_agent) else reading
        if isinstance(read, Reject):
            into.rejects.append(read)
        else:
            into.candidates.append(read)
    parts = [each for each in (of_visitors, reading) if each.candidates or each.rejects] or [reading]
    parts[0].further = tuple(parts[1:])
    return parts[0]


def _open(request: Request, directory: SiteDirectory) -> tuple[dict[str, Any], Reading]:
    """The body's document, and a reading for the site whose key was shown."""
    document, warnings = read_json(request.body)
    if not isinstance(document, dict):
        raise Refused(Reason.INVALID_BODY, 400, "the body is no JSON object", site_id=request.site_id)
    return document, open_reading(document, warnings, request, directory)


def open_reading(
    document: dict[str, Any], warnings: tuple[str, ...], request: Request, directory: SiteDirectory
) -> Reading:
    """An empty reading for the site whose key was shown, in a header or in the document.

    Raises:
        Refused: no site has the key.
    """
    shown = [*_keys_in_headers(request), *_keys_in_query(request), document.get("writeKey")]
    keys = [key for key in shown if isinstance(key, str) and 0 < len(key) <= _KEY_CHARS_MAX]
    site, key = _site(keys, request, directory)
    if site is None:
        # A body that names the key can be replayed once a site has it.
        body = msgspec.json.encode({**document, "writeKey": key}) if key and "writeKey" not in document else None
        raise Refused(Reason.UNKNOWN_SITE, 401, "no site has this write key", tracking_key=key, body=body)
    return Reading(site=site, version="1", tracking_key=key, skew_tolerated_us=0, warnings=warnings)


def _site(keys: list[str], request: Request, directory: SiteDirectory) -> tuple[SitePlan | None, str | None]:
    """The site, and the key that names it: the path's or the host's, else of the first key that a site has."""
    first = keys[0] if keys else None
    if request.site_id is not None or first is None:
        return directory.by_id(request.site_id), first
    for key in keys:
        site = directory.named(FAMILY_ID, key)
        if site is not None:
            return site, key
    return None, first


def _keys_in_headers(request: Request) -> list[str]:
    """The user name of Basic authentication, its password being empty; and the first half of Jitsu's key."""
    keys = []
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(credentials.strip() + "==").decode()
        except (binascii.Error, ValueError):
            user = ""
        keys.append(user.partition(":")[0])
    jitsu = request.headers.get("x-write-key")
    return keys if jitsu is None else [*keys, jitsu.partition(":")[0]]


def _keys_in_query(request: Request) -> list[str]:
    return parse_qs(request.query, errors="replace").get("writeKey", []) if "writeKey=" in request.query else []


def accept(_request: Request, outcome: Outcome) -> Answer:
    """Success, whatever was refused: a client cannot repair a message. The header tells a site's owner why."""
    reason = (("Tidemill-Reason", str(outcome.rejects[0].reason)),) if outcome.rejects else ()
    return Answer(200, b'{"success":true}', (("Content-Type", "application/json"), *reason))


def refuse(_request: Request, refused: Refused) -> Answer:
    """Statuses after which clients give up: they would send the same once more."""
    status = 401 if refused.status == 401 else 400  # noqa: PLR2004  (Unauthorized)
    body = msgspec.json.encode({"success": False, "reason": refused.reason, "message": refused.detail})
    return Answer(status, body, (("Content-Type", "application/json"), ("Tidemill-Reason", str(refused.reason))))


def settings(request: Request, directory: SiteDirectory) -> Answer:
    """What analytics.js fetches before it starts: where to send."""
    key = request.captured["write_key"]
    if _site([key], request, directory)[0] is None:
        raise Refused(Reason.UNKNOWN_SITE, 404, "no site has this write key")
    is_named_by_path = request.site_id is not None and (request.host is None or request.host.site_id != request.site_id)
    prefix = f"/s/{request.site_id}" if is_named_by_path else ""
    integration = {
        "apiKey": key,
        "apiHost": f"{request.headers.get('host', '')}{prefix}/v1",
        "protocol": "https" if request.is_https else "http",
    }
    body = msgspec.json.encode({"integrations": {"Segment.io": integration}, "plan": {}})
    return Answer(200, body, (("Content-Type", "application/json"), ("Cache-Control", "no-store")))
