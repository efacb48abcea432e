"""Reading requests that carry hits: each line becomes an event or a reject, of the site that it names."""

from collections.abc import Iterable, Mapping

from collector.identity import kept_address
from collector.limits import EVENTS_MAX, WIRE_BYTES_MAX
from collector.plans import SiteDirectory, SitePlan
from collector.protocols.measurement_protocol.hit import map_hit, terms_of
from collector.protocols.measurement_protocol.macros import Macros
from collector.protocols.measurement_protocol.payload import find_tid, kept_text, read_parameters, read_payloads
from collector.protocols.measurement_protocol.reasons import HitReason
from collector.protocols.measurement_protocol.validity import (
    GET_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
    QUEUE_TIME_MS_MAX,
    Circumstances,
    find_faults,
    is_uuid,
)
from collector.reading import Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Request
from collector.time import MILLISECOND_US

VERSION = "1"
BATCH_BYTES_MAX = 16_384
BATCH_LINES_MAX = 20

_SiteKey = tuple[str | None, str | None]


def read_one(request: Request, directory: SiteDirectory) -> Reading:
    """Read a request that takes one hit; further lines are refused."""
    lines = _Lines(request, directory)
    lines.read(lines.payloads.lines[:1])
    lines.refuse(1, HitReason.MULTIPLE_PAYLOADS, "this path takes one hit; /batch takes several")
    return lines.reading()


def read_batch(request: Request, directory: SiteDirectory) -> Reading:
    """Read `/batch`: up to 20 hits, one a line."""
    lines = _Lines(request, directory)
    size_bytes = lines.payloads.body_bytes
    if size_bytes > BATCH_BYTES_MAX:
        lines.refuse(0, HitReason.BATCH_TOO_LARGE, f"{size_bytes} bytes; a batch has at most {BATCH_BYTES_MAX}")
    else:
        lines.read(lines.payloads.lines[:BATCH_LINES_MAX])
        lines.refuse(BATCH_LINES_MAX, HitReason.BATCH_TOO_MANY_HITS, f"a batch has at most {BATCH_LINES_MAX} hits")
    return lines.reading()


class _Lines:
    """The lines of one request, sorted by the site that each names."""

    def __init__(self, request: Request, directory: SiteDirectory) -> None:
        self._request = request
        self._directory = directory
        self._user_agent = request.headers.get("user-agent")
        self._readings: dict[_SiteKey, Reading] = {}
        if len(request.body) > WIRE_BYTES_MAX:
            raise Refused(Reason.BODY_TOO_LARGE, 413, f"inflates to more than {WIRE_BYTES_MAX} bytes")
        self.payloads = read_payloads(request)
        if not self.payloads.lines:
            raise Refused(HitReason.PAYLOAD_EMPTY, 200, "neither body nor query", site_id=request.site_id)

    def read(self, lines: Iterable[bytes]) -> None:
        """Map lines, or refuse them."""
        for index, line in enumerate(lines):
            size_bytes, size_bytes_max = sizes_of(self._request, line)
            if size_bytes > size_bytes_max:
                detail = f"{size_bytes} bytes; at most {size_bytes_max} are taken"
                self._refuse(index, HitReason.HIT_TOO_LARGE, detail, line)
            else:
                self._read(index, line)

    def _read(self, index: int, line: bytes) -> None:
        parameters, warnings = read_parameters(line)
        tid = parameters.get("tid")
        site = find_site(self._request, self._directory, tid)
        reading = self._reading_of(site, tid)
        fault = next(find_faults(parameters, circumstances_of(self._request, site, tid)), None)
        if fault is not None:
            reading.rejects.append(Reject(index, fault.reason, fault.detail, self.payloads.part(line)))
        elif site is not None:
            candidate = map_hit(
                index,
                parameters,
                text=kept_text(line, parameters),
                warnings=warnings,
                terms=terms_of(site),
                macros=self._macros(parameters) if is_uuid(tid) else None,
            )
            reading.candidates.append(candidate)

    def refuse(self, first: int, reason: HitReason, detail: str) -> None:
        """Refuse the lines from `first` on, each alone while there are not too many of them."""
        lines = self.payloads.lines
        for index, line in enumerate(lines[first:EVENTS_MAX], start=first):
            self._refuse(index, reason, detail, line)
        rest = lines[EVENTS_MAX:]
        if rest:
            self._refuse(EVENTS_MAX, reason, f"{len(rest)} lines: {detail}", b"\n".join(rest))

    def _refuse(self, index: int, reason: HitReason, detail: str, line: bytes) -> None:
        tid = find_tid(line)
        reading = self._reading_of(find_site(self._request, self._directory, tid), tid)
        reading.rejects.append(Reject(index, reason, detail, self.payloads.part(line)))

    def reading(self) -> Reading:
        """All of it: of the first line's site, and of further ones."""
        first, *further = self._readings.values()
        first.further = tuple(further)
        return first

    def _reading_of(self, site: SitePlan | None, tid: str | None) -> Reading:
        key = (None if site is None else site.site_id, tid)
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = Reading(
                site=site,
                version=VERSION,
                tracking_key=tid,
                address=self._request.address,
                user_agent=self._user_agent,
                enclose=self._enclose,
            )
        return reading

    def _enclose(self, part: object) -> object:
        """The body that holds one refused line; where the query is the payload, there is none."""
        return self.payloads.part(part.encode()) if isinstance(part, str) else part

    def _macros(self, parameters: Mapping[str, str]) -> Macros:
        address = kept_address(parameters.get("uip") or self._request.address, "truncate")
        return Macros(parameters.get("ua") or self._user_agent or "", address or "", self._request.headers)


def find_site(request: Request, directory: SiteDirectory, tid: str | None) -> SitePlan | None:
    """The site of a hit: named by the request's path or host, else by the hit, else the default."""
    if request.site_id is not None:
        return directory.by_id(request.site_id)
    if tid is None:
        return directory.by_id(None)
    site = directory.named("measurement_protocol", tid)
    if site is None and is_uuid(tid):
        site = directory.named("measurement_protocol", tid.lower())
    return site


def sizes_of(request: Request, line: bytes) -> tuple[int, int]:
    """How many bytes a hit has, and may have: of path and query, or of its payload in the body."""
    if request.method == "POST":
        return len(line), PAYLOAD_BYTES_MAX
    return len(request.path.encode()) + 1 + len(line), GET_BYTES_MAX


def circumstances_of(request: Request, site: SitePlan | None, tid: str | None) -> Circumstances:
    """What the validity of a hit depends on besides its parameters."""
    return Circumstances(
        names_site=site is not None and (request.site_id is not None or tid is None),
        is_known=site is not None,
        queue_us_max=QUEUE_TIME_MS_MAX * MILLISECOND_US if site is None else site.queue_us_max,
    )
