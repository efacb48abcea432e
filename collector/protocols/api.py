"""The server-side API: `POST /v1/events` with a site's secret.

The body is {"events": […]} or one event. The fields of an event are columns of the event contract; any other
field becomes one of `props`. Times are ISO 8601 or epoch milliseconds. A field that its column cannot hold
refuses the event: a developer is there to read the answer.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from collector.columns import FITTERS
from collector.decode import read_json
from collector.endpoint import OWN_CORS, Family, Route
from collector.limits import EVENTS_MAX
from collector.plans import SiteDirectory, SitePlan
from collector.reading import Candidate, Outcome, Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Answer, Request
from collector.time import parse_time

PROTOCOL = "api"

_MADE_HERE = {
    "event_id",
    "site_id",
    "protocol",
    "protocol_version",
    "tracking_key",
    "time_flag",
    "visitor_id_kind",
    "gpc",
    "warnings",
    "request_id",
    "request_index",
    "collector_id",
    "raw",
}
FIELDS = frozenset(FITTERS) - _MADE_HERE
"""Columns that a client may set; besides them `event_id` (any text), `occurred_at` and `sent_at`."""

_OBJECTS = ("props", "contexts", "dimensions", "metrics", "traits", "consent", "client_hints")
_NOT_INTERACTIONS = {
    "engagement",
    "identify",
    "alias",
    "group",
    "timing",
    "exception",
    "vitals",
    "consent",
    "heartbeat",
}
_ENVELOPE = {"site", "sent_at", "events"}


def read(request: Request, directory: SiteDirectory) -> Reading:
    """Read `POST /v1/events`."""
    token = _token(request)
    # Only who presents a secret of some site gets the body parsed; a named site is checked against its own.
    if request.site_id is None and not token and not request.is_replayed:
        raise Refused(Reason.WRONG_SECRET, 401, "the header Authorization: Bearer <secret> is missing")
    document, warnings = read_json(request.body)
    if not isinstance(document, dict):
        raise Refused(Reason.INVALID_BODY, 400, "the body is no JSON object", site_id=None)
    site, tracking_key = _authenticate(document, request, token, directory)
    events = document.get("events", [document])
    if not isinstance(events, list):
        raise Refused(Reason.INVALID_BODY, 400, "events is no list", site_id=site.site_id)
    if len(events) > EVENTS_MAX:
        raise Refused(Reason.TOO_MANY_EVENTS, 413, f"{len(events)} events", site_id=site.site_id)
    reading = Reading(
        site=site,
        version="1",
        tracking_key=tracking_key,
        sent_us=parse_time(document.get("sent_at")),
        from_server=True,
        is_strict=True,
        warnings=warnings,
    )
    reading.enclose = lambda event: {**{key: document[key] for key in _ENVELOPE & document.keys()}, "events": [event]}
    for index, event in enumerate(events):
        candidate = _read_event(index, event)
        if isinstance(candidate, Reject):
            reading.rejects.append(candidate)
        else:
            reading.candidates.append(candidate)
    return reading


def _token(request: Request) -> str:
    """The secret that was presented."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _authenticate(
    document: dict[str, Any], request: Request, token: str, directory: SiteDirectory
) -> tuple[SitePlan, str | None]:
    named = document.get("site") if "events" in document else None
    tracking_key = None if named is None else str(named)[:256]
    key = request.site_id if request.site_id is not None else tracking_key
    if key is None:
        site = directory.opened_by(token)
    else:
        site = directory.by_id(key)
        if site is None:
            raise Refused(Reason.UNKNOWN_SITE, 404, "no site has this id", tracking_key=key)
        if not request.is_replayed and not directory.opens(token, site):
            site = None
    if site is None:
        raise Refused(Reason.WRONG_SECRET, 401, "the secret opens no site, or another one", tracking_key=key)
    return site, tracking_key


def _read_event(index: int, event: Any) -> Candidate | Reject:  # noqa: ANN401  (any JSON value)
    if not isinstance(event, dict):
        return Reject(index, Reason.INVALID_EVENT, "the event is no object", event)
    # What is kept of the event holds no address: the column ip has what the site keeps of it.
    original = {key: value for key, value in event.items() if key != "ip"}
    fields = {key: value for key, value in event.items() if value is not None and key not in _ENVELOPE}
    columns = {key: fields.pop(key) for key in FIELDS & fields.keys()}
    columns["client_event_id"] = fields.pop("event_id", columns.get("client_event_id"))
    for name in _OBJECTS:
        if name in columns and not isinstance(columns[name], dict):
            return Reject(index, Reason.INVALID_FIELD, f"{name} is no object", original)
    occurred_at = fields.pop("occurred_at", None)
    client_time_us = parse_time(occurred_at)
    if occurred_at is not None and client_time_us is None:
        return Reject(index, Reason.INVALID_FIELD, "occurred_at is neither ISO 8601 nor epoch milliseconds", original)
    if "event_type" not in columns:
        if "event_name" not in columns:
            return Reject(index, Reason.INVALID_EVENT, "event_type or event_name is needed", original)
        columns["event_type"] = "event"
    columns.setdefault("is_interaction", columns["event_type"] not in _NOT_INTERACTIONS)
    if fields:
        columns["props"] = {**fields, **columns.get("props", {})}
    return Candidate(index, columns, client_time_us, original)


def remap(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """What today's mapping makes of a kept event.

    Raises:
        ValueError: it would be refused today.
    """
    candidate = _read_event(row["request_index"], raw)
    if isinstance(candidate, Reject):
        raise ValueError(candidate.detail)  # noqa: TRY004  (the value is wrong, whatever its type)
    return candidate


def accept(_request: Request, outcome: Outcome) -> Answer:
    """How many were accepted, and why each other was not."""
    rejected = [{"index": each.index, "reason": each.reason} for each in outcome.rejects]
    headers = (("Tidemill-Reason", str(outcome.rejects[0].reason)),) if rejected else ()
    return _json(200, {"accepted": outcome.accepted, "rejected": rejected}, headers)


def refuse(_request: Request, refused: Refused) -> Answer:
    """Why the request was refused as a whole."""
    headers: tuple[tuple[str, str], ...] = (("Tidemill-Reason", refused.reason),)
    if refused.status == 401:  # noqa: PLR2004  (the status that must name a scheme, RFC 9110)
        headers = (*headers, ("WWW-Authenticate", 'Bearer realm="tidemill"'))
    return _json(refused.status, {"reason": refused.reason, "detail": refused.detail}, headers)


def _json(status: int, document: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> Answer:
    return Answer(status, msgspec.json.encode(document), (("Content-Type", "application/json"), *headers))


FAMILY = Family(
    protocol=PROTOCOL,
    remap=remap,
    endpoints=(
        Route(
            protocol=PROTOCOL,
            method="POST",
            path="/v1/events",
            cors=OWN_CORS,
            read=read,
            accept=accept,
            refuse=refuse,
        ),
    ),
)
"""The server-side API."""
