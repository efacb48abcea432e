"""The rebuild: `raw` and the ledger made again from the archive, then what waits in the inbox loaded.

Everything downstream is dropped, so the next transform builds it from the first event on. An interrupted rebuild
leaves a mark that stops loads, transforms and purges; running it again starts from the archive once more.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow.compute as pc
import structlog
from psycopg import sql

from landing.codec import BatchOrigin
from landing.contract import APP_ROWS, DATASETS
from landing.errors import ObjectMissing, PoisonObject
from landing.keys import ARCHIVE_PREFIX, ArchiveKey
from landing.store import Store
from orchestration import ledger, raw_copy
from orchestration.app_tables import AppTables, file_rows, open_app_tables
from orchestration.archive import ArchivedBatch, ArchiveObject, read_object
from orchestration.counting import count_rows, was_late
from orchestration.database import Connection, connect, ensure_partition, partitions
from orchestration.errors import ArchiveDamaged, HistoryLoss
from orchestration.exclusion import exclusive_ledger, exclusive_models
from orchestration.ledger import PlannedBatch, PlannedObject
from orchestration.load import LoadReport, load_inbox
from orchestration.raw_copy import RawSession

_log = structlog.get_logger(__name__)

LOCK_WAIT_S: Final = 600.0
"""How long a rebuild waits for a running load or transform."""

_DATASETS: Final = {dataset.name: dataset for dataset in DATASETS}
_MODEL_SCHEMAS: Final = ("staging", "intermediate", "marts")
_FORGOTTEN: Final = (
    "app_loads",
    "load_counts",
    "load_objects",
    "load_batches",
    "transforms",
    "purged_days",
    "purged_raw_days",
    "begun_remaps",
    "remapped_batches",
)
"""Tables of `ops` that the archive restores or the next runs write. Closed days, requests and sites stay."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild did.

    Attributes:
        restored_batches: Batches restored from the archive.
        restored_rows: Their rows in `raw`.
        inbox: The load that followed.
        seconds: Wall time of both.
    """

    restored_batches: int
    restored_rows: int
    inbox: LoadReport
    seconds: float


def rebuild_raw(  # noqa: PLR0913  (what a rebuild touches, each by name)
    *,
    store: Store,
    database_url: str,
    clock: Callable[[], datetime],
    geoip_city_db: Path | None = None,
    sites_file: Path | None = None,
    allow_history_loss: bool = False,
    lock_wait_s: float = LOCK_WAIT_S,
) -> RebuildReport:
    """Drop raw rows, ledger and models; restore rows and ledger from the archive; load the inbox. Then transform.

    Restored batches keep their ids and what was late stays late, so that the marts come out as they were.

    Args:
        store: The landing zone.
        database_url: The warehouse, migrated.
        clock: The time of the run.
        geoip_city_db: For the inbox's rows; archived ones are enriched.
        sites_file: Declares the tables of schema `apps`; their rows stay, and what they lack is inserted.
        allow_history_loss: Go on although the archive lacks batches that the ledger knows.
        lock_wait_s: Seconds to wait for a load or transform.

    Raises:
        HistoryLoss: the archive lacks batches that were loaded; nothing was changed.
        ArchiveDamaged: an archive object cannot be restored. Repair or remove it and run the rebuild again.
        LedgerBusy: a load is running.
        ModelsBusy: a transform is running.
        StoreUnavailable: the store failed; run the rebuild again.
    """
    started = time.monotonic()
    with (
        connect(database_url) as connection,
        exclusive_models(connection, work="rebuild", wait_s=lock_wait_s),
        exclusive_ledger(connection, work="rebuild", wait_s=lock_wait_s),
    ):
        archived = _archived(store)
        if not allow_history_loss:
            _refuse_history_loss(store, connection, archived)
        rebuild_id = _forget(connection, clock())
        batches, rows = 0, 0
        tables = open_app_tables(connection, sites_file, clock=clock)
        with raw_copy.open_raw_session(database_url) as session:
            for batch in _effective_batches(store, archived):
                rows += _restore(connection, session, batch, tables)
                batches += 1
        connection.execute("update ops.rebuilds set finished_at = %s where finished_at is null", (clock(),))
        _log.info("raw restored from the archive", rebuild_id=rebuild_id, batches=batches, rows=rows)
    report = load_inbox(
        store=store, database_url=database_url, clock=clock, geoip_city_db=geoip_city_db, sites_file=sites_file
    )
    return RebuildReport(batches, rows, report, time.monotonic() - started)


def _archived(store: Store) -> list[ArchiveKey]:
    """The archive's objects, compacted ones first, then in the order in which their batches were loaded."""
    names = {dataset.name for dataset in DATASETS}
    keys = (ArchiveKey.parse(info.key) for info in store.list(ARCHIVE_PREFIX))
    known = [key for key in keys if key is not None and key.dataset in names]
    return sorted(known, key=lambda key: (not key.is_compacted, key.batch_id))


def _refuse_history_loss(store: Store, connection: Connection, archived: list[ArchiveKey]) -> None:
    """Raise HistoryLoss unless the archive holds every batch of the ledger, in whichever object."""
    rows = connection.execute(
        "select batch_id, archive_key, day from ops.load_batches where state = 'committed' and landed_rows > 0"
        " order by day"
    ).fetchall()
    keys = {str(key) for key in archived}
    missing = [(batch_id, day) for batch_id, key, day in rows if key not in keys]
    if missing:  # perhaps only from this ledger's sight: one restored from a backup knows no later compaction
        compacted = set(_compacted_batch_ids(store, archived))
        missing = [(batch_id, day) for batch_id, day in missing if batch_id not in compacted]
    if missing:
        raise HistoryLoss(
            f"the archive no longer holds {len(missing)} of {len(rows)} batches, received from {missing[0][1]} to"
            f" {missing[-1][1]}: a rebuild would lose them from the marts for good; allow history loss to accept that"
        )


def _compacted_batch_ids(store: Store, archived: list[ArchiveKey]) -> Iterator[str]:
    for key in archived:
        if key.is_compacted:
            yield from (origin.batch_id for origin in _read(store, key).origins)


def _forget(connection: Connection, now: datetime) -> int:
    """Drop what is going to be restored and everything made of it, and mark the rebuild as begun."""
    with connection.transaction():
        for schema in _MODEL_SCHEMAS:
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        for dataset in DATASETS:
            for table in partitions(connection, dataset.name).values():
                connection.execute(sql.SQL("drop table {}").format(sql.Identifier("raw", table)))
        tables = sql.SQL(", ").join(sql.Identifier("ops", name) for name in _FORGOTTEN)
        connection.execute(sql.SQL("truncate {}").format(tables))
        row = connection.execute(
            "insert into ops.rebuilds (started_at) values (%s) returning rebuild_id", (now,)
        ).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class _Restorable:
    """A batch and the object that it is restored from."""

    key: ArchiveKey
    size_bytes: int
    archived: ArchivedBatch


def _effective_batches(store: Store, keys: list[ArchiveKey]) -> Iterator[_Restorable]:
    """Each batch of the archive once: an object that a present compacted one stands for is passed over.

    A compaction that was cut off leaves both. The compacted object was complete before anything else was changed.
    """
    seen: set[str] = set()
    for key in keys:
        if not key.is_compacted and key.batch_id in seen:
            continue
        found = _read(store, key)
        for archived in found.batches():
            if archived.origin.batch_id in seen:
                raise ArchiveDamaged(f"{key}: another object holds batch {archived.origin.batch_id}, too")
            seen.add(archived.origin.batch_id)
            yield _Restorable(key, found.size_bytes, archived)


def _read(store: Store, key: ArchiveKey) -> ArchiveObject:
    try:
        return read_object(store, key, _DATASETS[key.dataset])
    except (ObjectMissing, PoisonObject) as error:
        raise ArchiveDamaged(f"{key} cannot be restored: {error}") from error


def _restore(connection: Connection, session: RawSession, found: _Restorable, tables: AppTables) -> int:
    """Restore one batch; returns the rows copied into `raw`."""
    dataset = _DATASETS[found.key.dataset]
    rows, origin = found.archived.rows, found.archived.origin
    batch = _batch_of(origin, found.key)
    with connection.transaction():
        ledger.write_plan(connection, batch)
    late = was_late(rows, dataset, origin.late_rows)
    document = raw_copy.commit_document(
        batch,
        counts=count_rows(rows, dataset, batch.day, late),
        archive_key=str(found.key),
        archive_bytes=found.size_bytes,
        committed_at=batch.planned_at,
    )
    loaded = rows.filter(pc.invert(late)) if origin.late_rows else rows
    if not session.write_commit({**document, "is_restored": True}):
        raise ArchiveDamaged(f"{found.key}: batch {batch.batch_id} is in the ledger already; run the rebuild again")
    if loaded.num_rows:
        ensure_partition(connection, batch.dataset, batch.day)
        session.copy(batch, dataset, loaded)
    if dataset == APP_ROWS:
        file_rows(session, tables, batch, loaded)
    session.commit()
    return int(loaded.num_rows)


def _batch_of(origin: BatchOrigin, key: ArchiveKey) -> PlannedBatch:
    objects = tuple(PlannedObject(each.key, each.size_bytes, each.rows, each.origin) for each in origin.objects)
    planned_at = datetime.fromisoformat(origin.planned_at)
    return PlannedBatch(origin.batch_id, key.dataset, key.day, planned_at, None, objects)
