"""From what a protocol read to the rows of the contract: ids, time, privacy, fitting, in one place for all families.

Rows are spooled as newline-delimited JSON: nulls omitted, times as epoch microseconds, JSON columns as text.
"""

import base64
import functools
import zlib
from typing import Any
from urllib.parse import urlsplit

import msgspec

from collector.columns import FITTERS, TEXT_LENGTHS, json_text, warn
from collector.identity import derived_id, event_id, hashed_visitor, kept_address
from collector.limits import EVENT_CHARS_MAX, REJECT_BODY_BYTES_MAX, WARNINGS_MAX, WIRE_BYTES_MAX
from collector.plans import SitePlan, parse_address
from collector.reading import Candidate, Reading
from collector.redaction import kept_form
from collector.refusal import Reason, Reject
from collector.request import Request
from collector.salts import IMPORT_SALT, Salts
from collector.time import from_us, local_date, occurred, to_us

_IDENTIFYING = ("client_session_id", "client_session_number", "user_id", "previous_id", "group_id", "traits")
"""Withheld, besides the visitor's id, from whoever asked not to be tracked."""

_ABOUT_A_PERSON = {"identify", "alias", "group"}
"""Kinds of events whose props say who somebody is."""

_encode = msgspec.json.Encoder().encode
_text_length = TEXT_LENGTHS.get
_fit_original, _fit_version, _fit_tracking_key = (FITTERS[name] for name in ("raw", "protocol_version", "tracking_key"))


class Lines(msgspec.Struct):
    """Rows of one request, ready for the spool.

    Attributes:
        events: Encoded accepted rows.
        records: Encoded rows of other datasets, by dataset.
        rejects: What is refused, the protocol's refusals included, in order of position.
        withholds: Rejects must hold nothing personal.
    """

    events: list[bytes] = msgspec.field(default_factory=list)
    records: dict[str, list[bytes]] = msgspec.field(default_factory=dict)
    rejects: list[Reject] = msgspec.field(default_factory=list)
    withholds: bool = False


def build(reading: Reading, request: Request, *, protocol: str, collector_id: str, salts: Salts) -> Lines:
    """The rows of a reading."""
    lines = Lines(rejects=list(reading.rejects))
    if reading.records:
        _add_records(lines, reading, request, protocol=protocol, collector_id=collector_id)
    if reading.site is not None:
        _add_events(lines, reading, reading.site, request, protocol=protocol, collector_id=collector_id, salts=salts)
    if lines.rejects:
        lines.rejects.sort(key=lambda reject: reject.index)
    return lines


def _add_records(lines: Lines, reading: Reading, request: Request, *, protocol: str, collector_id: str) -> None:
    lineage = {
        "protocol": protocol,
        "received_at": to_us(request.received_at),
        "request_id": request.request_id,
        "collector_id": collector_id,
    }
    for record in reading.records:
        row = record.columns | lineage | {"request_index": record.index}
        encoded = _encode({name: value for name, value in row.items() if value is not None})
        lines.records.setdefault(record.dataset, []).append(encoded)


def _add_events(  # noqa: PLR0913  (each is a column)
    lines: Lines,
    reading: Reading,
    plan: SitePlan,
    request: Request,
    *,
    protocol: str,
    collector_id: str,
    salts: Salts,
) -> None:
    gpc = reading.gpc or request.headers.get("sec-gpc") == "1"
    dnt = reading.dnt or request.headers.get("dnt") == "1"
    dropped = (gpc and plan.gpc == "drop" and Reason.GPC_DROP) or (dnt and plan.dnt == "drop" and Reason.DNT_DROP)
    lines.withholds = bool(dropped)
    if dropped:
        lines.rejects = [Reject(each.index, dropped, "", None) for each in reading.candidates]
        return
    received_us = to_us(request.received_at)
    wishes = (gpc and plan.gpc == "cookieless") or (dnt and plan.dnt == "cookieless")
    builder = _Builder(reading, plan, request, received_us, withholds_ids=wishes, salts=salts)
    constant = {
        "site_id": plan.site_id,
        "protocol": protocol,
        "protocol_version": _fit_version(reading.version, []),
        "tracking_key": _fit_tracking_key(reading.tracking_key, []),
        "received_at": received_us,
        "sent_at": reading.sent_us,
        "gpc": True if gpc else None,
        "request_id": request.request_id,
        "collector_id": collector_id,
    }
    common = _encode({name: value for name, value in constant.items() if value is not None})[:-1] + b","
    lines.withholds = wishes
    for candidate in reading.candidates:
        row = builder.row(candidate, protocol)
        if isinstance(row, Reject):
            lines.rejects.append(row)
        else:
            lines.events.append(common + _encode(row)[1:])


class _Builder:
    """What the events of one request share, worked out once."""

    def __init__(  # noqa: PLR0913  (what the events of a request have in common)
        self,
        reading: Reading,
        plan: SitePlan,
        request: Request,
        received_us: int,
        *,
        withholds_ids: bool,
        salts: Salts,
    ) -> None:
        self._reading = reading
        self._plan = plan
        self._received_at = request.received_at
        self._replay_of = request.replay_of
        self._received_us = received_us
        self._withholds_ids = withholds_ids
        self._is_hashed = withholds_ids or (self._plan.visitor == "cookieless" and not reading.from_server)
        self._salts = salts
        self._visitors: dict[tuple[str | None, str | None, str], str] = {}
        self._shared_warnings = list(reading.warnings)
        self._shared: dict[str, Any] = {}
        if reading.user_agent:
            reading.shared.setdefault("user_agent", reading.user_agent)
        _fit_into(self._shared, reading.shared, self._shared_warnings)
        self._address = kept_address(reading.address, self._plan.ip)

    def row(self, candidate: Candidate, protocol: str) -> dict[str, Any] | Reject:
        """The part of an event's row that is not constant over the request, or why there is none."""
        reading, plan, columns, index = self._reading, self._plan, candidate.columns, candidate.index
        client_us, sent_us = candidate.client_time_us, candidate.sent_us
        occurred_us, flag = occurred(
            self._received_us,
            event_us=client_us,
            sent_us=reading.sent_us if sent_us is None else sent_us,
            queued_us=candidate.queued_us,
            skew_tolerated_us=reading.skew_tolerated_us,
            is_true=candidate.has_true_time,
        )
        if reading.is_import:
            flag = "imported"
        elif self._received_us - occurred_us > plan.age_us_max:
            return Reject(index, Reason.EVENT_TOO_OLD, "it is older than the site takes", candidate.original)
        warnings = self._shared_warnings + candidate.warnings
        address = _sent_address(columns, warnings) if "ip" in columns else None
        row = self._fitted(candidate, warnings)
        original = _encode_original(candidate.original)
        content = original if candidate.content is None else _encode_original(candidate.content)
        refused = self._refusal(row, warnings, len(original))
        if refused is not None:
            return Reject(index, *refused, candidate.original)
        row.setdefault("event_type", "event")
        row.setdefault("is_interaction", True)
        row["event_id"] = candidate.event_id or self._event_id(index, protocol, row.get("client_event_id"))
        row["request_index"] = index
        row["occurred_at"] = occurred_us
        row["time_flag"] = flag
        if client_us is not None:
            row["client_time"] = client_us
        if sent_us is not None:
            row["sent_at"] = sent_us
        row["content_hash"] = _signed_crc(content)
        kept = self._address
        if address is not None or candidate.masks_address:
            kept = self._kept_address(candidate, address)
        if kept is not None:
            row["ip"] = kept
        if not self._identify(row, address, occurred_us) and plan.keeps_raw:
            row["raw"] = original
        if warnings:
            row["warnings"] = warnings[:WARNINGS_MAX]
        return row

    def _kept_address(self, candidate: Candidate, address: str | None) -> str | None:
        """What is kept of the address that the candidate names, else of the request's."""
        if candidate.masks_address and self._plan.ip == "full":
            return kept_address(address or self._reading.address, "truncate")
        return self._address if address is None else kept_address(address, self._plan.ip)

    def _fitted(self, candidate: Candidate, warnings: list[str]) -> dict[str, Any]:
        """The values of the shared columns and the candidate's own, as their columns hold them."""
        columns = candidate.columns
        if candidate.impersonal is not None and self._is_hashed:
            columns = columns | candidate.impersonal
        row = self._shared.copy()
        _fit_into(row, columns, warnings)
        return row

    def _event_id(self, index: int, protocol: str, client_id: str | None) -> str:
        if client_id is None and self._replay_of is not None:  # sending a reject twice must give one event
            return derived_id("replay", self._replay_of, str(index))
        return event_id(self._plan.site_id, protocol, client_id)

    def _refusal(self, row: dict[str, Any], warnings: list[str], original_chars: int) -> tuple[Reason, str] | None:
        """Why an event is refused although it could be read."""
        if self._reading.is_strict:
            invalid = next((each for each in warnings if each.startswith("invalid:")), None)
            if invalid is not None:
                return Reason.INVALID_FIELD, invalid.removeprefix("invalid:")
        if self._plan.hosts and "page_url" in row and not _is_counted(_origin(row["page_url"]), self._plan.hosts):
            return Reason.HOST_NOT_COUNTED, "the page's host is not counted"
        if original_chars > EVENT_CHARS_MAX:
            return Reason.EVENT_TOO_LARGE, f"{original_chars} characters"
        return None

    def _identify(self, row: dict[str, Any], address: str | None, occurred_us: int) -> bool:
        """Set the visitor; returns whether an id that the client sent is withheld, and so must be raw."""
        withheld = False
        if self._withholds_ids:
            names = (*_IDENTIFYING, "props") if row["event_type"] in _ABOUT_A_PERSON else _IDENTIFYING
            for name in names:
                withheld = row.pop(name, None) is not None or withheld
        sent = row.pop("visitor_id", None)
        if sent is not None and not self._is_hashed:
            row["visitor_id"] = sent
            row.setdefault("visitor_id_kind", "client")
            return withheld
        if row.get("visitor_id_kind") == "none":
            return withheld or sent is not None
        visitor_id = self._hash(address or self._reading.address, row.get("user_agent"), occurred_us)
        row["visitor_id_kind"] = "none" if visitor_id is None else "hashed"
        if visitor_id is not None:
            row["visitor_id"] = visitor_id
        return withheld or sent is not None

    def _hash(self, address: str | None, user_agent: str | None, occurred_us: int) -> str | None:
        """The cookieless id; None when nothing tells the visitor apart, as in an event of a server about itself."""
        if address is None and user_agent is None:
            return None
        day = f"{local_date(from_us(occurred_us), self._plan.zone):%Y-%m-%d}" if self._reading.is_import else ""
        key = (address, user_agent, day)
        visitor_id = self._visitors.get(key)
        if visitor_id is None:
            visitor_id = self._visitors[key] = hashed_visitor(
                self._salt(), site_id=self._plan.site_id, address=address, user_agent=user_agent, day=day
            )
        return visitor_id

    def _salt(self) -> bytes:
        if self._reading.is_import:
            return self._salts.named(IMPORT_SALT)
        return self._salts.of_date(local_date(self._received_at, self._plan.zone))


def _fit_into(row: dict[str, Any], columns: dict[str, Any], warnings: list[str]) -> None:
    """Set what the columns hold of the values."""
    for name, value in columns.items():
        # Nearly every value is text that fits, and to see that here is quicker than to call somebody who does.
        if type(value) is str and value and "\0" not in value and len(value) <= _text_length(name, 0):
            row[name] = value
        elif value is not None:
            fitted = FITTERS[name](value, warnings)
            if fitted is not None:
                row[name] = fitted


def _sent_address(columns: dict[str, Any], warnings: list[str]) -> str | None:
    """Take the address that the client names out of the columns: of it is kept what the site's policy keeps."""
    address = columns.pop("ip", None)
    if address is None or (isinstance(address, str) and parse_address(address) is not None):
        return address
    warn(warnings, "invalid", "ip")
    return None


def _encode_original(original: object) -> str:
    return _fit_original(original, []) or "null"


def _signed_crc(text: str) -> int:
    """CRC32 as the signed number that a column of 32 bits holds."""
    checksum = zlib.crc32(text.encode())
    return checksum - (checksum >> 31 << 32)


def _origin(url: str) -> str:
    """What precedes the third slash: the host ends there at the latest, and it repeats from event to event."""
    end = url.find("/", len("https://")) if url.startswith(("https://", "http://")) else -1
    return url if end < 0 else url[:end]


@functools.lru_cache(maxsize=4_096)
def _is_counted(origin: str, hosts: frozenset[str]) -> bool:
    """The page is on a counted host, or its address names none."""
    try:
        host = urlsplit(origin).hostname
    except ValueError:
        return True
    return host is None or host.rstrip(".") in hosts


def _path_as_sent(request: Request, plan: SitePlan | None) -> str:
    """With the site that the path names where there is none: once there is, the request can be sent again."""
    is_unknown = plan is None and request.site_id is not None
    return f"/s/{request.site_id}{request.path}" if is_unknown else request.path


def repeatable_parts(reading: Reading, rejects: list[Reject]) -> list[object]:
    """What is kept of each refused event: a body that could be sent again, while that does not multiply its size."""
    parts = [reject.part for reject in rejects]
    if not parts or len(json_text(reading.enclose(None))) * len(parts) > WIRE_BYTES_MAX:
        return parts
    return [reading.enclose(part) for part in parts]


_KEPT_HEADERS = (
    "host",
    "user-agent",
    "content-type",
    "content-encoding",
    "origin",
    "referer",
    "accept-language",
    "sec-gpc",
    "dnt",
)
"""Headers that explain a reject. No cookie, no secret, no address among them."""


def reject_line(  # noqa: PLR0913  (each is a column)
    request: Request,
    *,
    reject: Reject,
    part: object,
    protocol: str,
    collector_id: str,
    plan: SitePlan | None,
    tracking_key: str | None,
    withholds: bool,
) -> bytes:
    """The encoded row of one reject; `part` is what is kept of the body."""
    row: dict[str, Any] = {
        "reject_id": reject.reject_id or event_id("", "", None),
        "received_at": to_us(request.received_at),
        "protocol": protocol,
        "site_id": None if plan is None else plan.site_id,
        "tracking_key": FITTERS["tracking_key"](tracking_key, []),
        "reason": reject.reason,
        "request_id": request.request_id,
        "request_index": reject.index,
        "collector_id": collector_id,
    }
    if not withholds:
        body = part if isinstance(part, bytes) else json_text(part).encode()
        headers = {name: value for name in _KEPT_HEADERS if (value := request.headers.get(name))}
        row |= {
            "detail": reject.detail.replace("\0", "")[:2_048],
            "method": request.method[:16],
            "path": _path_as_sent(request, plan).replace("\0", "")[:2_048],
            "query": kept_form(request.query).replace("\0", "")[:16_384],
            "headers": FITTERS["props"](headers, []),
            "body": base64.b64encode(body[:REJECT_BODY_BYTES_MAX]).decode(),
            "body_bytes": len(body),
            "ip": kept_address(request.address, "truncate" if plan is None or plan.ip == "full" else plan.ip),
        }
    return _encode({name: value for name, value in row.items() if value is not None})
