"""The archive: every loaded batch as one sorted Parquet object, from which `raw` and the ledger can be restored."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from landing.codec import BatchObject, BatchOrigin, decode_batch, encode
from landing.contract import EVENTS, Dataset
from landing.errors import PoisonObject
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
    """An archive object in memory."""

    rows: pa.Table
    origin: BatchOrigin
    size_bytes: int


def read_batch(store: Store, key: ArchiveKey, dataset: Dataset) -> ArchivedBatch:
    """The rows of an archive object as they were loaded.

    Raises:
        ObjectMissing: there is no such object.
        PoisonObject: it is no object of this contract, or not the one that its key names.
        StoreUnavailable: the store failed.
    """
    data = store.get(str(key))
    rows, origin = decode_batch(data, loaded_schema(dataset))
    if origin.batch_id != key.batch_id:
        raise PoisonObject(f"holds batch {origin.batch_id}")
    if sum(each.rows for each in origin.objects) != rows.num_rows:
        raise PoisonObject(f"has {rows.num_rows} rows, its origin says otherwise")
    return ArchivedBatch(rows, origin, len(data))


def archived_rows(store: Store, key: str) -> int:
    """Rows of an archive object, by its footer.

    Raises:
        ObjectMissing: there is no such object.
        PoisonObject: it is no Parquet object.
        StoreUnavailable: the store failed.
    """
    try:
        return int(pq.read_metadata(pa.BufferReader(store.get(key))).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise PoisonObject(f"not a readable Parquet object: {error}") from error
