"""Requests of Snowplow trackers: whose their events are, the network user id, and what is answered."""

import base64
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from collector.decode import read_json
from collector.limits import EVENTS_MAX
from collector.plans import SiteDirectory, SitePlan
from collector.protocols.snowplow.events import Network, SnowplowReason, kept_fields, read_fields
from collector.reading import Outcome, Reading
from collector.redirect import may_lead_to
from collector.refusal import Reason, Refused, Reject
from collector.request import Answer, Cookie, Request

FAMILY_ID = "snowplow"

_PAYLOAD = re.compile(r"iglu:com\.snowplowanalytics\.snowplow/payload_data/jsonschema/1-0-\d{1,9}", re.ASCII)
_EVENT_IN_QUERY = re.compile(r"(?:^|&)e=")
_FIELDS_MAX = 500
_KEY_CHARS_MAX = 256

_COOKIE = "sp"
_COOKIE_AGE_S = 365 * 86_400
_PLAIN_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PLAIN = ("Content-Type", "text/plain; charset=UTF-8")
_PIXEL = (("Content-Type", "image/gif"), ("Cache-Control", "no-cache, no-store, must-revalidate"))
_GIVES_UP_STATUSES = {400, 401, 403, 413}
"""What a refusal may be answered with: trackers give up on the first three, and the original too answers 413."""


def claims_query(request: Request) -> bool:
    """Snowplow's `/i` is told from Countly's by the event's kind."""
    return _EVENT_IN_QUERY.search(request.query) is not None


def claims_body(request: Request) -> bool:
    """A body at a path of the tracker's own choice names Snowplow's schema; gzip may hide it. Preflights have none."""
    body = request.body
    return request.method == "OPTIONS" or b"/payload_data/jsonschema/" in body or body.startswith(b"\x1f\x8b")


def read_post(request: Request, directory: SiteDirectory) -> Reading:
    """Read a batch: `{"schema", "data": [{fields}, …]}`."""
    document, warnings = read_json(request.body)
    if not isinstance(document, dict):
        raise Refused(Reason.INVALID_BODY, 400, "the body is no JSON object", site_id=request.site_id)
    schema, events = document.get("schema"), document.get("data")
    if not isinstance(schema, str) or not _PAYLOAD.fullmatch(schema):
        raise Refused(Reason.INVALID_BODY, 400, "schema is no payload_data 1-0-x", site_id=request.site_id)
    if not isinstance(events, list) or not events:
        raise Refused(Reason.INVALID_BODY, 400, "data is no list of events", site_id=request.site_id)
    if len(events) > EVENTS_MAX:
        raise Refused(Reason.TOO_MANY_EVENTS, 400, f"{len(events)} events", site_id=request.site_id)
    readings = _read(events, request, directory, version="tp2", warnings=warnings)
    for reading in readings:
        reading.enclose = lambda event: {"schema": schema, "data": [event]}
    return _joined(readings)


def read_get(request: Request, directory: SiteDirectory) -> Reading:
    """Read one event in the query."""
    return _joined(_read([_query(request)], request, directory, version="tp1"))


def read_redirect(request: Request, directory: SiteDirectory) -> Reading:
    """Read a click that `u` leads away from here; where the query holds no event, the redirect is one."""
    fields = _query(request)
    target = fields.pop("u", "")
    if not may_lead_to(target, directory.sites.redirects):
        raise Refused(SnowplowReason.REDIRECT_REFUSED, 403, "redirects does not list the host", site_id=request.site_id)
    if "e" not in fields:
        uri = '{"schema":"iglu:com.snowplowanalytics.snowplow/uri_redirect/jsonschema/1-0-0","data":{"uri":%s}}'
        envelope = '{"schema":"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0","data":%s}'
        fields |= {"e": "ue", "ue_pr": envelope % uri % f'"{target}"'}
        fields = {"p": "web", "tv": "r-tp2", **fields}
    reading = _joined(_read([fields], request, directory, version="tp2"))
    reading.reply = target
    return reading


def _query(request: Request) -> dict[str, Any]:
    """The fields of the query; of a field that is there twice the first."""
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, errors="replace", max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise Refused(Reason.INVALID_BODY, 400, str(error), site_id=request.site_id) from error
    return dict(reversed(pairs))


def _read(
    events: Sequence[Any],
    request: Request,
    directory: SiteDirectory,
    *,
    version: str,
    warnings: tuple[str, ...] = (),
) -> list[Reading]:
    """A reading for each application that the events name.

    Raises:
        Refused: no site has any of the applications.
    """
    is_anonymous = "sp-anonymous" in request.headers
    sent_id = _sent_network_id(request)
    readings: dict[tuple[str | None, bool], Reading] = {}
    networks: dict[str, Network] = {}
    for index, event in enumerate(events):
        fields = event if isinstance(event, dict) else {}
        key = str(fields["aid"])[:_KEY_CHARS_MAX] if fields.get("aid") else None
        is_server = fields.get("p") == "srv"
        reading = readings.get((key, is_server))
        if reading is None:
            reading = readings[key, is_server] = Reading(
                site=_site(key, request, directory),
                version=version,
                tracking_key=key,
                skew_tolerated_us=0,
                warnings=warnings,
                address=None if is_anonymous or is_server else request.address,
                user_agent=None if is_server else request.headers.get("user-agent"),
            )
        site = reading.site
        if site is None:
            kept = kept_fields(fields) if fields else event
            reading.rejects.append(Reject(index, Reason.UNKNOWN_SITE, "no site has this application id", kept))
            continue
        network = networks.get(site.visitor)
        if network is None:
            network = networks[site.visitor] = _network(sent_id, site, request, is_anonymous=is_anonymous)
        _add(reading, index, event, network)
    if all(reading.site is None for reading in readings.values()):
        key = next(iter(readings))[0]
        raise Refused(Reason.UNKNOWN_SITE, 403, "no site has this application id", tracking_key=key)
    if "cookie" in networks:
        _first_of_a_site(readings).cookies = _cookies(networks["cookie"])
    return list(readings.values())


def _add(reading: Reading, index: int, event: Any, network: Network) -> None:  # noqa: ANN401  (any JSON value)
    if not isinstance(event, dict):
        reading.rejects.append(Reject(index, Reason.INVALID_EVENT, "the event is no object", event))
        return
    read = read_fields(index, event, network)
    if isinstance(read, Reject):
        reading.rejects.append(read)
    else:
        reading.candidates.append(read)


def _first_of_a_site(readings: Mapping[Any, Reading]) -> Reading:
    return next(reading for reading in readings.values() if reading.site is not None)


def _joined(readings: list[Reading]) -> Reading:
    """The first reading of a site, with the others behind it."""
    first = next(reading for reading in readings if reading.site is not None)
    first.further = tuple(reading for reading in readings if reading is not first)
    return first


def _site(key: str | None, request: Request, directory: SiteDirectory) -> SitePlan | None:
    """The site of the path or the host, else of the application id."""
    if request.site_id is not None or key is None:
        return directory.by_id(request.site_id)
    return directory.named(FAMILY_ID, key)


def _sent_network_id(request: Request) -> str | None:
    """The network user id in the query, of a POST too."""
    if "nuid=" not in request.query:
        return None
    sent = dict(parse_qsl(request.query, errors="replace")).get("nuid", "")
    return sent if _PLAIN_ID.fullmatch(sent) else None


def _network(sent_id: str | None, site: SitePlan, request: Request, *, is_anonymous: bool) -> Network:
    """The id of the query, else that of the cookie, else a new one; of cookies only where the site has them."""
    if is_anonymous:
        return Network(is_anonymous=True)
    if sent_id is not None or site.visitor != "cookie":
        return Network(user_id=sent_id)
    kept = request.cookie(_COOKIE) or ""
    return Network(user_id=kept if _PLAIN_ID.fullmatch(kept) else str(uuid.uuid4()), is_ours=True)


def _cookies(network: Network) -> tuple[Cookie, ...]:
    if network.user_id is None:
        return ()
    return (Cookie(name=_COOKIE, value=network.user_id, max_age_s=_COOKIE_AGE_S),)


def _reason(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    return (("Tidemill-Reason", str(outcome.rejects[0].reason)),) if outcome.rejects else ()


def accept_post(_request: Request, outcome: Outcome) -> Answer:
    """`ok`, whatever was refused: a tracker cannot repair an event."""
    return Answer(200, b"ok", (_PLAIN, *_reason(outcome)))


def accept_get(_request: Request, outcome: Outcome) -> Answer:
    """A transparent pixel."""
    return Answer(200, _GIF, (*_PIXEL, *_reason(outcome)))


def accept_redirect(_request: Request, outcome: Outcome) -> Answer:
    """On to where the link leads."""
    return _led_on(outcome.reading.reply, _reason(outcome))


def refuse_post(_request: Request, refused: Refused) -> Answer:
    """Why, with a status on which trackers give up: they would send the same once more."""
    return Answer(_status(refused), refused.detail.encode(), (_PLAIN, ("Tidemill-Reason", str(refused.reason))))


def refuse_get(_request: Request, refused: Refused) -> Answer:
    """The pixel all the same: pages show a broken image otherwise."""
    return Answer(_status(refused), _GIF, (*_PIXEL, ("Tidemill-Reason", str(refused.reason))))


def refuse_redirect(request: Request, refused: Refused) -> Answer:
    """On to where the link leads although no site counts it; nowhere, where it may not lead."""
    reason = ("Tidemill-Reason", str(refused.reason))
    if refused.reason is Reason.UNKNOWN_SITE:  # the target was checked before the site
        return _led_on(_query(request)["u"], (reason,))
    return Answer(_status(refused), refused.detail.encode(), (_PLAIN, reason))


def _led_on(target: str, headers: tuple[tuple[str, str], ...]) -> Answer:
    return Answer(302, b"", (("Location", target), ("Cache-Control", "no-store"), *headers))


def _status(refused: Refused) -> int:
    return refused.status if refused.status in _GIVES_UP_STATUSES else 400


def health(_request: Request, _directory: SiteDirectory) -> Answer:
    """What load balancers in front of the original ask."""
    return Answer(200, b"ok", (_PLAIN,))
