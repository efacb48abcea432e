"""The spool: what makes an acknowledged event durable before anything else can fail.

One `Spool` per process appends records to its own active segment. One thread writes and syncs whatever was queued
meanwhile as a group and then goes on with the requests of it (`collector.pending`): no request holds a thread while
it waits, and none has to be woken. The active segment is held under an exclusive `flock`; sealing is closing it.
Whoever gets the lock of another segment may ship it (`collector.ship`).
"""

import contextlib
import errno
import fcntl
import itertools
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from collector.pending import Pending, wait_for
from collector.segment import SUFFIX, SegmentHeader, hour_of, opening, record

log = structlog.get_logger(__name__)

_SYNC_PERIOD_S = 0.001
"""No sync begins sooner after the one before. A fast disk would otherwise sync for one or two requests at a time,
and syncing costs more of the processor than reading an event. A request that comes alone never waits for it."""

_AHEAD_BYTES_MIN, _AHEAD_BYTES_MAX = 65_536, 1_048_576
"""Zeros that are written ahead of the records: about as many as the segment has already, within these bounds. A sync
that finds a file grown writes the file system's journal too, which costs more than the data."""

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


class _Waiting(Pending):
    """Somebody waits for records to be durable.

    Attributes:
        hour: UTC hour of the rows; None asks for the active segment to be sealed.
        data: Whole records.
    """

    __slots__ = ("data", "hour")

    def __init__(self, queued: "queue.SimpleQueue[_Waiting]", hour: datetime | None, data: bytes) -> None:
        super().__init__(queued.put)
        self.hour = hour
        self.data = data
        self.failure = SpoolUnavailable("disk_failed", "the spool was not written")


@dataclass(slots=True)
class _Active:
    """The segment being written: `durable_bytes` of it are synced, from there to `file_bytes` it may hold zeros."""

    path: Path
    descriptor: int
    hour: datetime
    opened_monotonic_s: float
    opening_bytes: int
    durable_bytes: int
    file_bytes: int


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
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._active: _Active | None = None
        self._number = 0
        self._used_bytes = 0
        threading.Thread(target=self._run, name="spool", daemon=True).start()

    async def append(self, received_at: datetime, rows: dict[str, bytes]) -> None:
        """Make rows durable; ends once a power cut could no longer lose them.

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
        await _Waiting(self._queue, hour_of(received_at), data)

    def seal(self) -> None:
        """Close the active segment, so that it can be shipped; nothing happens without one."""

        async def wait() -> None:
            await _Waiting(self._queue, None, b"")

        wait_for(wait())

    def is_due(self) -> bool:
        """The active segment should be sealed: its hour is over, or it is old enough.

        While others of ours wait to be shipped, the store is away or the shipper busy: age alone would only cut the
        wait into many small segments.
        """
        active = self._active
        if active is None:
            return False
        if hour_of(self._clock()) != active.hour:
            return True
        is_old = time.monotonic() - active.opened_monotonic_s >= self.limits.segment_max_seconds
        return is_old and not any(
            self.writer_id in path.name and path != active.path for path, _ in list_segments(self.folder)
        )

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

    def _run(self) -> None:
        """Write and sync group after group."""
        next_s = 0.0
        while True:
            group = [self._queue.get()]
            wait_s = next_s - time.monotonic()
            if wait_s > 0:  # sleeping for no time would still pass the interpreter on
                time.sleep(wait_s)
            next_s = time.monotonic() + _SYNC_PERIOD_S
            with contextlib.suppress(queue.Empty):
                while True:
                    group.append(self._queue.get_nowait())
            for hour, run in itertools.groupby(group, key=lambda waiting: waiting.hour):
                self._write(hour, list(run))
            for waiting in group:
                try:
                    waiting.settle()
                except Exception:
                    log.exception("a request failed in an unforeseen way after its events were kept")

    def _write(self, hour: datetime | None, run: list[_Waiting]) -> None:
        """Make the records of one hour durable; where that fails, it fails all of them and no others."""
        try:
            failure = self._commit(hour, b"".join([each.data for each in run]))
        except Exception:
            log.exception("the spool failed in an unforeseen way; nothing of the group was acknowledged")
            return
        for each in run:
            each.failure = failure

    def _commit(self, hour: datetime | None, data: bytes) -> SpoolUnavailable | None:
        """Write and sync, or seal without an hour; returns why that was not possible."""
        if hour is None:
            self._close()
            return None
        try:
            active = self._segment_of(hour)
            _write_at(active, data)
            started_s = time.perf_counter()
            os.fdatasync(active.descriptor)
            self._observe_sync_s(time.perf_counter() - started_s)
        except OSError as error:
            self._retreat()
            return _disk_failure(error)
        except BaseException:
            self._retreat()  # what was written is unknown, and later cuts go by what is known
            raise
        active.durable_bytes += len(data)
        self._used_bytes += len(data)
        if active.durable_bytes >= self.limits.segment_max_bytes:
            self._close()
        return None

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
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
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
        return _Active(path, descriptor, hour, time.monotonic(), len(header), len(header), len(header))

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
            with contextlib.suppress(OSError):  # readers pass over zeros
                os.ftruncate(active.descriptor, active.durable_bytes)
        os.close(active.descriptor)


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


def _write_at(active: _Active, data: bytes) -> None:
    """Write records behind those that are durable, and zeros ahead of the next ones where there are none left."""
    end = active.durable_bytes + len(data)
    _write_all(active.descriptor, data, active.durable_bytes)
    if end <= active.file_bytes:
        return
    active.file_bytes = end
    if len(data) > _AHEAD_BYTES_MIN:  # to write so much twice would cost more than the journal
        return
    ahead_bytes = min(max(end, _AHEAD_BYTES_MIN), _AHEAD_BYTES_MAX)
    try:
        _write_all(active.descriptor, bytes(ahead_bytes), end)
        active.file_bytes += ahead_bytes
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:  # the records themselves found room
            raise


def _write_all(descriptor: int, data: bytes, offset: int = 0) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _disk_failure(error: OSError) -> SpoolUnavailable:
    return SpoolUnavailable("disk_failed", f"writing the spool: {error.strerror}: free or repair its disk")
