"""The replay from the archive: events mapped anew from what their clients sent take the place of what they were.

    read an object → map and enrich → note its batches as begun → replace their raw rows → put the object → commit

Raw rows and the ledger's note are one transaction, committed after the put. Cut off anywhere before the commit, raw is
what it was and the batches stay noted as begun; the next replay, of whatever it is, first brings their raw rows in line
with their object. After the commit the next transform reads these batches again.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from landing.codec import BatchOrigin, CompactedOrigin, decode_batch, decode_compacted, encode
from landing.contract import EVENTS
from landing.errors import ObjectMissing, PoisonObject
from landing.keys import ArchiveKey
from landing.schema import loaded_schema
from landing.store import Store
from orchestration.archive import ArchiveObject, archive_order, read_object
from orchestration.compaction import remove_leftovers
from orchestration.counting import was_late
from orchestration.database import Connection, connect, ensure_partition
from orchestration.errors import ArchiveDamaged, BatchRefused
from orchestration.exclusion import exclusive_ledger
from orchestration.mapping import Remap, map_loaded
from orchestration.raw_copy import RawSession, open_raw_session
from orchestration.rebuild_state import require_no_rebuild

_log = structlog.get_logger(__name__)

LOCK_WAIT_S: Final = 600.0
"""How long a replay from the archive waits for a load, a compaction, a purge or a rebuild."""


@dataclass(slots=True)
class RemapReport:
    """What a replay from the archive did.

    Attributes:
        objects: Archive objects read.
        rewritten: Those of them that say something else now.
        mapped: Events mapped anew.
        changed: Those of them that are different now.
        failed: Events that today's mapping refuses; they stay what they were.
        finished: Batches whose raw rows an interrupted replay had left behind their object.
        days_not_in_raw: Days whose raw rows are purged: their archive has the new mapping, the marts keep the old.
        kept: Objects that stay what they were, and why.
    """

    objects: int = 0
    rewritten: int = 0
    mapped: int = 0
    changed: int = 0
    failed: int = 0
    finished: int = 0
    days_not_in_raw: set[date] = field(default_factory=set)
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Placed:
    """An archive object of events, by the ledger.

    Attributes:
        key: Its key.
        loaded_rows: Of each of its batches that has rows.
        is_in_raw: Whether the raw rows of its day are there.
    """

    key: ArchiveKey
    loaded_rows: dict[str, int]
    is_in_raw: bool


def remap_archive(  # noqa: PLR0913  (what a replay touches, each by name)
    *, store: Store, database_url: str, remap: Remap, first: date, last: date, lock_wait_s: float = LOCK_WAIT_S
) -> RemapReport:
    """Map the archived events received from `first` to `last` (UTC days) anew and replace them. Then transform.

    Ids, batches and counts stay what they are. Between two objects the ledger is let go, so that loads go on.

    Args:
        store: The landing zone.
        database_url: The warehouse, migrated.
        remap: Maps landed events anew.
        first: First day of receipt.
        last: Last day of receipt.
        lock_wait_s: Seconds to wait for a load, a compaction, a purge or a rebuild.

    Raises:
        LedgerBusy: another one is still running; what was replaced stays so.
        RebuildUnfinished: the ledger is incomplete.
        StoreUnavailable: the store failed; run it again.
    """
    with connect(database_url) as connection, open_raw_session(database_url) as session:
        remapping = _Remapping(store, connection, session, remap, lock_wait_s)
        for batch_id in _begun_batches(connection):
            with remapping.exclusively():
                remapping.finish(batch_id)
        done: set[str] = set()
        for day, batch_ids in groupby(_batches(connection, first, last), key=lambda each: each[0]):
            with remapping.exclusively():
                remove_leftovers(store, connection, (EVENTS.name, day), keep=remapping.keep)
            for _, batch_id in batch_ids:
                if batch_id not in done:
                    with remapping.exclusively():
                        done |= remapping.map_object_of(batch_id)
    return remapping.report


@dataclass(slots=True)
class _Remapping:
    """One replay: each step holds the ledger by itself."""

    store: Store
    connection: Connection
    session: RawSession
    remap: Remap
    lock_wait_s: float
    report: RemapReport = field(default_factory=RemapReport)

    @contextlib.contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the ledger for a step."""
        with exclusive_ledger(self.connection, work="replay", wait_s=self.lock_wait_s):
            require_no_rebuild(self.connection)
            yield

    def keep(self, subject: str, reason: str) -> None:
        """Report what stays as it is."""
        _log.warning("archive object not mapped anew", subject=subject, reason=reason)
        self.report.kept.append(f"{subject}: {reason}")

    def finish(self, batch_id: str) -> None:
        """Bring the raw rows of a batch that an interrupted replay had begun in line with its object."""
        placed = _placed(self.connection, batch_id)
        if placed is None:
            self.connection.execute("delete from ops.begun_remaps where batch_id = %s", (batch_id,))
            return
        try:
            found = self._read(placed)
            self._replace_raw(placed, found.rows, found.origins, [batch_id])
        except (PoisonObject, ArchiveDamaged, BatchRefused) as error:
            self.session.rollback()
            self.keep(str(placed.key), str(error))
            return
        self._commit(placed, [batch_id], found.size_bytes)
        self.report.finished += 1

    def map_object_of(self, batch_id: str) -> set[str]:
        """Map the object that holds a batch anew; returns its batches."""
        placed = _placed(self.connection, batch_id)
        if placed is None:
            return {batch_id}
        try:
            self._map_object(placed)
        except (PoisonObject, ArchiveDamaged, BatchRefused) as error:
            self.session.rollback()
            self.keep(str(placed.key), str(error))
        return {batch_id, *placed.loaded_rows}

    def _map_object(self, placed: _Placed) -> None:
        """Replace an object and the raw rows of its batches that change.

        Raises:
            BatchRefused: Postgres refuses a value of today's mapping; nothing was changed.
        """
        found = self._read(placed)
        result = map_loaded(found.rows, found.origins, self.remap)
        self.report.objects += 1
        self.report.mapped += result.mapped
        self.report.failed += result.failed
        changed = result.rows.filter(result.is_changed)
        if not changed.num_rows:
            return
        rows = archive_order(result.rows, EVENTS)
        data = _encoded(placed.key, rows, found.origins)
        batch_ids = sorted(pc.unique(changed["batch_id"]).to_pylist())
        begun = begin_remap(self.connection, batch_ids)
        try:
            self._replace_raw(placed, rows, found.origins, batch_ids)
        except BatchRefused:
            self.connection.execute("delete from ops.begun_remaps where batch_id = any(%s)", (begun,))
            raise
        self.store.put(str(placed.key), data)
        self._commit(placed, batch_ids, len(data))
        self.report.rewritten += 1
        self.report.changed += changed.num_rows
        if not placed.is_in_raw:
            self.report.days_not_in_raw.add(placed.key.day)
        _log.info("archive object mapped anew", key=str(placed.key), changed=changed.num_rows)

    def _read(self, placed: _Placed) -> ArchiveObject:
        try:
            found = read_object(self.store, placed.key, EVENTS)
        except ObjectMissing as error:
            raise ArchiveDamaged("it is missing") from error
        if {origin.batch_id for origin in found.origins} != set(placed.loaded_rows):
            raise ArchiveDamaged("it holds other batches than the ledger says")
        return found

    def _replace_raw(
        self, placed: _Placed, rows: pa.Table, origins: Sequence[BatchOrigin], batch_ids: Sequence[str]
    ) -> None:
        """Replace the raw rows of some batches of an object in the open transaction, as many as the ledger counts."""
        if not placed.is_in_raw:
            return
        tables = []
        for origin in origins:
            if origin.batch_id not in batch_ids:
                continue
            batch = rows.filter(pc.equal(rows["batch_id"], origin.batch_id))
            loaded = batch.filter(pc.invert(was_late(batch, EVENTS, origin.late_rows)))
            if loaded.num_rows != placed.loaded_rows[origin.batch_id]:
                raise ArchiveDamaged(
                    f"it has {loaded.num_rows} rows of batch {origin.batch_id} to load,"
                    f" {placed.loaded_rows[origin.batch_id]} were loaded"
                )
            tables.append(loaded)
        ensure_partition(self.connection, EVENTS.name, placed.key.day)
        self.session.replace_events(
            day=placed.key.day, batch_ids=batch_ids, rows=pa.concat_tables(tables).combine_chunks()
        )

    def _commit(self, placed: _Placed, batch_ids: Sequence[str], size_bytes: int) -> None:
        document = {"archive_key": str(placed.key), "archive_bytes": size_bytes, "in_raw": placed.is_in_raw}
        self.session.note_remap({**document, "batch_ids": list(batch_ids)})
        self.session.commit()


def begin_remap(connection: Connection, batch_ids: Sequence[str]) -> list[str]:
    """Note batches as begun; returns those that were not noted before."""
    rows = connection.execute(
        "insert into ops.begun_remaps (batch_id) select unnest(%s::text[]) on conflict do nothing returning batch_id",
        (list(batch_ids),),
    )
    return [batch_id for (batch_id,) in rows]


def _encoded(key: ArchiveKey, rows: pa.Table, origins: Sequence[BatchOrigin]) -> bytes:
    """The bytes of an object, read once before they take the place of others.

    Raises:
        ArchiveDamaged: they do not say what they should; nothing was stored.
    """
    schema = loaded_schema(EVENTS)
    origin = CompactedOrigin(list(origins)) if key.is_compacted else origins[0]
    data = encode(rows, schema, origin)
    back, _ = decode_compacted(data, schema) if key.is_compacted else decode_batch(data, schema)
    if not back.equals(rows):
        raise ArchiveDamaged("its new rows would not come back as they are; it was left alone")
    return data


def _begun_batches(connection: Connection) -> list[str]:
    return [each for (each,) in connection.execute("select batch_id from ops.begun_remaps order by batch_id")]


def _batches(connection: Connection, first: date, last: date) -> list[tuple[date, str]]:
    """Day and id of each batch of events received in a range of days whose archive object is there."""
    return connection.execute(
        "select day, batch_id from ops.load_batches where dataset = %s and day between %s and %s"
        " and state = 'committed' and landed_rows > 0 and archive_deleted_at is null order by day, batch_id",
        (EVENTS.name, first, last),
    ).fetchall()


def _placed(connection: Connection, batch_id: str) -> _Placed | None:
    """The object that holds a batch; None when it was purged meanwhile."""
    rows = connection.execute(
        "select together.archive_key, together.batch_id, together.loaded_rows,"
        " together.day not in (select purged_days.day from ops.purged_days)"
        " from ops.load_batches as batch inner join ops.load_batches as together using (archive_key)"
        " where batch.batch_id = %s and together.landed_rows > 0 and together.archive_deleted_at is null",
        (batch_id,),
    ).fetchall()
    key = ArchiveKey.parse(rows[0][0]) if rows else None
    if key is None:
        return None
    return _Placed(key, {each: loaded for _, each, loaded, _ in rows}, is_in_raw=rows[0][3])
