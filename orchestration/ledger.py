"""The ledger: which inbox objects belong to which batch, and what became of them.

Rows of `ops.load_batches` and `ops.load_objects` are written here before a batch is executed, so that a crash at
any later point is repaired by executing the same plan again. The commit itself travels with the rows, in
`orchestration.raw_copy`.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from psycopg import sql
from psycopg.types.json import Jsonb

from landing.codec import SegmentOrigin
from orchestration.database import Connection

_NUMBER_DIGITS: Final = 12
_KEYS_AT_ONCE: Final = 20_000
"""Keys in one query: a listing may hold a day of objects."""


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """An inbox object as a plan takes it.

    Attributes:
        key: Its key.
        size_bytes: Length of the object.
        rows: Rows it held when it was planned.
        origin: The segment it was made from.
    """

    key: str
    size_bytes: int
    rows: int
    origin: SegmentOrigin


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """A batch as the ledger holds it before it is executed.

    Attributes:
        batch_id: Sorts in load order.
        dataset: Dataset of every object.
        day: UTC day on which every row was received.
        planned_at: Becomes `loaded_at` of every row, so that executing again gives the same rows.
        purge_horizon: Rows that happened before it are counted as late and not loaded; None: nothing was purged.
        objects: In key order.
    """

    batch_id: str
    dataset: str
    day: date
    planned_at: datetime
    purge_horizon: datetime | None
    objects: tuple[PlannedObject, ...]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An object that is kept out of `raw`, and why.

    Attributes:
        key: Its key.
        dataset: Dataset that its key names; empty when the key is no inbox key.
        size_bytes: Length of the object.
        reason: One line for a person.
    """

    key: str
    dataset: str
    size_bytes: int
    reason: str


def unseen_keys(connection: Connection, keys: Sequence[str], *, or_planned: bool = False) -> set[str]:
    """Those of `keys` that neither a plan nor the quarantine has taken.

    An object that the purge removed counts as taken: a collector that was down for days may put it a second time.

    Args:
        connection: Session on the warehouse.
        keys: Inbox keys.
        or_planned: Also those whose batch was planned and not committed.
    """
    unseen: set[str] = set()
    taken = "state <> 'planned'" if or_planned else "true"
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        rows = connection.execute(
            sql.SQL(
                "select object_key from unnest(%s::text[]) as listed (object_key) where not exists"
                " (select from ops.load_objects as known where known.object_key = listed.object_key and {taken})"
            ).format(taken=sql.SQL(taken)),
            (list(keys[start : start + _KEYS_AT_ONCE]),),
        )
        unseen.update(key for (key,) in rows)
    return unseen


def plan_batch(
    connection: Connection, *, dataset: str, day: date, planned_at: datetime, objects: Sequence[PlannedObject]
) -> PlannedBatch:
    """Write the plan of a new batch, with the next number and today's purge horizon, in one transaction."""
    with connection.transaction():
        newest, horizon = connection.execute(
            "select (select max(batch_id) from ops.load_batches), purge_horizon from ops.purge_horizon"
        ).fetchone() or (None, None)
        number = int(newest.partition("-")[0]) + 1 if newest else 1
        batch_id = f"{number:0{_NUMBER_DIGITS}d}-{secrets.token_hex(4)}"
        batch = PlannedBatch(batch_id, dataset, day, planned_at, horizon, tuple(objects))
        write_plan(connection, batch)
    return batch


def write_plan(connection: Connection, batch: PlannedBatch) -> None:
    """Write a batch and its objects as planned, in the caller's transaction."""
    connection.execute(
        "insert into ops.load_batches (batch_id, dataset, day, state, planned_at, purge_horizon)"
        " values (%s, %s, %s, 'planned', %s, %s)",
        (batch.batch_id, batch.dataset, batch.day, batch.planned_at, batch.purge_horizon),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.load_objects (object_key, dataset, state, batch_id, segment_id, writer_id,"
            " segment_number, segment_rows, row_count, size_bytes, noticed_at)"
            " values (%s, %s, 'planned', %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    each.key,
                    batch.dataset,
                    batch.batch_id,
                    each.origin.segment_id,
                    each.origin.writer_id,
                    each.origin.segment_number,
                    Jsonb(each.origin.rows),
                    each.rows,
                    each.size_bytes,
                    batch.planned_at,
                )
                for each in batch.objects
            ],
        )


def unfinished_batches(connection: Connection) -> tuple[PlannedBatch, ...]:
    """Batches that were planned and not committed, oldest first: what a crash left to be executed again."""
    batches = connection.execute(
        "select batch_id, dataset, day, planned_at, purge_horizon from ops.load_batches"
        " where state = 'planned' order by batch_id"
    ).fetchall()
    return tuple(
        PlannedBatch(batch_id, dataset, day, planned_at, horizon, planned_objects(connection, batch_id))
        for batch_id, dataset, day, planned_at, horizon in batches
    )


def planned_objects(connection: Connection, batch_id: str) -> tuple[PlannedObject, ...]:
    """The objects of a batch that are not quarantined, in key order."""
    rows = connection.execute(
        "select object_key, size_bytes, row_count, segment_id, writer_id, segment_number, segment_rows"
        " from ops.load_objects where batch_id = %s and state <> 'quarantined' order by object_key",
        (batch_id,),
    )
    return tuple(
        PlannedObject(key, size, count, SegmentOrigin(segment, writer, number, dict(segment_rows)))
        for key, size, count, segment, writer, number, segment_rows in rows
    )


def batches_committed_since(connection: Connection, since: datetime) -> tuple[str, ...]:
    """Ids of the batches that were committed at or after `since`, in order."""
    rows = connection.execute(
        "select batch_id from ops.load_batches where state = 'committed' and committed_at >= %s order by batch_id",
        (since,),
    )
    return tuple(batch_id for (batch_id,) in rows)


def with_objects(batch: PlannedBatch, objects: tuple[PlannedObject, ...]) -> PlannedBatch:
    """The same batch, of these objects."""
    return replace(batch, objects=objects)


def quarantine(connection: Connection, found: Quarantined, *, noticed_at: datetime) -> None:
    """Keep an object out of `raw` for good; one that a batch had taken leaves its rows but stays listed with it."""
    connection.execute(
        "insert into ops.load_objects (object_key, dataset, state, size_bytes, reason, noticed_at)"
        " values (%s, %s, 'quarantined', %s, %s, %s)"
        " on conflict (object_key) do update set state = 'quarantined', reason = excluded.reason",
        (found.key, found.dataset, found.size_bytes, found.reason, noticed_at),
    )


def release(connection: Connection, key: str) -> bool:
    """Let the next load try a quarantined object again, after its cause was removed. False: it is not quarantined."""
    cursor = connection.execute("delete from ops.load_objects where object_key = %s and state = 'quarantined'", (key,))
    return cursor.rowcount == 1
