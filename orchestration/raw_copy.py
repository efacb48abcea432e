"""Rows into `raw` and the commit of their batch, in one transaction of one session.

The session is ADBC's: it turns Arrow into Postgres' binary COPY format in C, about ten times as fast as any row-wise
driver could.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
import pyarrow as pa
import pyarrow.compute as pc

from landing.contract import EVENTS, Dataset, Kind
from orchestration.database import partition_name, statement
from orchestration.errors import BatchRefused
from orchestration.ledger import PlannedBatch

_JSONB_VERSION: Final = "\x01"
"""First byte of a jsonb value in the binary protocol; the text follows."""

_COPY_ROWS: Final = 4_096
"""Rows that the driver turns into one buffer; while the server reads one, the next is made."""

_REFUSALS: Final = ("22", "23")
"""Classes of SQLSTATE that are about values (data exception, integrity): trying again will not help."""


class RawSession:
    """A transaction-keeping session for the rows and the ledger of one batch after the other."""

    def __init__(self, connection: adbc_driver_postgresql.dbapi.Connection) -> None:
        self._connection = connection

    def write_commit(self, document: dict[str, Any]) -> bool:
        """Mark the batch committed and write its counts, within the open transaction.

        Returns:
            False when the batch is not planned any more: another session committed or removed it.
        """
        with self._connection.cursor() as cursor:
            cursor.execute(statement("commit_batch").decode(), (json.dumps(document),))
            return cursor.fetchone() is not None

    def copy(self, batch: PlannedBatch, dataset: Dataset, table: pa.Table) -> None:
        """Copy rows into their day's partition, within the open transaction.

        Raises:
            BatchRefused: Postgres refuses a value, such as a JSON document that jsonb cannot hold.
        """
        self._ingest(partition_name(batch.dataset, batch.day), dataset, table)

    def replace_events(self, *, day: date, batch_ids: Sequence[str], rows: pa.Table) -> None:
        """Put events in the place of all that batches of a day have in `raw`, within the open transaction.

        Raises:
            BatchRefused: Postgres refuses a value.
        """
        self._execute("delete_events", {"day": day.isoformat(), "batch_ids": list(batch_ids)})
        if rows.num_rows:
            self._ingest(partition_name(EVENTS.name, day), EVENTS, rows)

    def note_remap(self, document: dict[str, Any]) -> None:
        """Note in the ledger that batches are in line with their archive object, within the open transaction."""
        self._execute("finish_remap", document)

    def _execute(self, name: str, document: dict[str, Any]) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement(name).decode(), (json.dumps(document),))

    def _ingest(self, table_name: str, dataset: Dataset, table: pa.Table) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.adbc_ingest(
                    table_name,
                    for_postgres(table, dataset).to_reader(max_chunksize=_COPY_ROWS),
                    mode="append",
                    db_schema_name="raw",
                )
        except adbc_driver_manager.Error as error:
            if (error.sqlstate or "").startswith(_REFUSALS):
                raise BatchRefused(f"Postgres refuses a value: {_first_line(error)}") from error
            raise

    def attempt(self, statement_text: str) -> str | None:
        """Execute a statement within the open transaction; what Postgres refuses of it is undone.

        Returns:
            Why Postgres refused it; None when it did not.
        """
        with self._connection.cursor() as cursor:
            # On the server: this driver executes nothing more in a transaction after an error, not even its repair.
            cursor.execute("select ops.attempt($1)", (statement_text,))
            row = cursor.fetchone()
        return None if row is None else row[0]

    def commit(self) -> None:
        """Make rows and ledger visible together."""
        self._connection.commit()

    def rollback(self) -> None:
        """Forget both."""
        self._connection.rollback()


@contextlib.contextmanager
def open_raw_session(database_url: str) -> Iterator[RawSession]:
    """A session for `raw`, closed at the end of the block; what was not committed is rolled back."""
    with adbc_driver_postgresql.dbapi.connect(database_url) as connection:
        yield RawSession(connection)


def commit_document(
    batch: PlannedBatch,
    *,
    counts: list[dict[str, Any]],
    archive_key: str | None,
    archive_bytes: int | None,
    committed_at: datetime,
) -> dict[str, Any]:
    """What `commit_batch.sql` needs; the totals are the sums of `counts`."""
    landed = sum(each["landed_rows"] for each in counts)
    late = sum(each["late_rows"] for each in counts)
    return {
        "batch_id": batch.batch_id,
        "landed_rows": landed,
        "loaded_rows": landed - late,
        "late_rows": late,
        "archive_key": archive_key,
        "archive_bytes": archive_bytes,
        "committed_at": committed_at.isoformat(),
        "counts": counts,
    }


def for_postgres(table: pa.Table, dataset: Dataset) -> pa.Table:
    """The rows in the types whose bytes Postgres' COPY expects: keys as 16-byte UUIDs, JSON as versioned jsonb.

    Columns without any value are left out: Postgres need not be told row by row that there is none.
    """
    columns = {}
    for column in dataset.columns:
        values = table[column.name]
        if values.null_count == len(values):
            continue
        if column.name == dataset.key:
            values = _uuid_bytes(values)
        elif column.kind is Kind.JSON:
            values = pc.binary_join_element_wise(_JSONB_VERSION, values, "")
        columns[column.name] = values
    return pa.table(columns)


def _uuid_bytes(texts: pa.ChunkedArray) -> pa.Array:
    """UUIDs in their canonical spelling as 16 bytes each."""
    digits = "".join(texts.to_pylist()).replace("-", "")
    return pa.Array.from_buffers(pa.binary(16), len(texts), [None, pa.py_buffer(bytes.fromhex(digits))])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
