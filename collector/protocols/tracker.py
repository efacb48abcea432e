"""Our browser tracker: `POST /e`, and `GET /e.gif?d=` for mail and AMP.

The body is {"v", "site", "sent_at", "lib", "events": […]}; whatever a field of an event is called may also stand
beside `events`, once for all of them. An event keeps its wire name in `event_name`.
"""

import base64
import binascii
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from collector.decode import read_json
from collector.endpoint import OWN_CORS, Family, Route
from collector.limits import EVENTS_MAX
from collector.plans import SiteDirectory, SitePlan
from collector.reading import Candidate, Outcome, Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Answer, Cookie, Request
from collector.time import parse_epoch_ms

PROTOCOL = "tracker"

_COLUMN_OF = {
    "id": "client_event_id",
    "n": "event_name",
    "u": "page_url",
    "r": "page_referrer",
    "ti": "page_title",
    "pv": "page_view_id",
    "vid": "visitor_id",
    "sid": "client_session_id",
    "st": "http_status",
    "w": "viewport_width",
    "h": "viewport_height",
    "sw": "screen_width",
    "sh": "screen_height",
    "l": "language",
    "tz": "time_zone",
    "b": "automation",
    "lib": "library_version",
}
FIELDS = tuple(_COLUMN_OF)
"""Wire names that have a column of their own."""

_COOKIE = "tm_vid"
_COOKIE_AGE_S = 395 * 86_400
"""13 months, the longest that European regulators let an audience cookie live."""
_PLAIN_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)

_ENVELOPE = frozenset({"v", "site", "sent_at", "events"})
_SIGNALS = {"gpc", "dnt"}

_TYPE_OF = {
    "page": "page_view",
    "engage": "engagement",
    "outbound": "link_click",
    "download": "link_click",
    "contact": "link_click",
    "form_start": "form",
    "form_submit": "form",
    "form_invalid": "form",
    "form_abandon": "form",
    "identify": "identify",
    "alias": "alias",
    "vitals": "vitals",
    "error": "exception",
    "consent": "consent",
    "purchase": "transaction",
}
_NOT_INTERACTIONS = {"engagement", "vitals", "exception", "identify", "alias", "consent"}

_ORDER_ACTION_OF = {
    "product_view": "detail",
    "cart_add": "add",
    "cart_remove": "remove",
    "checkout": "checkout",
    "purchase": "purchase",
    "refund": "refund",
}
_ORDER_COLUMN_OF = {
    "value": "revenue",
    "currency": "currency",
    "order_id": "order_id",
    "items": "items",
    "tax": "tax",
    "shipping": "shipping",
    "coupon": "coupon",
    "affiliation": "affiliation",
}

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_NO_STORE = ("Cache-Control", "no-store")
_NO_CONTENT = Answer(204)


def read_body(request: Request, directory: SiteDirectory) -> Reading:
    """Read `POST /e`."""
    return _read(request.body, request, directory)


def read_query(request: Request, directory: SiteDirectory) -> Reading:
    """Read `GET /e.gif?d=`: the same document as base64url, with or without padding."""
    document = parse_qs(request.query, errors="replace").get("d", [""])[0]
    try:
        body = base64.b64decode(document + "=" * (-len(document) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(Reason.INVALID_BODY, 400, f"d is no base64url: {error}") from error
    return _read(body, request, directory)


def _read(body: bytes, request: Request, directory: SiteDirectory) -> Reading:
    document, warnings = read_json(body)
    if not isinstance(document, dict):
        raise Refused(Reason.INVALID_BODY, 400, "the body is no JSON object", site_id=request.site_id)
    site, tracking_key = _site(document, request, directory)
    events = document.get("events")
    if not isinstance(events, list):
        raise Refused(Reason.INVALID_BODY, 400, "events is no list", site_id=site.site_id, tracking_key=tracking_key)
    if len(events) > EVENTS_MAX:
        raise Refused(
            Reason.TOO_MANY_EVENTS, 413, f"{len(events)} events", site_id=site.site_id, tracking_key=tracking_key
        )
    shared, rest = _columns(document, _ENVELOPE)
    version = document.get("v")
    reading = Reading(
        site=site,
        version=None if version is None else str(version)[:64],
        tracking_key=tracking_key,
        shared=shared,
        sent_us=parse_epoch_ms(document.get("sent_at")),
        gpc=_is_set(document.get("gpc")),
        dnt=_is_set(document.get("dnt")),
        address=request.address,
        user_agent=request.headers.get("user-agent"),
        warnings=warnings,
    )
    shared["library"] = "tidemill"
    if rest:
        shared["contexts"] = rest
    for index, event in enumerate(events):
        _read_event(index, event, reading)
    if site.visitor == "cookie":
        sent = (each.columns["visitor_id"] for each in reading.candidates if "visitor_id" in each.columns)
        reading.cookies = _cookies(shared.get("visitor_id", next(sent, None)))
    reading.enclose = lambda event: {**document, "events": [event]}
    return reading


def remap(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """What today's mapping makes of a kept event. What stood beside the events of its request is in the row only."""
    contexts = msgspec.json.decode(row["contexts"]) if row["contexts"] else {}
    reading = Reading(site=None, shared={"contexts": contexts} if contexts else {})
    _read_event(row["request_index"], raw, reading)
    candidate = reading.candidates[0]
    candidate.columns.setdefault("contexts", contexts or None)
    return candidate


def _site(document: dict[str, Any], request: Request, directory: SiteDirectory) -> tuple[SitePlan, str | None]:
    named = document.get("site")
    tracking_key = None if named is None else str(named)[:256]
    site = directory.by_id(request.site_id if request.site_id is not None else tracking_key)
    if site is None and tracking_key is not None and request.site_id is None:  # a façade: the family and its key
        family, _, key = tracking_key.partition(":")
        site = directory.named(family, key)
    if site is None:
        raise Refused(Reason.UNKNOWN_SITE, 204, "no site has this id", tracking_key=tracking_key or request.site_id)
    return site, tracking_key


def _cookies(visitor_id: object) -> tuple[Cookie, ...]:
    """The visitor's id, repeated by the server: browsers drop within days what a script has stored.

    The script reads it where its own storage is empty. A page that wants nothing stored sends no id and gets none.
    """
    if not isinstance(visitor_id, str) or not _PLAIN_ID.fullmatch(visitor_id):
        return ()
    cookie = Cookie(name=_COOKIE, value=visitor_id, max_age_s=_COOKIE_AGE_S, is_http_only=False, crosses_sites=False)
    return (cookie,)


def _read_event(index: int, event: Any, reading: Reading) -> None:  # noqa: ANN401  (any JSON value)
    if not isinstance(event, dict):
        reading.rejects.append(Reject(index, Reason.INVALID_EVENT, "the event is no object", event))
        return
    name = event.get("n")
    if not isinstance(name, str) or not name:
        reading.rejects.append(Reject(index, Reason.INVALID_EVENT, "n, the event's name, is missing", event))
        return
    columns, rest = _columns(event)
    client_time = rest.pop("ts", None)
    client_time_us = parse_epoch_ms(client_time)
    warnings = ["invalid:client_time"] if client_time_us is None and client_time is not None else []
    props = rest.pop("p", None)
    kind = _TYPE_OF.get(name, "event")
    columns["event_type"] = kind
    columns["is_interaction"] = kind not in _NOT_INTERACTIONS
    if kind == "engagement":
        columns["engaged_ms"] = rest.pop("e", None)
        columns["scroll_percent"] = rest.pop("sd", None)
    if props is not None:
        columns["props"] = props
    read_props = _PROPS_READERS.get(name)
    if read_props is not None:
        read_props(columns, props if isinstance(props, dict) else {})
    if rest:
        reading.gpc = reading.gpc or _is_set(rest.get("gpc"))
        reading.dnt = reading.dnt or _is_set(rest.get("dnt"))
        columns["contexts"] = {**reading.shared["contexts"], **rest} if "contexts" in reading.shared else rest
    reading.candidates.append(Candidate(index, columns, client_time_us, event, warnings))


def _columns(fields: dict[str, Any], left_out: frozenset[str] = frozenset()) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields that have a column, by column; and the rest, by wire name, but for what is left out."""
    columns: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    find = _COLUMN_OF.get
    for key, value in fields.items():
        column = find(key)
        if column is not None:
            columns[column] = value
        elif key not in left_out:
            rest[key] = value
    return columns, rest


def _identify(columns: dict[str, Any], props: dict[str, Any]) -> None:
    """`t('identify', id, traits)` sends {id, traits}."""
    columns["user_id"] = props.get("id")
    columns["traits"] = props.get("traits")


def _alias(columns: dict[str, Any], props: dict[str, Any]) -> None:
    """`t('alias', newId)` sends {id, previous}: `id` replaces `previous`."""
    columns["user_id"] = props.get("id")
    columns["previous_id"] = props.get("previous")


def _consent(columns: dict[str, Any], props: dict[str, Any]) -> None:
    columns["consent"] = props or None


def _order(action: str, columns: dict[str, Any], props: dict[str, Any]) -> None:
    columns["order_action"] = action
    for key, column in _ORDER_COLUMN_OF.items():
        if key in props:
            columns[column] = props[key]


_PROPS_READERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "identify": _identify,
    "alias": _alias,
    "consent": _consent,
    **{name: functools.partial(_order, action) for name, action in _ORDER_ACTION_OF.items()},
}


def _is_set(flag: object) -> bool:
    return flag in (True, 1, "1", "true")


def accept_body(_request: Request, outcome: Outcome) -> Answer:
    """204 whatever was refused: a browser cannot repair an event. The header tells a site's owner why."""
    return Answer(204, b"", _reason_header(outcome)) if outcome.rejects else _NO_CONTENT


def accept_query(_request: Request, outcome: Outcome) -> Answer:
    """A transparent pixel."""
    return Answer(200, _GIF, (("Content-Type", "image/gif"), _NO_STORE, *_reason_header(outcome)))


def refuse_body(_request: Request, refused: Refused) -> Answer:
    """The reason, in the header and for people in the body; 204 has none."""
    reason = ("Tidemill-Reason", str(refused.reason))
    if refused.status == 204:  # noqa: PLR2004  (No Content)
        return Answer(204, b"", (reason,))
    body = msgspec.json.encode({"reason": refused.reason, "detail": refused.detail})
    return Answer(refused.status, body, (("Content-Type", "application/json"), reason))


def refuse_query(_request: Request, refused: Refused) -> Answer:
    """The pixel all the same: mail programs show a broken image otherwise."""
    status = 200 if refused.status == 204 else refused.status  # noqa: PLR2004  (a pixel has content)
    return Answer(status, _GIF, (("Content-Type", "image/gif"), _NO_STORE, ("Tidemill-Reason", refused.reason)))


def _reason_header(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    return (("Tidemill-Reason", outcome.rejects[0].reason),) if outcome.rejects else ()


FAMILY = Family(
    protocol=PROTOCOL,
    remap=remap,
    endpoints=(
        Route(
            protocol=PROTOCOL,
            method="POST",
            path="/e",
            cors=OWN_CORS,
            read=read_body,
            accept=accept_body,
            refuse=refuse_body,
        ),
        Route(
            protocol=PROTOCOL,
            method="GET",
            path="/e.gif",
            cors=OWN_CORS,
            read=read_query,
            accept=accept_query,
            refuse=refuse_query,
        ),
    ),
)
"""The browser tracker."""
