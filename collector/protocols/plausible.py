"""Plausible's events: `POST /api/event`, by the documented names and by the short ones of its script."""

from collections.abc import Mapping
from typing import Any

from collector.decode import read_json
from collector.endpoint import Family, Route
from collector.plans import SiteDirectory
from collector.reading import Candidate, Outcome, Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Answer, Request

_LONG = {"n": "name", "u": "url", "d": "domain", "r": "referrer", "p": "props", "m": "props", "$": "revenue"}
_LONG |= {"i": "interactive", "h": "hash", "v": "version", "sd": "scroll", "e": "engaged"}
_KINDS = {"pageview": "page_view", "engagement": "engagement"}
_MONEY = {"revenue": "amount", "currency": "currency"}
_DROPPED = (("x-plausible-dropped", "1"),)
_DOMAINS_MAX, _PROPS_MAX, _PATH_CHARS_MAX = 16, 30, 2_000


def read(request: Request, directory: SiteDirectory) -> Reading:
    """Read one event; each domain that it names gets a reading of its own."""
    document, warnings = read_json(request.body)
    sent: dict[str, Any] = document if isinstance(document, dict) else {}
    event = {_LONG.get(key, key): value for key, value in sent.items()}
    if not all(isinstance(event.get(key), str) and event[key] for key in ("name", "url", "domain")):
        raise Refused(Reason.INVALID_EVENT, 400, "name, url and domain are needed", site_id=request.site_id)
    path = event["url"].partition("?")[0].partition("://")[2].partition("/")[2]
    domains = list(dict.fromkeys(map(str.strip, event["domain"].split(",")))) if request.site_id is None else [""]
    if event["url"].startswith("data:") or len(path) >= _PATH_CHARS_MAX or len(domains) > _DOMAINS_MAX:
        raise Refused(Reason.INVALID_FIELD, 202, "a data: URL, a long path, or many domains", site_id=request.site_id)
    readings = []
    for domain in domains:
        site = directory.named("plausible", domain) if request.site_id is None else directory.by_id(request.site_id)
        reading = Reading(site=site, tracking_key=domain or event["domain"], warnings=warnings)
        reading.address, reading.user_agent = request.address, request.headers.get("user-agent")
        told = {**event, "domain": reading.tracking_key}
        if site is None:
            reading.rejects = [Reject(0, Reason.UNKNOWN_SITE, "no site has this domain", told)]
        else:
            reading.candidates = [map_event(told, 0)]
        readings.append(reading)
    readings[0].further = tuple(readings[1:])
    return readings[0]


def map_event(event: Mapping[str, Any], index: int) -> Candidate:
    """An event by its documented names, in the columns of the contract."""
    kind, revenue, props = _KINDS.get(event["name"], "event"), event.get("revenue"), event.get("props")
    props = read_json(props.encode("utf-8", "replace"))[0] if isinstance(props, str) else props
    pairs = [pair for pair in props.items() if not isinstance(pair[1], (dict, list))] if isinstance(props, dict) else []
    columns = {
        "event_type": kind,
        "event_name": event["name"],
        "is_interaction": kind != "engagement" and event.get("interactive") is not False,
        # Where routes are told by fragments, the fragment is part of the path.
        "page_url": event["url"].replace("#", "%23", 1) if event.get("hash") else event["url"],
        "page_referrer": event.get("referrer"),
        "engaged_ms": event.get("engaged"),
        "scroll_percent": event.get("scroll"),
        "props": dict(pairs[:_PROPS_MAX]) or None,
        "library_version": event.get("version"),
    }
    columns |= {key: revenue.get(name) for key, name in _MONEY.items()} if isinstance(revenue, dict) else {}
    return Candidate(index, columns, None, event, ["truncated:props"] if len(pairs) > _PROPS_MAX else [])


def accept(request: Request, outcome: Outcome) -> Answer:
    """`ok`, as the original says even of what it drops; to whoever debugs, the address that visitors are told by."""
    if request.headers.get("x-debug-request") == "true":
        return Answer(200, str(request.address).encode())
    return Answer(202, b"ok", _DROPPED if outcome.rejects else ())


def refuse(_request: Request, refused: Refused) -> Answer:
    """Like anything else that is dropped, unless somebody has to mend it."""
    headers = (*_DROPPED, ("Tidemill-Reason", str(refused.reason)))
    return Answer(refused.status, b"ok" if refused.status == 202 else refused.detail.encode(), headers)  # noqa: PLR2004


_ROUTE = Route(protocol="plausible", method="POST", path="/api/event", read=read, accept=accept, refuse=refuse)
FAMILY = Family(
    protocol="plausible", endpoints=(_ROUTE,), remap=lambda raw, row: map_event(raw, int(row["request_index"]))
)
"""Plausible."""
