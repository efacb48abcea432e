"""Spool segments full of made-up events, as a collector would have left them."""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from collector.intake import Delivery, Intake
from collector.metrics import Metrics
from collector.salts import Salts
from collector.segment import SUFFIX, SegmentHeader, hour_of, opening, record
from landing.sites import load_sites
from landing.store import MemoryStore
from tidemill.demo.traffic import take, visits, wire_request

SEED = 20_261_122
SEGMENT_ROWS = 5_000
"""About what the default size of a segment holds."""

SITES = Path(__file__).parent.parent / "sites.example.yml"
_SECRET = "demo-secret"
_UUID = re.compile(rb"\b([0-9a-f]{8}-[0-9a-f]{4}-)[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


class _Rows:
    """A sink that keeps the rows of events as lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    async def append(self, _received_at: datetime, rows: dict[str, bytes]) -> None:
        """Take what the collector would make durable."""
        self.lines += rows.get("events", b"").splitlines()


def event_lines(
    event_count: int, *, received_at: datetime, scratch: Path, days: int = 21, seed: int = SEED
) -> list[bytes]:
    """Rows of events, as the collector spools them: the demo's traffic through the collector's own code.

    Args:
        event_count: At least so many.
        received_at: When all of them were received.
        scratch: A folder for counters.
        days: Length of the time before `received_at` in which they happened.
        seed: The same gives the same visits.
    """
    sites = load_sites(SITES)
    rows = _Rows()
    store = MemoryStore()
    intake = Intake(
        sites=lambda: sites,
        sink=rows,
        salts=Salts(store, MemoryStore(), clock=lambda: received_at),
        metrics=Metrics(scratch),
        collector_id="benchmark",
    )
    for visit in take(visits(seed=seed, days=days, until=received_at), event_count=event_count):
        request = wire_request(visit, sent_at=received_at, secret=_SECRET)
        intake.take(
            Delivery(
                method="POST",
                path=request.path,
                query="",
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.body,
                received_at=received_at,
                peer="127.0.0.1",
            )
        )
    return rows.lines


def others(lines: Sequence[bytes], copy: int) -> Iterator[bytes]:
    """The same events happening to other visitors: every id is another, wherever a line repeats it."""

    def another(match: re.Match[bytes]) -> bytes:
        digits = blake2b(match[0], digest_size=10, key=b"%d" % copy).hexdigest()
        return match[1] + f"7{digits[1:4]}-a{digits[5:8]}-{digits[8:]}".encode()  # as old as it was, and as random

    for line in lines:
        yield _UUID.sub(another, line)


def write_segments(folder: Path, lines: Sequence[bytes], *, received_at: datetime, writer_id: str) -> None:
    """Write `lines` as sealed segments of one writer, as durable as a collector's before it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(lines), SEGMENT_ROWS)):
        segment_id = f"{received_at:%Y%m%dT%H%M%S}-{writer_id}-{number:06d}"
        header = SegmentHeader(segment_id, writer_id, number, hour_of(received_at), received_at)
        rows = b"\n".join(lines[start : start + SEGMENT_ROWS]) + b"\n"
        with (folder / f"{segment_id}{SUFFIX}").open("wb") as segment:
            segment.write(opening(header) + record("events", rows))
            os.fsync(segment.fileno())
