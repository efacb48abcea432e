"""`/mp/collect`: events that servers send to GA4, as JSON with the data stream's secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from collector.columns import warn
from collector.decode import read_json
from collector.identity import kept_address
from collector.limits import EVENTS_MAX as ROWS_MAX
from collector.limits import WIRE_BYTES_MAX
from collector.plans import SiteDirectory, SitePlan
from collector.protocols.measurement_protocol.ga4_envelope import (
    address_of,
    client_of,
    events_of,
    read_time,
    shared_columns,
    without_secrets,
)
from collector.protocols.measurement_protocol.ga4_event import fit_params, map_event
from collector.protocols.measurement_protocol.ga4_limits import (
    AHEAD_US_MAX,
    BACKDATED_US_MAX,
    BODY_BYTES_MAX,
    EVENTS_MAX,
    NAME,
    RESERVED_EVENTS,
)
from collector.protocols.measurement_protocol.payload import read_parameters
from collector.protocols.measurement_protocol.reasons import EventReason
from collector.protocols.measurement_protocol.remapping import read_object
from collector.reading import Candidate, Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Request
from collector.time import to_us

VERSION = "2"
_ADDRESS = re.compile(rb'("ip_override"\s{0,8}:\s{0,8}")([^"]{0,64})')


@dataclass(frozen=True, slots=True)
class _Stream:
    """The data stream that a request names.

    Attributes:
        key: Its id as sent.
        site: Whose it is; None when it is unknown.
        secret: As sent.
    """

    key: str | None
    site: SitePlan | None
    secret: str | None


def read_events(request: Request, directory: SiteDirectory) -> Reading:
    """Read a request."""
    if len(request.body) > WIRE_BYTES_MAX:
        raise Refused(Reason.BODY_TOO_LARGE, 413, f"inflates to more than {WIRE_BYTES_MAX} bytes")
    stream = _stream(request, directory)
    document, warnings = _document(request, stream)
    events = events_of(document, warnings)
    reading = Reading(site=stream.site, version=VERSION, tracking_key=stream.key, from_server=True)
    envelope = without_secrets(document)
    reading.enclose = lambda event: {**envelope, "events": [event]}
    fault = _fault(request, directory, stream, document, events)
    if fault is not None:
        if not events:
            site_id = None if stream.site is None else stream.site.site_id
            body = _masked(request.body)
            raise Refused(fault[0], 204, fault[1], site_id=site_id, tracking_key=stream.key, body=body)
        _refuse(reading, events, 0, *fault)
        return reading
    reading.shared = shared_columns(document, warnings)
    address = address_of(document, warnings)
    reading.warnings = tuple(warnings)
    sent_us = document.get("timestamp_micros")
    for index, event in enumerate(events[:EVENTS_MAX]):
        _read_event(
            index, event, reading, address=address, document_time=sent_us, received_us=to_us(request.received_at)
        )
    _refuse(reading, events, EVENTS_MAX, EventReason.TOO_MANY_EVENTS, f"a request has at most {EVENTS_MAX} events")
    return reading


def _stream(request: Request, directory: SiteDirectory) -> _Stream:
    parameters, _ = read_parameters(request.query.encode("utf-8", "replace"))
    key = parameters.get("measurement_id") or parameters.get("firebase_app_id")
    if request.site_id is not None:
        site = directory.by_id(request.site_id)
    else:
        site = directory.by_id(None) if key is None else directory.named("ga4", key)
    return _Stream(key, site, parameters.get("api_secret"))


def _document(request: Request, stream: _Stream) -> tuple[dict[str, Any], list[str]]:
    site_id = None if stream.site is None else stream.site.site_id
    try:
        document, warnings = read_json(request.body)
    except Refused as refused:
        is_large = len(request.body) > BODY_BYTES_MAX
        reason = EventReason.PAYLOAD_TOO_LARGE if is_large else refused.reason
        body = _masked(request.body)
        raise Refused(reason, 204, refused.detail, site_id=site_id, tracking_key=stream.key, body=body) from refused
    if not isinstance(document, dict):
        detail = "the body is no JSON object"
        raise Refused(
            Reason.INVALID_JSON, 204, detail, site_id=site_id, tracking_key=stream.key, body=_masked(request.body)
        )
    return document, list(warnings)


def _masked(body: bytes) -> bytes:
    """The body with no more than the network of the visitor's address."""
    return _ADDRESS.sub(
        lambda match: match[1] + (kept_address(match[2].decode("utf-8", "replace"), "truncate") or "").encode(), body
    )


def _fault(
    request: Request, directory: SiteDirectory, stream: _Stream, document: dict[str, Any], events: list[Any]
) -> tuple[EventReason, str] | None:
    """The first fault of the request as a whole."""
    if len(request.body) > BODY_BYTES_MAX:
        return EventReason.PAYLOAD_TOO_LARGE, f"{len(request.body)} bytes; at most {BODY_BYTES_MAX} are taken"
    if stream.key is None and stream.site is None:
        return EventReason.MISSING_MEASUREMENT_ID, "neither measurement_id nor firebase_app_id is given"
    if stream.site is None:
        return EventReason.UNKNOWN_MEASUREMENT_ID, "no site has this data stream"
    fault = None if request.is_replayed else _fault_of_secret(directory, stream, stream.site)
    if fault is not None:
        return fault
    if client_of(document)[0] is None:
        return EventReason.MISSING_CLIENT_ID, "neither client_id nor app_instance_id is given"
    return None if events else (EventReason.MISSING_EVENTS, "there are no events")


def _fault_of_secret(directory: SiteDirectory, stream: _Stream, site: SitePlan) -> tuple[EventReason, str] | None:
    if stream.secret is None:
        return EventReason.MISSING_API_SECRET, "api_secret is missing"
    if not _opens(directory, stream, site):
        return EventReason.INVALID_API_SECRET, "api_secret is not the data stream's"
    return None


def _opens(directory: SiteDirectory, stream: _Stream, site: SitePlan) -> bool:
    """The secret is that of the stream; below the site's own path any stream of the site will do."""
    streams = directory.sites.sites[site.site_id].ids.ga4
    own = [each for each in streams if each.measurement_id == stream.key] or streams
    given = (stream.secret or "").encode()
    return any(compare_digest(given, each.api_secret.encode()) for each in own)


def _refuse(reading: Reading, events: list[Any], first: int, reason: EventReason, detail: str) -> None:
    """Refuse the events from `first` on, each alone while there are not too many of them."""
    for index, event in enumerate(events[first:ROWS_MAX], start=first):
        reading.rejects.append(Reject(index, reason, detail, event))
    rest = events[ROWS_MAX:]
    if rest:
        reading.rejects.append(Reject(ROWS_MAX, reason, f"{len(rest)} events: {detail}", rest))


def _read_event(  # noqa: PLR0913  (an event and what it takes from its request)
    index: int,
    event: Any,  # noqa: ANN401  (any JSON value)
    reading: Reading,
    *,
    address: str | None,
    document_time: object,
    received_us: int,
) -> None:
    fault = _fault_of_event(event)
    if fault is not None:
        reading.rejects.append(Reject(index, *fault, event))
        return
    warnings: list[str] = []
    sent = event.get("timestamp_micros")
    sent = document_time if sent is None else sent
    time_us = read_time(sent)
    if sent is not None and time_us is None:
        warn(warnings, "invalid_value", "timestamp_micros")
    if time_us is not None and time_us < received_us - BACKDATED_US_MAX:
        reading.rejects.append(Reject(index, EventReason.TIMESTAMP_TOO_OLD, "more than 72 hours ago", event))
        return
    if time_us is not None and time_us > received_us + AHEAD_US_MAX:
        warnings.append("future_timestamp")
        time_us = None
    columns = _columns(event, warnings)
    candidate = Candidate(index, columns, time_us, event, warnings, has_true_time=True)
    if address is not None:
        columns["ip"] = address
        candidate.masks_address = True
    reading.candidates.append(candidate)


def _fault_of_event(event: Any) -> tuple[EventReason, str] | None:  # noqa: ANN401  (any JSON value)
    name = event.get("name") if isinstance(event, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return EventReason.INVALID_EVENT_NAME, "a name is a letter and up to 39 letters, digits and underscores"
    if name in RESERVED_EVENTS:
        return EventReason.RESERVED_EVENT_NAME, "only Google's own clients send events of this name"
    return None


def _columns(event: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    columns = map_event(event["name"], fit_params(event.get("params"), warnings), warnings)
    rest = {name: value for name, value in event.items() if name not in {"name", "params", "timestamp_micros"}}
    if rest:
        columns["props"] = {**rest, **columns.get("props", {})}
    return columns


def remap_event(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """Today's mapping of a kept event. What its request said of all events is in the row.

    Raises:
        ValueError: `raw` is no event, or an invalid one.
    """
    fault = _fault_of_event(raw)
    if fault is not None:
        raise ValueError(fault[1])
    warnings: list[str] = []
    columns = _columns(raw, warnings)
    columns |= {name: read_object(row[name]) for name in ("traits", "contexts") if row.get(name) is not None}
    return Candidate(0, columns, None, raw, warnings)
