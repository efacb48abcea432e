"""`/g/collect`: the hits of GA4's web client."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.columns import warn
from collector.limits import EVENTS_MAX, WIRE_BYTES_MAX
from collector.plans import SiteDirectory, SitePlan
from collector.protocols.measurement_protocol.ga4_event import map_event
from collector.protocols.measurement_protocol.ga4_items import split_item
from collector.protocols.measurement_protocol.ga4_limits import NAME
from collector.protocols.measurement_protocol.hit import add_address, without_ids
from collector.protocols.measurement_protocol.page import add_click
from collector.protocols.measurement_protocol.payload import find_tid, kept_text, read_parameters, read_payloads
from collector.protocols.measurement_protocol.reasons import EventReason, HitReason
from collector.protocols.measurement_protocol.validity import GET_BYTES_MAX, PAYLOAD_BYTES_MAX, faults_of_client
from collector.reading import Candidate, Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Request

VERSION = "2"
_PAYLOAD_BYTES_MAX = GET_BYTES_MAX + PAYLOAD_BYTES_MAX
"""Of an event: what the query says for all and what a line of the body says of it."""

_COLUMN_OF = {
    "uid": "user_id",
    "sid": "client_session_id",
    "sct": "client_session_number",
    "_et": "engaged_delta_ms",
    "ul": "language",
    "dl": "page_url",
    "dr": "page_referrer",
    "dt": "page_title",
    "cu": "currency",
    "cs": "campaign_source",
    "cm": "campaign_medium",
    "cn": "campaign_name",
    "cc": "campaign_content",
    "ck": "campaign_term",
    "ci": "campaign_id",
}
_NESTED = {"ep": (False, False), "epn": (True, False), "up": (False, True), "upn": (True, True)}
"""By prefix of a parameter: it holds a number; it is about the user."""
_CONSENT = ("gcs", "gcd")
_ELSEWHERE = {"v", "tid", "cid", "en", "sr", "uip", *_CONSENT}
_EXACT_INTEGERS = 2**53
_ITEM = re.compile(r"pr([1-9][0-9]?|1[0-9][0-9]|200)")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")


def claims_web(request: Request) -> bool:
    """Tells hits of version 2 on a path that version 1 has too."""
    return "v=2" in request.query.split("&")


def read_web(request: Request, directory: SiteDirectory) -> Reading:
    """Read a request: the query, or each line of the body with what the query says for all."""
    if len(request.body) > WIRE_BYTES_MAX:
        raise Refused(Reason.BODY_TOO_LARGE, 413, f"inflates to more than {WIRE_BYTES_MAX} bytes")
    lines = _Lines(request, directory)
    for index, line in enumerate(lines.payloads.lines[:EVENTS_MAX]):
        lines.read(index, line)
    rest = lines.payloads.lines[EVENTS_MAX:]
    if rest:
        detail = f"{len(rest)} lines: a request has at most {EVENTS_MAX} events"
        lines.refuse(EVENTS_MAX, EventReason.TOO_MANY_EVENTS, detail, b"\n".join(rest))
    return lines.reading()


class _Lines:
    """The lines of one request, sorted by the site that each names."""

    def __init__(self, request: Request, directory: SiteDirectory) -> None:
        self._request = request
        self._directory = directory
        self._readings: dict[tuple[str | None, str | None], Reading] = {}
        self.payloads = read_payloads(request)
        if not self.payloads.lines:
            raise Refused(HitReason.PAYLOAD_EMPTY, 204, "neither body nor query", site_id=request.site_id)

    def read(self, index: int, line: bytes) -> None:
        """Map a line, or refuse it."""
        if len(line) > _PAYLOAD_BYTES_MAX:
            detail = f"{len(line)} bytes; at most {_PAYLOAD_BYTES_MAX} are taken"
            self.refuse(index, HitReason.HIT_TOO_LARGE, detail, line)
            return
        parameters, warnings = read_parameters(line)
        reading = self._reading_of(parameters.get("tid"))
        fault = _fault(parameters, reading.site)
        if fault is None:
            reading.candidates.append(map_web(index, parameters, kept_text(line, parameters), warnings))
        else:
            reading.rejects.append(Reject(index, *fault, self.payloads.part(line)))

    def refuse(self, index: int, reason: HitReason | EventReason, detail: str, line: bytes) -> None:
        """Refuse a line without reading it."""
        reading = self._reading_of(find_tid(line))
        reading.rejects.append(Reject(index, reason, detail, self.payloads.part(line)))

    def reading(self) -> Reading:
        """All of it: of the first line's site, and of further ones."""
        first, *further = self._readings.values()
        first.further = tuple(further)
        return first

    def _reading_of(self, tid: str | None) -> Reading:
        site = _site(self._request, self._directory, tid)
        key = (None if site is None else site.site_id, tid)
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = Reading(
                site=site,
                version=VERSION,
                tracking_key=tid,
                address=self._request.address,
                user_agent=self._request.headers.get("user-agent"),
                enclose=self._enclose,
            )
        return reading

    def _enclose(self, part: object) -> object:
        return self.payloads.part(part.encode()) if isinstance(part, str) else part


def _site(request: Request, directory: SiteDirectory, tid: str | None) -> SitePlan | None:
    if request.site_id is not None or tid is None:
        return directory.by_id(request.site_id)
    return directory.named("ga4", tid)


def _fault(parameters: Mapping[str, str], site: SitePlan | None) -> tuple[HitReason | EventReason, str] | None:
    """Why a hit is refused; reserved names are this client's own."""
    version = parameters.get("v")
    if version != VERSION:
        reason = HitReason.MISSING_V if version is None else HitReason.INVALID_V
        return reason, "the protocol's version is 2"
    if site is None and "tid" not in parameters:
        return HitReason.MISSING_TID, "no site is named"
    if site is None:
        return HitReason.UNKNOWN_TID, "no site has this data stream"
    client = next(faults_of_client(parameters), None)
    if client is not None:
        return client.reason, client.detail
    if not NAME.fullmatch(parameters.get("en", "")):
        return EventReason.INVALID_EVENT_NAME, "a name is a letter and up to 39 letters, digits and underscores"
    return None


@dataclass(slots=True)
class _Fields:
    """The parameters of a hit, sorted by what they are about."""

    warnings: list[str]
    columns: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    props: dict[str, Any] = field(default_factory=dict)
    items: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        """Take a parameter."""
        column = _COLUMN_OF.get(name)
        prefix, _, rest = name.partition(".")
        if column is not None:
            self.columns[column] = value
        elif rest and prefix in _NESTED:
            is_number, is_user = _NESTED[prefix]
            target = self.traits if is_user else self.params
            target[rest] = _number(value, name, self.warnings) if is_number else value
        elif (item := _ITEM.fullmatch(name)) is not None:
            self.items[int(item[1])] = split_item(value)
        else:
            self.props[name] = value


def map_web(index: int, parameters: Mapping[str, str], text: str, warnings: list[str]) -> Candidate:
    """The event that a valid hit tells of."""
    fields = _Fields(warnings)
    for name, value in parameters.items():
        if name not in _ELSEWHERE:
            fields.add(name, value)
    if "sr" in parameters:
        fields.params["screen_resolution"] = parameters["sr"]
    if fields.items:
        fields.params["items"] = [fields.items[number] for number in sorted(fields.items)]
    columns = map_event(parameters["en"], fields.params, warnings) | fields.columns
    clicked = add_click(fields.props, columns)
    columns["props"] = {name: value for name, value in fields.props.items() if name != clicked} | columns.get(
        "props", {}
    )
    columns["visitor_id"] = parameters["cid"] if "cid" in parameters else f"uid:{parameters['uid']}"
    columns["traits"] = fields.traits or None
    columns["consent"] = {name: parameters[name] for name in _CONSENT if name in parameters} or None
    candidate = Candidate(index, columns, None, text, warnings, queued_us=0)  # it is sent at once
    candidate.impersonal = without_ids(columns["props"])
    if "uip" in parameters:
        add_address(parameters["uip"], candidate)
    return candidate


def _number(value: str, name: str, warnings: list[str]) -> float | int | None:
    if not _NUMBER.fullmatch(value):
        warn(warnings, "invalid_value", name)
        return None
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < _EXACT_INTEGERS else number


def remap_web(raw: Any, _row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """Today's mapping of a kept hit.

    Raises:
        ValueError: `raw` is no hit, or an invalid one.
    """
    if not isinstance(raw, str):
        raise ValueError("a hit is kept as text")  # noqa: TRY004  (the data is wrong, not the caller)
    parameters, warnings = read_parameters(raw.encode())
    if next(faults_of_client(parameters), None) is not None or not NAME.fullmatch(parameters.get("en", "")):
        raise ValueError("the hit is none of GA4's")
    return map_web(0, parameters, raw, warnings)
