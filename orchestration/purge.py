"""The purge: what is older than its limit goes, once everything made of it stands and its archive is verified.

First a plan says what goes, what stays and why; then the plan is executed, the conditions checked once more. Every
step may be repeated: a crash between any two leaves nothing that a second purge would not finish.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog
from psycopg import sql

from landing.contract import CHECKINS, DATASETS, EVENTS
from landing.keys import ARCHIVE_PREFIX, INBOX_PREFIX, ArchiveKey
from landing.store import Store
from orchestration.archive import archive_doubts
from orchestration.database import Connection, partition_name, partitions, statement
from orchestration.exclusion import exclusive_ledger, exclusive_models
from orchestration.rebuild_state import require_no_rebuild

_log = structlog.get_logger(__name__)

INBOX_KEPT: Final = timedelta(days=1)
"""How long an inbox object stays after its batch was committed."""

LOCK_WAIT_S: Final = 600.0
"""How long a purge waits for a running load or transform."""


@dataclass(frozen=True, slots=True)
class PurgeLimits:
    """How long things are kept.

    Attributes:
        raw_days: Raw rows, counted from the day of their receipt.
        archive_days: Archive objects, likewise.
        before: Purge raw days before this one instead of by these limits; None: by these limits.
        checkin_days: Raw check-ins, where their fleets say so; None: as `raw_days`.
    """

    raw_days: int
    archive_days: int
    before: date | None = None
    checkin_days: int | None = None

    def raw_before(self, dataset: str, now: datetime) -> date:
        """The first day whose raw rows of the dataset stay; today's always do."""
        today = now.astimezone(UTC).date()
        days = self.checkin_days if dataset == CHECKINS.name and self.checkin_days else self.raw_days
        return min(today, self.before or today - timedelta(days=days))

    def archive_before(self, now: datetime) -> date:
        """The first day whose archive objects stay."""
        return now.astimezone(UTC).date() - timedelta(days=self.archive_days)


@dataclass(frozen=True, slots=True)
class RawDay:
    """A day of raw rows that may go."""

    dataset: str
    day: date
    rows: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What is older than its limit and stays, and why."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What a purge would remove.

    Attributes:
        planned_at: The time by which the limits were counted.
        raw_days: Days of raw rows, oldest first.
        inbox_keys: Objects whose batch is committed.
        archive_keys: Objects older than their limit.
        kept: What is older than its limit and stays.
    """

    planned_at: datetime
    raw_days: tuple[RawDay, ...]
    inbox_keys: tuple[str, ...]
    archive_keys: tuple[str, ...]
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What a purge removed.

    Attributes:
        raw_days: Days of raw rows.
        session_events: Deduplicated events that belonged to these days.
        inbox_objects: Number of objects.
        archive_objects: Number of objects.
        kept: What the plan or the last check kept, and why.
    """

    raw_days: tuple[RawDay, ...]
    session_events: int
    inbox_objects: int
    archive_objects: int
    kept: tuple[Kept, ...]


def plan_purge(*, store: Store, connection: Connection, now: datetime, limits: PurgeLimits) -> PurgePlan:
    """What may go, what stays and why. Changes nothing.

    Raises:
        StoreUnavailable: the store cannot be read.
    """
    kept: list[Kept] = []
    raw_days = tuple(
        each
        for dataset in DATASETS
        for each in _raw_days(store, connection, dataset.name, limits.raw_before(dataset.name, now), kept)
    )
    going = {(each.dataset, each.day) for each in raw_days}
    archive_keys = tuple(_archive_keys(store, connection, limits.archive_before(now), going, kept))
    return PurgePlan(
        planned_at=now,
        raw_days=raw_days,
        inbox_keys=tuple(_inbox_keys(store, connection, now)),
        archive_keys=archive_keys,
        kept=tuple(kept),
    )


def execute_purge(
    plan: PurgePlan,
    *,
    store: Store,
    connection: Connection,
    clock: Callable[[], datetime],
    lock_wait_s: float = LOCK_WAIT_S,
) -> PurgeReport:
    """Remove what the plan names; raw days one by one, oldest first, each in one transaction.

    Raises:
        LedgerBusy: a load is running; nothing was removed.
        ModelsBusy: a transform is running; nothing was removed.
        RebuildUnfinished: the ledger is incomplete; nothing was removed.
        StoreUnavailable: the store failed; what is left goes with the next purge.
    """
    dropped, kept, session_events = [], list(plan.kept), 0
    stayed: set[str] = set()
    with (
        exclusive_models(connection, work="purge", wait_s=lock_wait_s),
        exclusive_ledger(connection, work="purge", wait_s=lock_wait_s),
    ):
        require_no_rebuild(connection)
        for each in plan.raw_days:
            if each.dataset == EVENTS.name and each.dataset in stayed:
                continue  # days go in order: the horizon may not pass over one that stays
            if reasons := _blockers(connection, each.dataset, each.day):
                stayed.add(each.dataset)
                kept.extend(Kept(f"raw.{each.dataset} of {each.day}", reason) for reason in reasons)
                continue
            session_events += _drop_day(connection, each, clock())
            dropped.append(each)
            _log.info("raw day purged", dataset=each.dataset, day=str(each.day), rows=each.rows)
        _remove_inbox_objects(store, connection, plan.inbox_keys, clock())
        archive_keys = _not_needed(connection, plan.archive_keys)
        _remove_archive_objects(store, connection, archive_keys, clock())
    return PurgeReport(tuple(dropped), session_events, len(plan.inbox_keys), len(archive_keys), tuple(kept))


def _raw_days(store: Store, connection: Connection, dataset: str, before: date, kept: list[Kept]) -> Iterator[RawDay]:
    """Days of raw rows that may go; of events up to the first that may not."""
    for day in partitions(connection, dataset):
        if day >= before:
            return
        reasons = [*_blockers(connection, dataset, day), *_archive_doubts(store, connection, dataset, day)]
        kept.extend(Kept(f"raw.{dataset} of {day}", reason) for reason in reasons)
        if not reasons:
            yield RawDay(dataset, day, _row_count(connection, dataset, day))
        elif dataset == EVENTS.name:
            return


def _blockers(connection: Connection, dataset: str, day: date) -> list[str]:
    """What is still to be made of the raw rows of a day; nothing is made of rejects but counts."""
    found = connection.execute(statement("purge_blockers"), {"dataset": dataset, "day": day})
    return [reason for (reason,) in found]


def _archive_doubts(store: Store, connection: Connection, dataset: str, day: date) -> list[str]:
    """Why the archive could not replace the raw rows of a day: an object is missing or has other rows."""
    rows = connection.execute(
        "select batch_id, archive_key, landed_rows from ops.load_batches where state = 'committed' and dataset = %s"
        " and day = %s and landed_rows > 0 order by archive_key, batch_id",
        (dataset, day),
    ).fetchall()
    return [f"batch {batch_id}: {doubt}" for batch_id, doubt in archive_doubts(store, rows)]


def _row_count(connection: Connection, dataset: str, day: date) -> int:
    table = sql.Identifier("raw", partitions(connection, dataset)[day])
    row = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return int(row[0]) if row else 0


def _inbox_keys(store: Store, connection: Connection, now: datetime) -> Iterator[str]:
    """Objects that are in the inbox although their batch was committed more than a day ago.

    The listing decides, not the ledger's note of a deletion: a collector that was down may have put one again.
    """
    committed = {
        key
        for (key,) in connection.execute(
            "select object_key from ops.load_objects inner join ops.load_batches using (batch_id)"
            " where load_objects.state = 'committed' and committed_at <= %s",
            (now - INBOX_KEPT,),
        )
    }
    return (info.key for info in store.list(INBOX_PREFIX) if info.key in committed)


def _archive_keys(
    store: Store, connection: Connection, before: date, going: set[tuple[str, date]], kept: list[Kept]
) -> Iterator[str]:
    """Archive objects of days before `before`, but those of days whose raw rows stay."""
    staying = _days_in_raw(connection)
    needed: set[tuple[str, date]] = set()
    for info in store.list(ARCHIVE_PREFIX):
        key = ArchiveKey.parse(info.key)
        if key is None or key.day >= before:
            continue
        if (key.dataset, key.day) in staying - going:
            needed.add((key.dataset, key.day))
        else:
            yield info.key
    kept.extend(Kept(f"archive of {name} of {day}", "its raw rows are still there") for name, day in sorted(needed))


def _days_in_raw(connection: Connection) -> set[tuple[str, date]]:
    return {(dataset.name, day) for dataset in DATASETS for day in partitions(connection, dataset.name)}


def _not_needed(connection: Connection, archive_keys: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the planned keys whose raw day is gone by now: one that stayed must still be verifiable."""
    staying = _days_in_raw(connection)
    parsed = ((key, ArchiveKey.parse(key)) for key in archive_keys)
    return tuple(key for key, parts in parsed if parts is not None and (parts.dataset, parts.day) not in staying)


def _drop_day(connection: Connection, raw_day: RawDay, now: datetime) -> int:
    """Drop a day's partition and note it, in one transaction; returns the deduplicated events deleted with it."""
    with connection.transaction():
        table = sql.Identifier("raw", partition_name(raw_day.dataset, raw_day.day))
        connection.execute(sql.SQL("drop table if exists {}").format(table))
        if raw_day.dataset != EVENTS.name:
            connection.execute(
                "insert into ops.purged_raw_days as noted (dataset, day, raw_rows, purged_at) values (%s, %s, %s, %s)"
                " on conflict (dataset, day) do update"
                " set raw_rows = noted.raw_rows + excluded.raw_rows, purged_at = excluded.purged_at",
                (raw_day.dataset, raw_day.day, raw_day.rows, now),
            )
            return 0
        connection.execute(
            "insert into ops.purged_days as noted (day, raw_rows, purged_at) values (%s, %s, %s)"
            " on conflict (day) do update"
            " set raw_rows = noted.raw_rows + excluded.raw_rows, purged_at = excluded.purged_at",
            (raw_day.day, raw_day.rows, now),
        )
        return _delete_session_events(connection, raw_day.day)


def _delete_session_events(connection: Connection, day: date) -> int:
    found = connection.execute(
        "select to_regclass('intermediate.int_events') is not null and to_regclass('marts.fct_sessions') is not null,"
        " to_regclass('intermediate.int_repeats') is not null"
    ).fetchone()
    has_events, has_repeats = found or (False, False)
    horizon = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    if has_repeats:
        connection.execute("delete from intermediate.int_repeats where received_at < %s", (horizon,))
    if not has_events:
        return 0
    return connection.execute(statement("purge_sessionized_events"), {"horizon": horizon}).rowcount


def _remove_inbox_objects(store: Store, connection: Connection, keys: tuple[str, ...], now: datetime) -> None:
    for key in keys:
        store.delete(key)  # before the note: an object noted as gone that is still there would be confusing
        connection.execute("update ops.load_objects set deleted_at = %s where object_key = %s", (now, key))


def _remove_archive_objects(store: Store, connection: Connection, keys: tuple[str, ...], now: datetime) -> None:
    for key in keys:
        # The note comes first: a check between the two must not report the object as lost.
        connection.execute("update ops.load_batches set archive_deleted_at = %s where archive_key = %s", (now, key))
        store.delete(key)
