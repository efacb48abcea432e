"""What the next load takes: the objects that wait in the inbox, grouped into batches of bounded size."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

import pyarrow as pa
import structlog

from landing.errors import PoisonObject
from landing.keys import INBOX_PREFIX
from landing.store import ObjectInfo, Store
from orchestration import ledger
from orchestration.database import Connection
from orchestration.inbox import ReadObject, UnreadableObject, read_objects, typed_key
from orchestration.ledger import PlannedBatch, PlannedObject, Quarantined

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """How large a batch grows. Two batches are in memory at a time: one being copied, one being prepared.

    Attributes:
        batch_rows_max: Rows of a batch.
        batch_bytes_max: Size of a batch's rows in memory, before enrichment.
        batch_objects_max: Inbox objects of a batch; each costs a row of the ledger and of the archive's metadata.
    """

    batch_rows_max: int = 50_000
    batch_bytes_max: int = 48 * 2**20
    batch_objects_max: int = 2_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the inbox.

    Attributes:
        count: Objects that no batch has taken, or whose batch was not committed.
        size_bytes: Their total size.
        oldest: When the store received the oldest; None when nothing waits.
    """

    count: int
    size_bytes: int
    oldest: datetime | None


@dataclass(slots=True)
class ReadBatch:
    """Objects read and checked, in key order, that make one batch."""

    dataset: str
    day: date
    objects: list[ReadObject] = field(default_factory=list)
    rows: int = 0
    size_bytes: int = 0

    def takes(self, rows: int, size_bytes: int, limits: LoadLimits) -> bool:
        """Whether so much more fits. An empty batch takes anything: an object is never divided."""
        return not self.objects or (
            self.rows + rows <= limits.batch_rows_max
            and self.size_bytes + size_bytes <= limits.batch_bytes_max
            and len(self.objects) < limits.batch_objects_max
        )

    def add(self, read: ReadObject) -> None:
        """Take one more object."""
        self.objects.append(read)
        self.rows += read.table.num_rows
        self.size_bytes += read.table.nbytes

    def release(self) -> list[pa.Table]:
        """The rows of each object, which this batch then no longer keeps in memory."""
        tables = [each.table for each in self.objects]
        self.objects.clear()
        return tables


def waiting(store: Store, connection: Connection) -> Waiting:
    """What a load would take now: one listing and one query, no object is opened.

    Raises:
        StoreUnavailable: the store cannot be listed.
    """
    listed = list(store.list(INBOX_PREFIX))
    unseen = ledger.unseen_keys(connection, [info.key for info in listed], or_planned=True)
    found = [info for info in listed if info.key in unseen]
    return Waiting(
        count=len(found),
        size_bytes=sum(info.size_bytes for info in found),
        oldest=min((info.stored_at for info in found), default=None),
    )


def new_objects(store: Store, connection: Connection) -> list[ObjectInfo]:
    """Objects of the inbox that the ledger has not seen, in key order."""
    listed = list(store.list(INBOX_PREFIX))
    unseen = ledger.unseen_keys(connection, [info.key for info in listed])
    return [info for info in listed if info.key in unseen]


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans what is new in the inbox.

    Attributes:
        store: The landing zone.
        connection: Session that writes the plans.
        clock: The time of planning.
        limits: How large a batch grows.
        on_quarantine: Told of each object that cannot be used.
    """

    store: Store
    connection: Connection
    clock: Callable[[], datetime]
    limits: LoadLimits
    on_quarantine: Callable[[Quarantined], None]

    def new_batches(self) -> Iterator[tuple[PlannedBatch, ReadBatch]]:
        """Read what is new, oldest day first, and plan batch after batch; each plan is written before it is yielded.

        Objects that cannot be used are quarantined on the way, without a batch.

        Raises:
            StoreUnavailable: the store failed; what was planned stays planned.
        """
        placed, misplaced = _by_day(new_objects(self.store, self.connection))
        for poison in misplaced:
            self._quarantine(poison)
        for (day, dataset), infos in placed:
            for read in _bounded(self._usable(infos, dataset), dataset, day, self.limits):
                planned = [
                    PlannedObject(each.key, each.size_bytes, each.table.num_rows, each.origin) for each in read.objects
                ]
                batch = ledger.plan_batch(
                    self.connection, dataset=dataset, day=day, planned_at=self.clock(), objects=planned
                )
                yield batch, read

    def _usable(self, infos: list[ObjectInfo], dataset: str) -> Iterator[ReadObject]:
        """The objects that can be read; the others are quarantined, or passed over when they are simply gone."""
        for each in read_objects(self.store, infos):
            if isinstance(each, ReadObject):
                yield each
            elif each.is_missing:
                # Nobody but the purge deletes inbox objects, and only committed ones. The check of the writers'
                # segment numbers reports the hole; here there is nothing left to quarantine.
                _log.warning("inbox object vanished between listing and reading", key=each.key)
            else:
                self._quarantine(quarantined(each, dataset))

    def _quarantine(self, poison: Quarantined) -> None:
        ledger.quarantine(self.connection, poison, noticed_at=self.clock())
        self.on_quarantine(poison)


def _by_day(infos: Iterable[ObjectInfo]) -> tuple[list[tuple[tuple[date, str], list[ObjectInfo]]], list[Quarantined]]:
    """Objects grouped by (day, dataset) in that order, and those whose key places them nowhere."""
    placed: list[tuple[tuple[date, str], ObjectInfo]] = []
    misplaced = []
    for info in infos:
        try:
            key, dataset = typed_key(info.key)
            placed.append(((key.hour.date(), dataset.name), info))
        except PoisonObject as error:
            misplaced.append(Quarantined(info.key, "", info.size_bytes, str(error)))
    placed.sort()
    return [(group, [info for _, info in each]) for group, each in groupby(placed, key=lambda pair: pair[0])], misplaced


def quarantined(unreadable: UnreadableObject, dataset: str) -> Quarantined:
    """The ledger's entry for an object that cannot be used."""
    return Quarantined(unreadable.key, dataset, unreadable.size_bytes, unreadable.reason)


def _bounded(objects: Iterable[ReadObject], dataset: str, day: date, limits: LoadLimits) -> Iterator[ReadBatch]:
    """Objects of one dataset and day, cut where a limit is reached."""
    batch = ReadBatch(dataset, day)
    for read in objects:
        if not batch.takes(read.table.num_rows, read.table.nbytes, limits):
            yield batch
            batch = ReadBatch(dataset, day)
        batch.add(read)
    if batch.objects:
        yield batch
