"""Replaying recorded requests and rejects through the application's own code.

Each line of a file is {received_at, method, path, query, headers, body_base64, remote_addr}; the request is handled
as if it had arrived then and from there. A reject is handled likewise, but by the sites file as it is now.
"""

import base64
import binascii
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from collector.intake import RETRY_AFTER_S, Delivery, Response
from collector.runtime import Collector, utc_now
from collector.settings import CollectorSettings
from landing.store import Store

_SHIP_EVERY_REQUESTS = 1_000
_SHIP_AT_END_S = 600.0
_ATTEMPTS_MAX = 60


class _Recorded(msgspec.Struct):
    """One line of the file."""

    received_at: datetime
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body_base64: str = ""
    remote_addr: str = ""


@dataclass(slots=True)
class ReplayReport:
    """What became of the requests of a file.

    Attributes:
        requests: Lines that are requests.
        accepted: Events kept.
        rejected: Events and requests refused, and kept as rejects.
        statuses: Requests by HTTP status.
        invalid_lines: Numbers of lines that are no recorded request, from 1.
        is_shipped: Everything is in the landing zone; otherwise the rest waits in the spool.
    """

    requests: int = 0
    accepted: int = 0
    rejected: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    invalid_lines: list[int] = field(default_factory=list)
    is_shipped: bool = True


class ReplayStopped(Exception):
    """The spool takes no more; the message says why and how far the replay came."""


def replay_file(
    path: Path,
    settings: CollectorSettings,
    *,
    clock: Callable[[], datetime] = utc_now,
    store: Store | None = None,
) -> ReplayReport:
    """Send every request of a file through the collector and ship what was accepted.

    Args:
        path: JSON lines.
        settings: The collector's.
        clock: Now, UTC; segments are named after it.
        store: The landing zone; opened from the settings unless given.

    Raises:
        SitesFileInvalid: the sites file cannot be used.
        ReplayStopped: the spool is full and stays so.
        OSError: the file cannot be read.
    """
    collector = Collector(settings, clock=clock, store=store)
    report = ReplayReport()
    statuses: Counter[int] = Counter()
    for response in _send_all(collector, _read(path, report)):
        report.requests += 1
        report.accepted += 0 if response is None else response.accepted
        report.rejected += 0 if response is None else response.rejected
        statuses[404 if response is None else response.answer.status] += 1
    report.statuses = dict(sorted(statuses.items()))
    report.is_shipped = collector.close(_SHIP_AT_END_S)
    return report


def replay_rejects(
    deliveries: Iterable[Delivery],
    settings: CollectorSettings,
    *,
    clock: Callable[[], datetime] = utc_now,
    store: Store | None = None,
) -> Iterator[Response | None]:
    """Send what was refused once more; each delivery names its reject as `replay_of`.

    Args:
        deliveries: Made of rejects.
        settings: The collector's.
        clock: Now, UTC; segments are named after it.
        store: The landing zone; opened from the settings unless given.

    Yields:
        For each delivery what became of it, durable when it is yielded; None when no protocol owns its path any
        more. What is refused again leaves nothing but the old reject.

    Raises:
        SitesFileInvalid: the sites file cannot be used.
        ReplayStopped: the spool is full and stays so.
    """
    collector = Collector(settings, clock=clock, store=store)
    try:
        yield from _send_all(collector, deliveries)
    finally:
        collector.close(_SHIP_AT_END_S)


def _send_all(collector: Collector, deliveries: Iterable[Delivery]) -> Iterator[Response | None]:
    """The responses, in order; what is accepted is shipped on the way."""
    for number, delivery in enumerate(deliveries, start=1):
        yield _send(collector, delivery, number)
        if number % _SHIP_EVERY_REQUESTS == 0:
            collector.shipper.ship_sealed()


def _read(path: Path, report: ReplayReport) -> Iterator[Delivery]:
    """The requests of a file; lines that are none are noted in the report."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            delivery = _delivery(line) if line.strip() else None
            if delivery is not None:
                yield delivery
            elif line.strip():
                report.invalid_lines.append(number)


def _delivery(line: bytes) -> Delivery | None:
    """The request of a line; None when it is none."""
    try:
        recorded = msgspec.json.decode(line, type=_Recorded)
        body = base64.b64decode(recorded.body_base64, validate=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error):
        return None
    if recorded.received_at.tzinfo is None:
        return None
    return Delivery(
        method=recorded.method.upper(),
        path=recorded.path,
        query=recorded.query,
        headers={name.lower(): value for name, value in recorded.headers.items()},
        body=body,
        received_at=recorded.received_at.astimezone(UTC),
        peer=recorded.remote_addr,
    )


def _send(collector: Collector, delivery: Delivery, number: int) -> Response | None:
    """The response; None when no protocol owns the path. While the spool is full, ship and try again."""
    for _ in range(_ATTEMPTS_MAX):
        response = collector.intake.take(delivery)
        if response is None or response.answer.status != 503:  # noqa: PLR2004  (Service Unavailable)
            return response
        collector.spool.seal()
        if not collector.shipper.ship_sealed():
            time.sleep(RETRY_AFTER_S)
        collector.spool.measure()
    raise ReplayStopped(
        f"request {number} and what follows was not replayed: the spool is full, is the store reachable?"
    )
