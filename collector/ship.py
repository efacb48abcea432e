"""Shipping: sealed segments become objects of the landing zone.

A `Shipper` ships whatever segment it can lock, so the segments of a worker that died are adopted by the same code
that ships all others. A segment is deleted only after the store has confirmed every object made from it; shipping
it twice puts equal objects under equal keys.
"""

import contextlib
import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from collector.segment import SegmentUnreadable, read_segment
from collector.spool import list_segments, sync_folder
from landing.errors import StoreUnavailable
from landing.store import Store

log = structlog.get_logger(__name__)

DAMAGED_FOLDER = "damaged"
"""Folder below the spool for segments that cannot be shipped whole; a person must look at them."""

_TICK_S = 0.25
_BACKOFF_FIRST_S = 0.5
_BACKOFF_MAX_S = 30.0


class Backoff:
    """How long to leave a failing store alone: doubling from half a second to thirty, each shortened by chance."""

    def __init__(self) -> None:
        self._failures = 0
        self._until_s = 0.0

    def is_waiting(self) -> bool:
        """The store failed lately and is left alone for now."""
        return time.monotonic() < self._until_s

    def fail(self) -> float:
        """Note a failure; returns the seconds to wait."""
        wait_s = min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * 2.0**self._failures) * random.uniform(0.5, 1.0)
        self._failures = min(self._failures + 1, 16)
        self._until_s = time.monotonic() + wait_s
        return wait_s

    def succeed(self) -> None:
        """Note a success."""
        self._failures = 0
        self._until_s = 0.0


class Shipper:
    """Ships what is sealed.

    Args:
        folder: The spool's.
        store: The landing zone.
        count_shipped: Told "stored" or "failed" for each object.
    """

    def __init__(self, folder: Path, store: Store, *, count_shipped: Callable[[str], None] = lambda _: None) -> None:
        self._folder = folder
        self._store = store
        self._count_shipped = count_shipped
        self._backoff = Backoff()

    def run(self, stopping: threading.Event) -> None:
        """Ship until told to stop, leaving a failing store alone for a while."""
        while not stopping.wait(_TICK_S):
            try:
                if not self._backoff.is_waiting():
                    self.ship_sealed(stopping.is_set)
            except Exception:
                log.exception("shipping failed in an unforeseen way; it goes on")
                self._backoff.fail()

    def ship_rest(self, timeout_s: float) -> bool:
        """Ship what can be shipped, whatever the back-off; returns whether the spool is empty.

        After `timeout_s` no other segment is begun; what remains stays on disk and is adopted by the next collector.
        """
        deadline_s = time.monotonic() + timeout_s
        while self.ship_sealed(lambda: time.monotonic() >= deadline_s):
            pass  # until nothing more can be shipped: the store is away, or another shipper has the rest
        return not list_segments(self._folder)

    def ship_sealed(self, is_over: Callable[[], bool] = lambda: False) -> int:
        """Ship every segment whose lock is free; returns how many left the spool. Stops where the store fails.

        Args:
            is_over: Asked before each segment; once it says so, the rest is left.
        """
        shipped = 0
        for path, _ in list_segments(self._folder):
            if is_over():
                break
            with _lock(path) as is_ours:
                if is_ours and not self._ship(path):
                    break
                shipped += is_ours
        return shipped

    def _ship(self, path: Path) -> bool:
        """Ship one locked segment; returns whether it left the spool."""
        from collector.convert import Unconvertible, to_objects  # noqa: PLC0415  (workers must do without pyarrow)

        try:
            content = read_segment(path)
            objects = to_objects(content)
        except (SegmentUnreadable, Unconvertible) as error:
            log.exception("segment cannot be shipped; it was put aside", segment=path.name, error=str(error))
            _put_aside(path)
            return True
        try:
            for key, data in objects:
                self._store.put(str(key), data)
                self._count_shipped("stored")
        except StoreUnavailable as error:
            self._count_shipped("failed")
            wait_s = self._backoff.fail()
            log.warning(
                "store unavailable; the segment stays in the spool", error=str(error), retry_in_s=round(wait_s, 1)
            )
            return False
        self._backoff.succeed()
        if content.damaged_records:
            log.error(
                "segment lost records to a damaged disk; the rest was shipped and the segment put aside",
                segment=path.name,
                damaged_records=content.damaged_records,
            )
            _put_aside(path)
        else:
            path.unlink()
        return True


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Hold the segment's lock; False when its writer or another shipper holds it, or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield _is_still_there(path, descriptor)
    finally:
        os.close(descriptor)


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Another shipper may have finished with the segment between our opening and our locking it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _put_aside(path: Path) -> None:
    folder = path.parent / DAMAGED_FOLDER
    folder.mkdir(exist_ok=True)
    path.rename(folder / path.name)
    sync_folder(folder)
