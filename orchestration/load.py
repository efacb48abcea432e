"""The load: what waits in the inbox goes to the archive and to `raw`, batch by batch, each exactly once.

    read → plan → enrich → archive → copy and commit

The plan is written before anything is stored. A crash anywhere later leaves a planned batch, which the next load
executes first, with the same rows under the same id: its archive object is replaced by an equal one, and its rows
appear only together with the ledger's commit.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from landing.contract import APP_ROWS, DATASETS, Dataset
from landing.store import ObjectInfo, Store
from orchestration import archive, counting, ledger, plan, raw_copy
from orchestration.app_tables import AppTables, file_rows, open_app_tables
from orchestration.database import Connection, connect, ensure_partition
from orchestration.enrich import Places, enrich, open_places
from orchestration.errors import BatchRefused
from orchestration.exclusion import exclusive_ledger
from orchestration.inbox import ReadObject, read_objects
from orchestration.ledger import PlannedBatch, Quarantined
from orchestration.plan import LoadLimits
from orchestration.raw_copy import RawSession
from orchestration.rebuild_state import require_no_rebuild

_log = structlog.get_logger(__name__)

LOCK_WAIT_S: Final = 60.0
"""How long a load waits for another one before it gives up."""

_DATASETS: Final = {dataset.name: dataset for dataset in DATASETS}


@dataclass(slots=True)
class LoadReport:
    """What one load did.

    Attributes:
        batch_ids: Batches committed, in order.
        repeated_batch_ids: Those of them that an earlier load had planned and not committed.
        objects: Inbox objects of these batches.
        size_bytes: Their size.
        archive_bytes: Size of the archive objects written.
        landed_rows: Rows of these objects by dataset.
        loaded_rows: Rows copied into `raw`, by dataset.
        late_rows: Rows archived and counted but not copied, by dataset.
        quarantined: Objects kept out, with their reasons.
        days: UTC days on which rows were received.
        seconds: Wall time.
    """

    batch_ids: list[str] = field(default_factory=list)
    repeated_batch_ids: list[str] = field(default_factory=list)
    objects: int = 0
    size_bytes: int = 0
    archive_bytes: int = 0
    landed_rows: dict[str, int] = field(default_factory=dict)
    loaded_rows: dict[str, int] = field(default_factory=dict)
    late_rows: dict[str, int] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch that is archived and only has to be copied and committed.

    Attributes:
        plan: Its plan.
        dataset: What its rows are.
        rows: Those to copy, in archive order; late ones left out.
        document: What the ledger's commit needs.
        is_repeated: An earlier load had planned it.
    """

    plan: PlannedBatch
    dataset: Dataset
    rows: pa.Table
    document: dict[str, Any]
    is_repeated: bool


def load_inbox(  # noqa: PLR0913  (what a load touches, each by name)
    *,
    store: Store,
    database_url: str,
    clock: Callable[[], datetime],
    geoip_city_db: Path | None = None,
    sites_file: Path | None = None,
    limits: LoadLimits | None = None,
    lock_wait_s: float = LOCK_WAIT_S,
) -> LoadReport:
    """Load everything that waits in the inbox.

    Args:
        store: The landing zone.
        database_url: The warehouse, migrated.
        clock: The time of planning and committing.
        geoip_city_db: A City database for places; None leaves them unknown.
        sites_file: Declares the tables of schema `apps`; None leaves them as they are.
        limits: How large a batch grows.
        lock_wait_s: Seconds to wait for another load, purge or rebuild.

    Raises:
        LedgerBusy: another one is still running.
        RebuildUnfinished: the ledger is incomplete.
        StoreUnavailable: the store failed. Committed batches stay; the next load executes the planned one again.
        EnrichmentUnusable: the City database cannot be read.
    """
    started = time.monotonic()
    with (
        connect(database_url) as connection,
        exclusive_ledger(connection, work="load", wait_s=lock_wait_s),
        open_places(geoip_city_db) as places,
        raw_copy.open_raw_session(database_url) as session,
    ):
        require_no_rebuild(connection)
        tables = open_app_tables(connection, sites_file, clock=clock)
        report = _Loader(store, connection, session, places, clock, limits or LoadLimits(), tables).run()
    report.seconds = time.monotonic() - started
    return report


@dataclass(slots=True)
class _Loader:
    """One load: prepares the next batch in a thread while the current one is copied.

    The thread owns `connection`, the caller's thread owns `session`; both spend their time in C code or waiting, so
    two cores are used. At most two batches are in memory.
    """

    store: Store
    connection: Connection
    session: RawSession
    places: Places
    clock: Callable[[], datetime]
    limits: LoadLimits
    tables: AppTables
    report: LoadReport = field(default_factory=LoadReport)

    def run(self) -> LoadReport:
        """Execute what was left planned, then what is new."""
        prepared = self._prepared()
        with ThreadPoolExecutor(1, thread_name_prefix="prepare") as pool:
            following: Future[PreparedBatch | None] = pool.submit(next, prepared, None)
            while (batch := following.result()) is not None:
                following = pool.submit(next, prepared, None)
                self._finish(batch, following)
        return self.report

    def _prepared(self) -> Iterator[PreparedBatch]:
        for batch in ledger.unfinished_batches(self.connection):
            yield self._repeat(batch)
        planner = plan.Planner(self.store, self.connection, self.clock, self.limits, self._noticed)
        for batch, read in planner.new_batches():
            yield self._prepare(batch, read.release(), is_repeated=False)

    def _repeat(self, batch: PlannedBatch) -> PreparedBatch:
        """Read the objects of an interrupted batch again; what has become unusable since then is quarantined."""
        infos = [ObjectInfo(each.key, each.size_bytes, batch.planned_at) for each in batch.objects]
        tables = []
        for each in read_objects(self.store, infos):
            if isinstance(each, ReadObject):
                tables.append(each.table)
            else:
                self._quarantine(plan.quarantined(each, batch.dataset))
        usable = ledger.planned_objects(self.connection, batch.batch_id)
        return self._prepare(ledger.with_objects(batch, usable), tables, is_repeated=True)

    def _prepare(self, batch: PlannedBatch, tables: list[pa.Table], *, is_repeated: bool) -> PreparedBatch:
        """Enrich and archive; make the partition that the rows will need."""
        dataset = _DATASETS[batch.dataset]
        if not tables:
            document = self._document(batch, [], None)
            return PreparedBatch(batch, dataset, pa.table({}), document, is_repeated)
        rows = enrich(
            pa.concat_tables(tables),
            dataset=dataset,
            batch_id=batch.batch_id,
            loaded_at=batch.planned_at,
            places=self.places,
        )
        tables.clear()  # the sorted copy below must not coexist with what was read
        rows = archive.archive_order(rows, dataset)
        late = counting.is_late(rows, dataset, batch.purge_horizon)
        counts = counting.count_rows(rows, dataset, batch.day, late)
        late_rows = sum(each["late_rows"] for each in counts)
        archive_bytes = archive.put_batch(self.store, batch, dataset, rows, late_rows)
        if late_rows:
            rows = rows.filter(pc.invert(late))
        if rows.num_rows:
            ensure_partition(self.connection, batch.dataset, batch.day)
        return PreparedBatch(batch, dataset, rows, self._document(batch, counts, archive_bytes), is_repeated)

    def _document(self, batch: PlannedBatch, counts: list[dict[str, Any]], archive_bytes: int | None) -> dict[str, Any]:
        return raw_copy.commit_document(
            batch,
            counts=counts,
            archive_key=None if archive_bytes is None else str(archive.archive_key(batch)),
            archive_bytes=archive_bytes,
            committed_at=self.clock(),
        )

    def _finish(self, batch: PreparedBatch, following: Future[PreparedBatch | None]) -> None:
        """Copy and commit; when Postgres refuses rows, find their object, quarantine it, and go on without it."""
        try:
            is_committed = self._commit(batch)
        except BatchRefused as refusal:
            following.exception()  # the thread owns the connection that is needed now
            self.session.rollback()
            for each in self._refused_objects(batch, refusal):
                self._quarantine(each)
            left = ledger.planned_objects(self.connection, batch.plan.batch_id)
            batch = self._repeat(ledger.with_objects(batch.plan, left))
            is_committed = self._commit(batch)
        if is_committed:
            self._count(batch)

    def _commit(self, batch: PreparedBatch) -> bool:
        """Rows and ledger in one transaction. False: another session had committed this batch before."""
        if not self.session.write_commit(batch.document):
            self.session.rollback()
            _log.warning("batch was finished by another load", batch_id=batch.plan.batch_id)
            return False
        if batch.rows.num_rows:
            self.session.copy(batch.plan, batch.dataset, batch.rows)
        if batch.dataset == APP_ROWS:
            file_rows(self.session, self.tables, batch.plan, batch.rows)
        self.session.commit()
        return True

    def _refused_objects(self, batch: PreparedBatch, refusal: BatchRefused) -> list[Quarantined]:
        """The objects of a batch whose rows Postgres refuses, found by copying each alone and forgetting it.

        Raises:
            BatchRefused: every object is accepted alone.
        """
        refused = []
        for each in batch.plan.objects:
            alone = batch.rows.filter(pc.equal(batch.rows["segment_id"], each.origin.segment_id))
            try:
                self.session.copy(batch.plan, batch.dataset, alone)
            except BatchRefused as error:
                refused.append(Quarantined(each.key, batch.plan.dataset, each.size_bytes, str(error)))
            finally:
                self.session.rollback()
        if not refused:
            raise refusal
        return refused

    def _quarantine(self, found: Quarantined) -> None:
        ledger.quarantine(self.connection, found, noticed_at=self.clock())
        self._noticed(found)

    def _noticed(self, found: Quarantined) -> None:
        _log.error("inbox object quarantined", key=found.key, reason=found.reason)
        self.report.quarantined.append(found)

    def _count(self, batch: PreparedBatch) -> None:
        report, name = self.report, batch.dataset.name
        report.batch_ids.append(batch.plan.batch_id)
        if batch.is_repeated:
            report.repeated_batch_ids.append(batch.plan.batch_id)
        report.objects += len(batch.plan.objects)
        report.size_bytes += sum(each.size_bytes for each in batch.plan.objects)
        report.archive_bytes += batch.document["archive_bytes"] or 0
        for totals, column in (
            (report.landed_rows, "landed_rows"),
            (report.loaded_rows, "loaded_rows"),
            (report.late_rows, "late_rows"),
        ):
            totals[name] = totals.get(name, 0) + batch.document[column]
        report.days.add(batch.plan.day)
        _log.info("batch committed", **{key: batch.document[key] for key in ("batch_id", "landed_rows", "late_rows")})
