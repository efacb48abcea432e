"""The spool: what makes an acknowledged event durable before anything else can fail.

One `Spool` per process appends records to its own active segment. Waiting requests commit as a group: the
first becomes the leader, writes and syncs everything that is queued, hands leadership to the first request
that queued meanwhile, and only then wakes its followers. The active segment is held under an exclusive
`flock`; sealing is closing it. Whoever gets the lock of another segment may ship it (`collector.ship`).
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collector.segment import SUFFIX, SegmentHeader, hour_of, opening, record

_UNFINISHED = ".new-"
"""Prefix of a segment that has no header yet; nobody looks at it before it gets its real name."""
_UNFINISHED_AGE_S = 60.0


class SpoolUnavailable(Exception):
    """Nothing was made durable; the client must try again later. `reason` is a metric label and an answer's reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLimits:
    """When to refuse and when to seal; the meanings are those of `CollectorSettings`."""

    limit_bytes: int
    segment_max_bytes: int
    segment_max_seconds: float


class _Waiting:
    """A request that waits for its records to be durable.

    Attributes:
        hour: UTC hour of its rows; None asks for the active segment to be sealed.
        data: Whole records.
        gate: Held until the request is done or becomes the leader.
        leads: It was woken to lead the next group.
        is_done: Its records are durable, or the segment is sealed.
        failure: Why its records are not durable.
    """

    __slots__ = ("data", "failure", "gate", "hour", "is_done", "leads")

    def __init__(self, hour: datetime | None, data: bytes) -> None:
        self.hour = hour
        self.data = data
        self.gate = threading.Lock()
        self.gate.acquire()
        self.leads = False
        self.is_done = False
        self.failure = SpoolUnavailable("disk_failed", "the spool was not written")


@dataclass(slots=True)
class _Active:
    """The segment being written: `durable_bytes` of it are synced, `number` is its position among this writer's."""

    path: Path
    descriptor: int
    hour: datetime
    opened_monotonic_s: float
    opening_bytes: int
    durable_bytes: int


class Spool:
    """Appends rows durably. Safe for many threads; several processes may share the folder.

    Args:
        folder: Where segments are kept; made if missing.
        writer_id: This process; part of every segment's id.
        limits: When to refuse and when to seal.
        clock: Now, UTC.
        observe_sync_s: Told how long each sync took.
    """

    def __init__(
        self,
        folder: Path,
        *,
        writer_id: str,
        limits: SpoolLimits,
        clock: Callable[[], datetime],
        observe_sync_s: Callable[[float], None] = lambda _: None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.writer_id = writer_id
        self.limits = limits
        self._clock = clock
        self._observe_sync_s = observe_sync_s
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._is_led = False
        self._active: _Active | None = None
        self._number = 0
        self._used_bytes = 0
        self.on_seal: Callable[[], None] = lambda: None
        """Called after a segment was sealed; the shipper wakes."""

    def append(self, received_at: datetime, rows: dict[str, bytes]) -> None:
        """Make rows durable; returns once a power cut could no longer lose them.

        Args:
            received_at: When all of them were received.
            rows: Newline-delimited JSON by dataset.

        Raises:
            SpoolUnavailable: the disk is full or failing, or the spool is over its limit; nothing is acknowledged.
        """
        data = b"".join([record(dataset, lines) for dataset, lines in rows.items() if lines])
        if self._used_bytes + len(data) > self.limits.limit_bytes:
            raise SpoolUnavailable(
                "spool_full", f"{self._used_bytes} bytes wait to be shipped: is the store reachable?"
            )
        self._commit(_Waiting(hour_of(received_at), data))

    def seal(self) -> None:
        """Close the active segment, so that it can be shipped; nothing happens without one."""
        self._commit(_Waiting(None, b""))

    def is_due(self) -> bool:
        """The active segment is old enough to be sealed, or its hour is over."""
        active = self._active
        return active is not None and (
            time.monotonic() - active.opened_monotonic_s >= self.limits.segment_max_seconds
            or hour_of(self._clock()) != active.hour
        )

    def is_hour_over(self) -> bool:
        """The active segment belongs to an hour that is over."""
        active = self._active
        return active is not None and hour_of(self._clock()) != active.hour

    def measure(self) -> int:
        """Bytes of all segments in the folder, whoever wrote them; `append` refuses by this number."""
        total = sum(size_bytes for _, size_bytes in list_segments(self.folder))
        self._used_bytes = total
        return total

    def probe(self) -> None:
        """Write and sync a small file where segments go.

        Raises:
            SpoolUnavailable: it cannot be done, or the spool is over its limit.
        """
        if self.measure() > self.limits.limit_bytes:
            raise SpoolUnavailable("spool_full", "the spool is over its limit: is the store reachable?")
        path = self.folder / f"{_UNFINISHED}probe-{os.getpid()}-{threading.get_ident()}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _write_all(descriptor, bytes(4_096))
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
                path.unlink()
        except OSError as error:
            raise _disk_failure(error) from error

    def _commit(self, waiting: _Waiting) -> None:
        with self._lock:
            self._queue.append(waiting)
            leads = not self._is_led
            self._is_led = True
        if not leads:
            waiting.gate.acquire()
            leads = waiting.leads
        if leads:
            self._lead(waiting)
        if not waiting.is_done:  # also when the leader failed in a way nobody foresaw
            raise waiting.failure

    def _lead(self, leader: _Waiting) -> None:
        """Write and sync everything queued, pass leadership on, wake the followers."""
        with self._lock:
            group, self._queue = self._queue, []
        try:
            self._write(group)
        finally:
            with self._lock:
                successor = self._queue[0] if self._queue else None
                self._is_led = successor is not None
            if successor is not None:
                successor.leads = True
                successor.gate.release()
            for each in group:
                if each is not leader:
                    each.gate.release()

    def _write(self, group: list[_Waiting]) -> None:
        """Write the group in runs of one hour; a run that fails fails all its requests and no others."""
        run: list[_Waiting] = []
        for each in group:
            if run and each.hour != run[0].hour:
                self._write_run(run)
                run = []
            run.append(each)
        self._write_run(run)

    def _write_run(self, run: list[_Waiting]) -> None:
        hour = run[0].hour
        if hour is None:
            self._close()
            for each in run:
                each.is_done = True
            return
        try:
            active = self._segment_of(hour)
            data = b"".join([each.data for each in run])
            _write_all(active.descriptor, data)
            started_s = time.perf_counter()
            os.fdatasync(active.descriptor)
            self._observe_sync_s(time.perf_counter() - started_s)
        except OSError as error:
            failure = _disk_failure(error)
            for each in run:
                each.failure = failure
            self._retreat()
            return
        except BaseException:
            self._retreat()  # what was written is unknown, and later cuts go by what is known
            raise
        active.durable_bytes += len(data)
        self._used_bytes += len(data)
        for each in run:
            each.is_done = True
        if active.durable_bytes >= self.limits.segment_max_bytes:
            self._close()

    def _segment_of(self, hour: datetime) -> _Active:
        if self._active is not None and self._active.hour != hour:
            self._close()
        if self._active is None:
            self._active = self._open(hour)
        return self._active

    def _open(self, hour: datetime) -> _Active:
        """A new segment, locked before it gets the name under which others would look at it."""
        opened_at = self._clock()
        segment_id = f"{opened_at:%Y%m%dT%H%M%S}-{self.writer_id}-{self._number:06d}"
        header = opening(SegmentHeader(segment_id, self.writer_id, self._number, hour, opened_at))
        unfinished, path = self.folder / f"{_UNFINISHED}{segment_id}", self.folder / f"{segment_id}{SUFFIX}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_all(descriptor, header)
            unfinished.rename(path)
            sync_folder(self.folder)
        except OSError:
            for leftover in (unfinished, path):
                with contextlib.suppress(OSError):
                    leftover.unlink()
            os.close(descriptor)
            raise
        return _Active(path, descriptor, hour, time.monotonic(), len(header), len(header))

    def _retreat(self) -> None:
        """After a failed write or sync: cut the segment back to what is durable and never write to it again.

        The kernel may have dropped the pages of a failed sync, so only a new file can be trusted. Where even
        cutting fails, readers find a torn tail or records that nobody was told about: both are harmless.
        """
        if self._active is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._active.descriptor, self._active.durable_bytes)
        self._close()

    def _close(self) -> None:
        """Seal the active segment; one without records is removed and its number used again."""
        active, self._active = self._active, None
        if active is None:
            return
        if active.durable_bytes == active.opening_bytes:
            with contextlib.suppress(OSError):
                active.path.unlink()
        else:
            self._number += 1
        os.close(active.descriptor)
        self.on_seal()


def list_segments(folder: Path) -> list[tuple[Path, int]]:
    """Segments in order of age, with their sizes in bytes."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX):
                with contextlib.suppress(FileNotFoundError):  # shipped since the folder was read
                    found.append((Path(entry.path), entry.stat().st_size))
    return sorted(found)


def remove_unfinished(folder: Path) -> None:
    """Remove what crashed processes left before it became a segment."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _UNFINISHED_AGE_S:
                path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the entries of `folder` durable: a synced file can still lose its name in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _disk_failure(error: OSError) -> SpoolUnavailable:
    return SpoolUnavailable("disk_failed", f"writing the spool: {error.strerror}: free or repair its disk")
