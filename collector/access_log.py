"""Importing Apache and nginx access logs in combined format as page views.

A page view is a GET answered 2xx or 304 whose path does not end like an asset, a document to download or a feed.
Crawlers are kept; the load flags them by their user agent. The visitor is a hash of site, address, user agent and
the site-local date of the request, with a key that outlives the import: reading a log again gives the same rows,
and an event's id depends on its line alone (and on how many equal lines precede it), so nothing counts twice.
"""

import gzip
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from collector.identity import derived_id, kept_address
from collector.pending import wait_for
from collector.plans import SitePlan, parse_address
from collector.reading import Candidate, Reading
from collector.refusal import Reason, Reject
from collector.request import Request
from collector.runtime import Collector, utc_now
from collector.settings import CollectorSettings
from collector.time import to_us
from landing.store import Store

PROTOCOL = "access_log"

_IMAGES = {"png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp", "ico", "tif", "tiff"}
_CODE_AND_FONTS = {"css", "js", "mjs", "map", "xsl", "wasm", "woff", "woff2", "ttf", "otf", "eot", "webmanifest"}
_SOUND_AND_FILM = {"mp3", "mp4", "m4a", "m4v", "ogg", "ogv", "oga", "wav", "webm", "avi", "mov", "flv", "swf"}
_DOCUMENTS = {"pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "csv"}
_ARCHIVES_AND_PROGRAMS = {
    "zip",
    "gz",
    "tgz",
    "bz2",
    "xz",
    "7z",
    "rar",
    "tar",
    "jar",
    "war",
    "exe",
    "msi",
    "dmg",
    "deb",
    "rpm",
    "iso",
    "apk",
}
_FEEDS_AND_DATA = {"xml", "rss", "atom", "rdf", "json", "txt"}
ASSET_EXTENSIONS = frozenset(
    _IMAGES | _CODE_AND_FONTS | _SOUND_AND_FILM | _DOCUMENTS | _ARCHIVES_AND_PROGRAMS | _FEEDS_AND_DATA
)
"""Endings of paths that are no pages, in lower case. What has another ending or none is a page."""

LINE_BYTES_MAX = 65_536
"""Longer lines are rejected."""

_LINES_PER_APPEND = 1_000
_SHIP_AT_END_S = 600.0
_GZIP_MAGIC = b"\x1f\x8b"

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(
    rf"(\S+) \S+ (?:\S| (?!\[))+ \[([^\]]+)\] {_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED}(?: .*)?)?"
)
_TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_ESCAPE = re.compile(rb'\\(?:x([0-9A-Fa-f]{2})|(["\\]))')
_MONTHS = dict(
    zip(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), range(1, 13), strict=True)
)


@dataclass(slots=True)
class ImportReport:
    """What became of the lines of a log.

    Attributes:
        lines: Lines that are not empty.
        page_views: Lines kept as page views.
        skipped: Lines of other requests: assets, other methods, redirects, errors.
        rejected: Lines that are no combined log format, kept as rejects.
        is_shipped: Everything is in the landing zone; otherwise the rest waits in the spool.
    """

    lines: int = 0
    page_views: int = 0
    skipped: int = 0
    rejected: int = 0
    is_shipped: bool = True


class UnknownSite(Exception):
    """The sites file has no such site."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request of a log.

    Attributes:
        address: The client's.
        occurred_at: When it was answered, by the server's clock.
        method: In capitals.
        target: Path and query as requested, or a whole address.
        status: HTTP status.
        size_bytes: Of the body; None when the log does not say.
        referrer: As sent; None without one.
        user_agent: As sent; None without one.
    """

    address: str
    occurred_at: datetime
    method: str
    target: str
    status: int
    size_bytes: int | None
    referrer: str | None
    user_agent: str | None

    def is_page_view(self) -> bool:
        """A page was asked for and delivered."""
        is_delivered = 200 <= self.status < 300 or self.status == 304  # noqa: PLR2004  (HTTP statuses)
        return self.method == "GET" and is_delivered and not is_asset(self.target)


def is_asset(target: str) -> bool:
    """The path of a request ends like something that is no page."""
    name = target.partition("?")[0].partition("#")[0].rpartition("/")[2]
    return "." in name and name.rpartition(".")[2].lower() in ASSET_EXTENSIONS


def parse_line(line: str) -> LogEntry | None:
    """The request in a line of combined (or common) log format; None when it is none."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    address, moment, request, status, size, referrer, user_agent = match.groups()
    occurred_at = _parse_time(moment)
    method, _, rest = _unescape(request).partition(" ")
    target = rest.rpartition(" HTTP/")[0] or rest
    if occurred_at is None or not target:
        return None
    return LogEntry(
        address=address,
        occurred_at=occurred_at,
        method=method,
        target=target,
        status=int(status),
        size_bytes=None if size == "-" else int(size),
        referrer=_text(referrer),
        user_agent=_text(user_agent),
    )


def import_file(
    path: Path,
    site_id: str,
    settings: CollectorSettings,
    *,
    clock: Callable[[], datetime] = utc_now,
    store: Store | None = None,
) -> ImportReport:
    """Import a log, plain or gzip, and ship what was accepted.

    Args:
        path: The log.
        site_id: Whose log it is.
        settings: The collector's.
        clock: Now, UTC; `received_at` of the rows.
        store: The landing zone; opened from the settings unless given.

    Raises:
        SitesFileInvalid: the sites file cannot be used.
        UnknownSite: it has no such site.
        SpoolUnavailable: the spool is full or its disk failing; import the log again later, nothing counts twice.
        OSError: the file cannot be read, or is damaged gzip (then what precedes the damage is imported).
    """
    collector = Collector(settings, clock=clock, store=store)
    directory = collector.intake.directory()
    plan = directory.by_id(site_id)
    if plan is None:
        raise UnknownSite(f"site {site_id} is not in {settings.sites}")
    site = directory.sites.sites[site_id]
    base = (site.url or (f"https://{site.domains[0]}" if site.domains else "")).rstrip("/")
    report = ImportReport()
    seen: Counter[bytes] = Counter()
    with _open(path) as lines:
        numbered = (line.rstrip(b"\r\n") for line in _bounded_lines(lines))
        while chunk := list(itertools.islice(numbered, _LINES_PER_APPEND)):
            _import_lines([line for line in chunk if line.strip()], collector, plan, base, seen, report)
            collector.shipper.ship_sealed()
    report.is_shipped = collector.close(_SHIP_AT_END_S)
    return report


def _import_lines(  # noqa: PLR0913, PLR0917  (the state of one import)
    lines: list[bytes], collector: Collector, plan: SitePlan, base: str, seen: Counter[bytes], report: ImportReport
) -> None:
    reading = Reading(site=plan, is_import=True)
    for index, line in enumerate(lines):
        digest = blake2b(line, digest_size=16).digest()
        identity = derived_id(plan.site_id, PROTOCOL, digest.hex(), str(seen[digest]))
        seen[digest] += 1
        text = line.decode("utf-8", "replace")
        entry = parse_line(text) if len(line) <= LINE_BYTES_MAX else None
        kept_line = _without_address(text, plan.ip)
        if entry is None:
            part = kept_line.encode()
            reading.rejects.append(Reject(index, Reason.INVALID_LOG_LINE, "no combined log format", part, identity))
        elif entry.is_page_view():
            reading.candidates.append(_candidate(index, entry, base, kept_line, identity))
        else:
            report.skipped += 1
    request = Request(
        method="GET",
        path="",
        query="",
        headers={},
        body=b"",
        received_at=collector.clock(),
        address=None,
        site_id=plan.site_id,
        request_id=collector.intake.new_request_id(),
    )
    outcome = wait_for(collector.intake.keep(reading, request, PROTOCOL))
    report.lines += len(lines)
    report.page_views += outcome.accepted
    report.rejected += len(outcome.rejects)


def _candidate(index: int, entry: LogEntry, base: str, line: str, identity: str) -> Candidate:
    is_whole_address = bool(urlsplit(entry.target).scheme)
    columns: dict[str, object] = {
        "event_type": "page_view",
        "event_name": "page_view",
        "is_interaction": True,
        "page_url": entry.target if is_whole_address else base + entry.target,
        "page_referrer": entry.referrer,
        "http_status": entry.status,
        "user_agent": entry.user_agent,
        "props": None if entry.size_bytes is None else {"response_bytes": entry.size_bytes},
    }
    if parse_address(entry.address) is not None:  # some servers log names of hosts
        columns["ip"] = entry.address
    return Candidate(index, columns, to_us(entry.occurred_at), {"line": line}, event_id=identity)


def _without_address(line: str, policy: str) -> str:
    """The line with what may be kept of its address."""
    address, space, rest = line.partition(" ")
    if parse_address(address) is None:
        return line
    return f"{kept_address(address, policy) or '-'}{space}{rest}"


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast("BinaryIO", gzip.open(path)) if is_gzip else path.open("rb")


def _bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of the file; of one beyond the limit no more than shows that it is."""
    while line := file.readline(LINE_BYTES_MAX + 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LINE_BYTES_MAX)
        yield line


def _parse_time(text: str) -> datetime | None:
    match = _TIME.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    day, _, year, hour, minute, second, sign, offset_hours, offset_minutes = match.groups()
    offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(int(year), _MONTHS[match[2]], int(day), int(hour), int(minute), int(second), tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(logged: str | None) -> str | None:
    """A quoted field; the log writes - for none."""
    return None if logged in {None, "-", ""} else _unescape(str(logged))


def _unescape(logged: str) -> str:
    """Undo what servers do to quotes, backslashes and control characters."""
    if "\\" not in logged:
        return logged
    plain = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]) if match[1] else match[2], logged.encode())
    return plain.decode("utf-8", "replace")
