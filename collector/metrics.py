"""What /metrics tells, summed over the worker processes by files that they share.

Requests only note what happened; the background adds the notes up. Prometheus' counters share one lock, and threads
that wait for it while others wait for the interpreter cost more than all the counting.

Prometheus decides at import whether counters live in shared files: `PROMETHEUS_MULTIPROC_DIR` must be set before
this module is imported (`collector.serve` does so). Without it, counters are those of this process.
"""

import calendar
import contextlib
import os
import time
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import prometheus_client
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from collector.spool import list_segments

MULTIPROCESS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE: Final = prometheus_client.CONTENT_TYPE_LATEST
_NOTES_MAX = 4_096
"""So many notes are added up by whoever makes the next one, should the background be late."""

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

_Note = TypeVar("_Note")


class Metrics:
    """The counters of one process.

    Args:
        spool_folder: Measured when the metrics are read.
    """

    def __init__(self, spool_folder: Path) -> None:
        self._spool_folder = spool_folder
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = prometheus_client.Counter(
            "tidemill_requests", "Requests answered.", ["endpoint", "status"], registry=registry
        )
        self._accepted = prometheus_client.Counter(
            "tidemill_events_accepted", "Events acknowledged.", ["site"], registry=registry
        )
        self._rejected = prometheus_client.Counter(
            "tidemill_events_rejected", "Events and requests refused and kept.", ["site", "reason"], registry=registry
        )
        self._unavailable = prometheus_client.Counter(
            "tidemill_unavailable", "Requests answered 503.", ["reason"], registry=registry
        )
        self._shipped = prometheus_client.Counter(
            "tidemill_objects", "Objects sent to the landing zone.", ["outcome"], registry=registry
        )
        self._shipped.labels("stored")
        self._request_seconds = _Histogram(
            "tidemill_request_seconds", "Time from receipt to answer.", buckets=_SECONDS, registry=registry
        )
        self._sync_seconds = _Histogram(
            "tidemill_fsync_seconds", "Time of one sync of the spool.", buckets=_SECONDS, registry=registry
        )
        self._counts: deque[tuple[prometheus_client.Counter, tuple[str, ...], int]] = deque()
        self._requested: deque[tuple[str, int, float]] = deque()
        self._synced: deque[float] = deque()
        self.reserve_room()

    def count_request(self, endpoint: str, status: int, seconds: float) -> None:
        """A request was answered after so many seconds."""
        self._requested.append((endpoint, status, seconds))
        if len(self._requested) >= _NOTES_MAX:
            self.add_up()

    def count_accepted(self, site_id: str, events: int) -> None:
        """Events were acknowledged."""
        self._count(self._accepted, (site_id,), events)

    def count_rejected(self, site_id: str, reason: str, rejects: int) -> None:
        """Events were refused; `site_id` is empty when unknown."""
        self._count(self._rejected, (site_id, reason), rejects)

    def count_unavailable(self, reason: str) -> None:
        """A request was answered 503."""
        self._count(self._unavailable, (reason,), 1)

    def count_shipped(self, outcome: str) -> None:
        """An object was "stored" in the landing zone, or "failed" to be."""
        self._count(self._shipped, (outcome,), 1)

    def observe_sync(self, seconds: float) -> None:
        """A sync of the spool took so many seconds."""
        self._synced.append(seconds)

    def add_up(self) -> None:
        """Bring the notes into the counters; any thread may."""
        requests = _taken(self._requested)
        for (endpoint, status), number in Counter([request[:2] for request in requests]).items():
            self._requests.labels(endpoint, str(status)).inc(number)
        self._request_seconds.observe_all([seconds for _, _, seconds in requests])
        self._sync_seconds.observe_all(_taken(self._synced))
        for (counter, labels, number), times in Counter(_taken(self._counts)).items():
            counter.labels(*labels).inc(number * times)

    def reserve_room(self) -> None:
        """Give this process's shared files their room on the disk, as far as there is some.

        They are sparse and mapped: on a full disk the first touch of a page without room would kill the process.
        """
        for path in Path(os.environ.get(MULTIPROCESS_VARIABLE, os.devnull)).glob(f"*_{os.getpid()}.db"):
            with contextlib.suppress(OSError), path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)

    def expose(self) -> bytes:
        """All metrics in Prometheus' text format; other processes' last second may be missing."""
        self.add_up()
        registry = self._registry
        if os.environ.get(MULTIPROCESS_VARIABLE):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        spool = CollectorRegistry()
        spool.register(_SpoolState(self._spool_folder))
        return prometheus_client.generate_latest(registry) + prometheus_client.generate_latest(spool)

    def _count(self, counter: prometheus_client.Counter, labels: tuple[str, ...], number: int) -> None:
        self._counts.append((counter, labels, number))
        if len(self._counts) >= _NOTES_MAX:
            self.add_up()


class _Histogram(prometheus_client.Histogram):
    """A histogram that takes many values for the price of one: what costs is to reach a bucket, not to add to it."""

    def observe_all(self, values: Sequence[float]) -> None:
        """As `observe` of each."""
        if not values:
            return
        self._sum.inc(sum(values))
        ordered, before = sorted(values), 0
        for bucket, bound in zip(self._buckets, self._upper_bounds, strict=True):
            until = bisect_right(ordered, bound)
            if until > before:
                bucket.inc(until - before)
            before = until


def _taken(notes: deque[_Note]) -> list[_Note]:
    """Each note once, whichever threads take them."""
    taken: list[_Note] = []
    with contextlib.suppress(IndexError):
        while True:
            taken.append(notes.popleft())
    return taken


class _SpoolState(Collector):
    """Read from the folder at each scrape, so it is right whichever process answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        segments = list_segments(self._folder)
        yield GaugeMetricFamily(
            "tidemill_spool_bytes",
            "Bytes that wait to be shipped.",
            value=sum(size_bytes for _, size_bytes in segments),
        )
        yield GaugeMetricFamily("tidemill_spool_segments", "Segments that wait to be shipped.", value=len(segments))
        yield GaugeMetricFamily(
            "tidemill_oldest_unshipped_seconds",
            "Age of the oldest record that waits to be shipped; 0 without one.",
            value=max(0.0, time.time() - _opened_at_s(segments[0][0])) if segments else 0.0,
        )


def _opened_at_s(path: Path) -> float:
    """When a segment was opened, by its name."""
    try:
        return float(calendar.timegm(time.strptime(path.name.partition("-")[0], "%Y%m%dT%H%M%S")))
    except ValueError:
        return time.time()
