"""Whether the ledger's equations hold, computed from the data themselves.

rows in raw            = loaded rows                       of each batch
rows of its objects    = landed rows = loaded + late rows  of each batch, and of its counts by site and reason
rows in the archive    = landed rows                       of each batch
landed rows            = events + duplicates + id conflicts + late rows  of each site and day, by the marts' ledger
segments of a writer   = 0, 1, 2, … without a hole, each with all its datasets
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from psycopg import sql
from psycopg.rows import dict_row

from landing.contract import DATASETS, EVENTS
from landing.store import Store
from orchestration.archive import archive_doubts
from orchestration.database import Connection, statement

Severity = Literal["failure", "warning"]

GRACE: Final = timedelta(hours=1)
"""How long a segment may be on its way after a later one of its writer arrived: shipping is retried for that long."""

_WRITERS_WATCHED: Final = timedelta(days=8)
"""Writers that sent nothing for so long are not looked at again."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """An equation that does not hold.

    Attributes:
        severity: A warning may still come right by itself.
        subject: Batch, writer, segment or object.
        message: What differs, in numbers.
    """

    severity: Severity
    subject: str
    message: str


def check(
    connection: Connection,
    *,
    now: datetime,
    batch_ids: Sequence[str] | None = None,
    store: Store | None = None,
    grace: timedelta = GRACE,
) -> tuple[Finding, ...]:
    """Every equation that does not hold; empty when all do.

    Args:
        connection: Session on the warehouse.
        now: Decides whether something missing is late or lost.
        batch_ids: Look at these batches only; None looks at all. Writers, quarantine and the marts' ledger are always
            looked at.
        store: Also open the archive objects of these batches.
        grace: How long something missing is a warning.
    """
    wanted = None if batch_ids is None else list(batch_ids)
    findings = [
        *_unbalanced(connection, wanted),
        *_miscounted(connection, wanted),
        *_holes(connection, now, grace),
        *_missing_siblings(connection, now, grace),
        *_quarantined(connection),
        *_unbalanced_days(connection),
    ]
    if store is not None:
        findings.extend(_archive(connection, store, wanted))
    return tuple(findings)


def _unbalanced(connection: Connection, batch_ids: list[str] | None) -> Iterator[Finding]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement("unbalanced_batches"), {"batch_ids": batch_ids})
        for row in cursor:
            batch_id = row.pop("batch_id")
            yield Finding("failure", batch_id, ", ".join(f"{name} {value}" for name, value in row.items()))


def _miscounted(connection: Connection, batch_ids: list[str] | None) -> Iterator[Finding]:
    """Batches whose rows in `raw` are not as many as were loaded; days that were purged have none left."""
    for dataset in DATASETS:
        purged = "select day from ops.purged_days"
        if dataset != EVENTS:
            purged = "select day from ops.purged_raw_days where dataset = %(dataset)s"
        query = sql.SQL(
            "with batches as (select batch_id, day, loaded_rows from ops.load_batches where state = 'committed'"
            " and dataset = %(dataset)s and day not in ({purged})"
            " and (%(batch_ids)s::text[] is null or batch_id = any(%(batch_ids)s::text[]))),"
            " counted as (select batch_id, count(*) as raw_rows from {raw}"
            " where received_at >= (select min(day)::timestamp at time zone 'UTC' from batches)"
            " and received_at < (select (max(day) + 1)::timestamp at time zone 'UTC' from batches)"
            " and (%(batch_ids)s::text[] is null or batch_id = any(%(batch_ids)s::text[])) group by batch_id)"
            " select batch_id, loaded_rows, coalesce(raw_rows, 0) from batches left join counted using (batch_id)"
            " where loaded_rows <> coalesce(raw_rows, 0) order by batch_id"
        ).format(purged=sql.SQL(purged), raw=sql.Identifier("raw", dataset.name))
        for batch_id, loaded, found in connection.execute(query, {"dataset": dataset.name, "batch_ids": batch_ids}):
            yield Finding("failure", batch_id, f"raw.{dataset.name} has {found} rows, {loaded} were loaded")


def _holes(connection: Connection, now: datetime, grace: timedelta) -> Iterator[Finding]:
    rows = connection.execute(statement("segment_holes"), {"active_since": now - _WRITERS_WATCHED})
    for writer_id, first, last, noticed_at in rows:
        numbers = f"{first}" if first == last else f"{first} to {last}"
        yield Finding(
            _severity(noticed_at, now, grace), writer_id, f"segments {numbers} never arrived, a later one did"
        )


def _missing_siblings(connection: Connection, now: datetime, grace: timedelta) -> Iterator[Finding]:
    rows = connection.execute(statement("missing_siblings"), {"active_since": now - _WRITERS_WATCHED})
    for segment_id, dataset, count, noticed_at in rows:
        yield Finding(_severity(noticed_at, now, grace), segment_id, f"its {count} rows of {dataset} never arrived")


def _severity(noticed_at: datetime, now: datetime, grace: timedelta) -> Severity:
    return "warning" if now - noticed_at < grace else "failure"


def _quarantined(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "select object_key, reason from ops.load_objects where state = 'quarantined' order by object_key"
    )
    for key, reason in rows:
        yield Finding("failure", key, f"quarantined: {reason}")


def _unbalanced_days(connection: Connection) -> Iterator[Finding]:
    """Days whose deliveries are not each an event, a duplicate, a conflict or late, by the last transform."""
    if connection.execute("select to_regclass('marts.fct_pipeline_ledger')").fetchone() == (None,):
        return
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(statement("unbalanced_days")):
            subject = f"{row.pop('site_id')} on {row.pop('received_date')}"
            yield Finding("failure", subject, ", ".join(f"{name} {value}" for name, value in row.items()))


def _archive(connection: Connection, store: Store, batch_ids: list[str] | None) -> Iterator[Finding]:
    """Batches whose archive object is missing or holds another number of their rows."""
    rows = connection.execute(
        "select batch_id, archive_key, landed_rows from ops.load_batches where state = 'committed'"
        " and archive_deleted_at is null and landed_rows > 0"
        " and (%(batch_ids)s::text[] is null or batch_id = any(%(batch_ids)s::text[])) order by archive_key, batch_id",
        {"batch_ids": batch_ids},
    ).fetchall()
    for batch_id, doubt in archive_doubts(store, rows):
        yield Finding("failure", batch_id, doubt)
