"""The compaction: the many small archive objects of a closed day become few large ones that say the same.

    read a few batches' objects → put one object of all their rows → read it back → note it in the ledger → delete those

The ledger decides which object a batch is in. Cut off before the note, both are there and the ledger means the small
ones; after it, the large one. A rebuild, which has no ledger, takes the large one and passes over what it stands for.
Either way the next compaction removes what is left over before it does anything else.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import groupby
from typing import Final

import pyarrow as pa
import structlog

from landing.codec import BatchOrigin, CompactedOrigin, encode
from landing.contract import DATASETS, Dataset
from landing.errors import ObjectMissing, PoisonObject
from landing.keys import ARCHIVE_PREFIX, ArchiveKey
from landing.schema import loaded_schema
from landing.store import Store
from orchestration.archive import archive_order, read_object
from orchestration.database import Connection
from orchestration.errors import ArchiveDamaged
from orchestration.exclusion import exclusive_ledger
from orchestration.rebuild_state import require_no_rebuild

_log = structlog.get_logger(__name__)

LOCK_WAIT_S: Final = 600.0
"""How long a compaction waits for a load, a purge or a rebuild."""

_DATASETS: Final = {dataset.name: dataset for dataset in DATASETS}

Place = tuple[str, date]
"""Dataset and UTC day of receipt: what is compacted together."""


@dataclass(frozen=True, slots=True)
class CompactionLimits:
    """How large an object grows, and how long a night's work.

    Attributes:
        rows_max: Rows of an object, one row group; compaction and rebuild have all of them in memory, some 0.3 GB.
        size_bytes_max: Size of the objects that become one.
        duration_s_max: No other object is begun after it. A load waits for one object at most.
    """

    rows_max: int = 65_536
    size_bytes_max: int = 16 * 2**20
    duration_s_max: float = 3600.0


@dataclass(frozen=True, slots=True)
class SmallObject:
    """An archive object of one batch, by the ledger."""

    batch_id: str
    rows: int
    size_bytes: int


@dataclass(slots=True)
class CompactionReport:
    """What a compaction did.

    Attributes:
        objects_before: Objects that it replaced.
        objects_after: Objects that it made of them.
        bytes_before: Size of the former.
        bytes_after: Size of the latter.
        leftovers: Objects removed that an earlier compaction had replaced.
        places: Datasets and days that were touched.
        kept: What it could not compact, and why.
        is_complete: False when time was up before everything was compacted.
        seconds: Wall time.
    """

    objects_before: int = 0
    objects_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    leftovers: int = 0
    places: set[Place] = field(default_factory=set)
    kept: list[str] = field(default_factory=list)
    is_complete: bool = True
    seconds: float = 0.0


def compact_archive(
    *, store: Store, connection: Connection, limits: CompactionLimits | None = None, lock_wait_s: float = LOCK_WAIT_S
) -> CompactionReport:
    """Compact every closed day that has something to compact, the newest first.

    Between two objects the ledger is let go, so that loads go on.

    Args:
        store: The landing zone.
        connection: Session on the warehouse.
        limits: How large an object grows, and how long to go on.
        lock_wait_s: Seconds to wait for a load, a purge or a rebuild.

    Raises:
        LedgerBusy: another one is still running; what was compacted stays so.
        RebuildUnfinished: the ledger is incomplete.
        StoreUnavailable: the store failed; the next compaction goes on.
    """
    started_s = time.monotonic()
    compaction = _Compaction(store, connection, limits or CompactionLimits(), lock_wait_s)
    for place, keys in sorted(_closed_places(store, connection).items(), key=lambda each: each[0][1], reverse=True):
        if not _may_be_compacted(keys):
            continue
        for step in compaction.steps(place):
            if time.monotonic() - started_s > compaction.limits.duration_s_max:
                compaction.report.is_complete = False
                break
            step()
    compaction.report.seconds = time.monotonic() - started_s
    return compaction.report


def grouped(objects: Sequence[SmallObject], limits: CompactionLimits) -> list[list[SmallObject]]:
    """Neighbours in the order of batch ids that become one object each; one that would stay alone is left out."""
    groups: list[list[SmallObject]] = [[]]
    for each in sorted(objects, key=lambda small: small.batch_id):
        rows = sum(other.rows for other in groups[-1])
        size_bytes = sum(other.size_bytes for other in groups[-1])
        if rows + each.rows > limits.rows_max or size_bytes + each.size_bytes > limits.size_bytes_max:
            groups.append([])
        groups[-1].append(each)
    return [group for group in groups if len(group) > 1]


@dataclass(slots=True)
class _Compaction:
    """One compaction: its steps hold the ledger one by one."""

    store: Store
    connection: Connection
    limits: CompactionLimits
    lock_wait_s: float
    report: CompactionReport = field(default_factory=CompactionReport)

    def steps(self, place: Place) -> Iterator[Callable[[], None]]:
        """What there is to do for a dataset and day; each step is taken before the next is asked for."""
        yield partial(self._exclusively, partial(self._remove_leftovers, place))
        for group in grouped(_small_objects(self.connection, place), self.limits):
            yield partial(self._exclusively, partial(self._compact, place, group))

    def _exclusively(self, act: Callable[[], None]) -> None:
        with exclusive_ledger(self.connection, work="compaction", wait_s=self.lock_wait_s):
            require_no_rebuild(self.connection)
            act()

    def _remove_leftovers(self, place: Place) -> None:
        removed = remove_leftovers(self.store, self.connection, place, keep=self._keep)
        self.report.leftovers += removed
        if removed:
            self.report.places.add(place)

    def _compact(self, place: Place, group: list[SmallObject]) -> None:
        """Make one object of a group; keep the group as it is when any of its objects is not what the ledger says."""
        dataset, (first, last) = _DATASETS[place[0]], (group[0].batch_id, group[-1].batch_id)
        old = [ArchiveKey(*place, each.batch_id) for each in group]
        try:
            rows, origin = self._read(dataset, old, group)
            key = ArchiveKey(*place, first, last)
            size_bytes = put_compacted(self.store, key, dataset, rows, origin)
        except (ObjectMissing, PoisonObject, ArchiveDamaged) as error:
            self._keep(f"{place[0]} of {place[1]}, batches {first} to {last}", str(error))
            return
        note_compacted(self.connection, key, old, size_bytes)
        for each in old:
            self.store.delete(str(each))
        self.report.objects_before += len(old)
        self.report.objects_after += 1
        self.report.bytes_before += sum(each.size_bytes for each in group)
        self.report.bytes_after += size_bytes
        self.report.places.add(place)
        _log.info("archive compacted", key=str(key), objects=len(old), rows=rows.num_rows, size_bytes=size_bytes)

    def _read(
        self, dataset: Dataset, keys: list[ArchiveKey], group: list[SmallObject]
    ) -> tuple[pa.Table, CompactedOrigin]:
        tables: list[pa.Table] = []
        origins: list[BatchOrigin] = []
        for key, small in zip(keys, group, strict=True):
            found = read_object(self.store, key, dataset)
            if found.rows.num_rows != small.rows:
                raise ArchiveDamaged(f"{key} has {found.rows.num_rows} rows, {small.rows} landed")
            tables.append(found.rows)
            origins.extend(found.origins)
        return archive_order(pa.concat_tables(tables), dataset), CompactedOrigin(origins)

    def _keep(self, subject: str, reason: str) -> None:
        _log.warning("archive not compacted", subject=subject, reason=reason)
        self.report.kept.append(f"{subject}: {reason}")


def remove_leftovers(store: Store, connection: Connection, place: Place, *, keep: Callable[[str, str], None]) -> int:
    """Delete objects all of whose batches are, by the ledger, in another object that is there; returns their number.

    Args:
        store: The landing zone.
        connection: Session that holds the ledger.
        place: Dataset and day to look at.
        keep: Told the key of an object that cannot be read and so stays, and why.
    """
    listed = {
        info.key: ArchiveKey.parse(info.key)
        for info in store.list(f"{ARCHIVE_PREFIX}{place[0]}/{place[1].isoformat()}/")
    }
    ledger = _archive_keys(connection, place)
    removed = 0
    for text, key in listed.items():
        if key is None or text in ledger.values():
            continue
        try:
            ids = _batch_ids(store, key)
        except PoisonObject as error:
            keep(text, str(error))
            continue
        if all(ledger.get(batch_id) in listed for batch_id in ids):
            store.delete(text)
            removed += 1
    return removed


def put_compacted(store: Store, key: ArchiveKey, dataset: Dataset, rows: pa.Table, origin: CompactedOrigin) -> int:
    """Store a compacted object and read it back; returns its length in bytes.

    Raises:
        ArchiveDamaged: what comes back is not what was put. The object is deleted, nothing else has changed.
        StoreUnavailable: the store failed; the object may or may not be there.
    """
    store.put(str(key), encode(rows, loaded_schema(dataset), origin))
    found = read_object(store, key, dataset)
    if not found.rows.equals(rows) or list(found.origins) != origin.batches:
        store.delete(str(key))
        raise ArchiveDamaged(f"{key} came back from the store with other rows")
    return found.size_bytes


def note_compacted(connection: Connection, key: ArchiveKey, old: Sequence[ArchiveKey], size_bytes: int) -> None:
    """Have the ledger name the compacted object for each batch of the old ones, for all of them or for none.

    Raises:
        ArchiveDamaged: the ledger names others by now, because this session had lost its lock; nothing was changed.
    """
    with connection.transaction():
        changed = connection.execute(
            "update ops.load_batches set archive_key = %s, archive_bytes = %s"
            " where archive_key = any(%s) and archive_deleted_at is null",
            (str(key), size_bytes, [str(each) for each in old]),
        ).rowcount
        if changed != len(old):
            raise ArchiveDamaged(f"the ledger names {changed} of the {len(old)} objects that {key} stands for")


def _closed_places(store: Store, connection: Connection) -> dict[Place, list[ArchiveKey]]:
    """The archive's objects by dataset and day, those of closed days."""
    closed = {day for (day,) in connection.execute("select day from ops.closed_days")}
    parsed = (ArchiveKey.parse(info.key) for info in store.list(ARCHIVE_PREFIX))
    keys = [key for key in parsed if key is not None and key.day in closed and key.dataset in _DATASETS]
    keys.sort()
    return {place: list(each) for place, each in groupby(keys, key=lambda key: (key.dataset, key.day))}


def _may_be_compacted(keys: list[ArchiveKey]) -> bool:
    """Whether a look at the ledger is worth it: several small objects, or one that a large one may stand for."""
    return len(keys) > 1 and not all(key.is_compacted for key in keys)


def _small_objects(connection: Connection, place: Place) -> list[SmallObject]:
    """The objects of one batch each."""
    rows = connection.execute(
        "select batch_id, archive_key, landed_rows, archive_bytes from ops.load_batches where state = 'committed'"
        " and dataset = %s and day = %s and landed_rows > 0 and archive_deleted_at is null order by batch_id",
        place,
    )
    return [
        SmallObject(batch_id, landed, size_bytes)
        for batch_id, key, landed, size_bytes in rows
        if key == str(ArchiveKey(*place, batch_id))
    ]


def _archive_keys(connection: Connection, place: Place) -> dict[str, str]:
    """The key of each committed batch's object."""
    rows = connection.execute(
        "select batch_id, archive_key from ops.load_batches where state = 'committed'"
        " and dataset = %s and day = %s and landed_rows > 0 and archive_deleted_at is null",
        place,
    )
    return dict(rows.fetchall())


def _batch_ids(store: Store, key: ArchiveKey) -> list[str]:
    """The batches that an object holds."""
    if not key.is_compacted:
        return [key.batch_id]
    return [origin.batch_id for origin in read_object(store, key, _DATASETS[key.dataset]).origins]
