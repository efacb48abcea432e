"""The archive: sorted Parquet objects of loaded batches, from which `raw` and the ledger can be restored.

A load makes one object a batch; `orchestration.compaction` makes few of the many of a day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from landing.codec import BatchObject, BatchOrigin, decode_batch, decode_compacted, encode
from landing.contract import EVENTS, Dataset
from landing.errors import ObjectMissing, PoisonObject
from landing.keys import ArchiveKey
from landing.schema import loaded_schema
from landing.store import Store
from orchestration.ledger import PlannedBatch

_EVENT_ORDER: Final = [("site_id", "ascending"), ("visitor_id", "ascending"), ("occurred_at", "ascending")]


def archive_key(batch: PlannedBatch) -> ArchiveKey:
    """The key of the object that keeps `batch`."""
    return ArchiveKey(batch.dataset, batch.day, batch.batch_id)


def archive_order(table: pa.Table, dataset: Dataset) -> pa.Table:
    """Rows in the order of the archive, in one chunk.

    A visitor's events side by side compress to a third of their size in order of arrival, and let a reader of one
    site or visitor skip row groups; `raw` gets the same order for the same reason.
    """
    order = _EVENT_ORDER if dataset == EVENTS else [(dataset.owner, "ascending"), ("received_at", "ascending")]
    # The segment's row makes the order of equal times that of arrival, and the object's bytes the same each time.
    ties = [("segment_id", "ascending"), ("segment_row", "ascending")]
    return table.sort_by(order + ties).combine_chunks()


def batch_origin(batch: PlannedBatch, late_rows: int) -> BatchOrigin:
    """What the archive object says about where its rows come from."""
    return BatchOrigin(
        batch_id=batch.batch_id,
        planned_at=batch.planned_at.isoformat(),
        late_rows=late_rows,
        objects=[BatchObject(each.key, each.size_bytes, each.rows, each.origin) for each in batch.objects],
    )


def put_batch(store: Store, batch: PlannedBatch, dataset: Dataset, table: pa.Table, late_rows: int) -> int:
    """Store the batch's rows at their key, replacing what an interrupted load stored there.

    Returns:
        The object's length in bytes.

    Raises:
        StoreUnavailable: the store failed; the object may or may not be there.
    """
    data = encode(table, loaded_schema(dataset), batch_origin(batch, late_rows))
    store.put(str(archive_key(batch)), data)
    return len(data)


@dataclass(frozen=True, slots=True)
class ArchivedBatch:
    """A batch as its archive object keeps it, its rows in the order in which they were loaded."""

    rows: pa.Table
    origin: BatchOrigin


@dataclass(frozen=True, slots=True)
class ArchiveObject:
    """An archive object in memory.

    Attributes:
        rows: All of them, in archive order.
        origins: Of its batches, in the order of their ids.
        size_bytes: Length of the object.
    """

    rows: pa.Table
    origins: tuple[BatchOrigin, ...]
    size_bytes: int

    def batches(self) -> Iterator[ArchivedBatch]:
        """Each batch by itself, in the order of their ids."""
        position = pa.array(range(self.rows.num_rows), pa.int64())
        by_batch = pa.table({"batch_id": self.rows["batch_id"], "position": position})
        order = [("batch_id", "ascending"), ("position", "ascending")]
        divided, start = self.rows.take(pc.sort_indices(by_batch, sort_keys=order)), 0
        for origin in self.origins:
            count = origin_rows(origin)
            yield ArchivedBatch(divided.slice(start, count), origin)
            start += count


def read_object(store: Store, key: ArchiveKey, dataset: Dataset) -> ArchiveObject:
    """An archive object, plain or compacted.

    Raises:
        ObjectMissing: there is no such object.
        PoisonObject: it is no object of this contract, or not the one that its key names.
        StoreUnavailable: the store failed.
    """
    data = store.get(str(key))
    if key.is_compacted:
        rows, compacted = decode_compacted(data, loaded_schema(dataset))
        origins = compacted.batches
    else:
        rows, origin = decode_batch(data, loaded_schema(dataset))
        origins = [origin]
    ids = [each.batch_id for each in origins]
    if ids != sorted(set(ids)) or (key.batch_id, key.last_batch_id or key.batch_id) != (ids[0], ids[-1]):
        raise PoisonObject(f"holds batches {ids[0]} to {ids[-1]}")
    promised = {each.batch_id: origin_rows(each) for each in origins}
    found = _rows_by_batch(rows)
    if {batch_id: count for batch_id, count in promised.items() if count} != found:
        raise PoisonObject(f"has {rows.num_rows} rows, its origin says otherwise")
    return ArchiveObject(rows, tuple(origins), len(data))


def archived_rows(store: Store, key: str) -> dict[str, int]:
    """Rows of an archive object by their batch.

    Raises:
        ObjectMissing: there is no such object.
        PoisonObject: it is no Parquet object of batches.
        StoreUnavailable: the store failed.
    """
    try:
        return _rows_by_batch(pq.read_table(pa.BufferReader(store.get(key)), columns=["batch_id"]))
    except (pa.ArrowException, OSError, KeyError) as error:
        raise PoisonObject(f"not a readable Parquet object: {error}") from error


def origin_rows(origin: BatchOrigin) -> int:
    """Rows of a batch, as its plan counted them."""
    return sum(each.rows for each in origin.objects)


def archive_doubts(store: Store, batches: Iterable[tuple[str, str, int]]) -> Iterator[tuple[str, str]]:
    """Why the archive could not replace batches: an object is missing, damaged, or has other rows than landed.

    Args:
        store: The landing zone.
        batches: Id, archive key and landed rows of each; those of one object side by side, so that it is read once.

    Yields:
        Id of the batch, and what is wrong with its object.
    """
    for key, grouped in groupby(batches, key=lambda batch: batch[1]):
        landed = {batch_id: rows for batch_id, _, rows in grouped}
        try:
            found = archived_rows(store, key)
        except ObjectMissing:
            yield from ((batch_id, f"archive object {key} is missing") for batch_id in landed)
        except PoisonObject as error:
            yield from ((batch_id, f"archive object {key} is damaged: {error}") for batch_id in landed)
        else:
            for batch_id, rows in landed.items():
                if found.get(batch_id, 0) != rows:
                    yield batch_id, f"archive object {key} has {found.get(batch_id, 0)} rows of it, {rows} landed"


def _rows_by_batch(rows: pa.Table) -> dict[str, int]:
    counted = pc.value_counts(rows["batch_id"])
    return {each["values"]: each["counts"] for each in counted.to_pylist()}
