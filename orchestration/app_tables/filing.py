"""Rows of `raw.app_rows` into the declared tables, each once, and a note of those that a table cannot take."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import structlog
from psycopg import sql

from landing.declared import LINEAGE_COLUMNS
from orchestration.app_tables.catalog import ExistingTable
from orchestration.app_tables.migration import SCHEMA
from orchestration.errors import BatchRefused
from orchestration.ledger import PlannedBatch
from orchestration.raw_copy import RawSession

_log = structlog.get_logger(__name__)

_LOCK_WAIT: Final = "5s"
"""How long a load waits for whoever holds a declared table; its rows wait in `raw` for the next load."""

_LINEAGE_VALUES: Final = {
    "_row_id": "row_id",
    "_app": "app",
    "_received_at": "received_at",
    "_request_id": "request_id",
    "_batch_id": "batch_id",
    "_other_fields": "other_fields",
}


@dataclass(frozen=True, slots=True)
class AppTables:
    """The declared tables as one load found and made them.

    Attributes:
        tables: What is in schema `apps`.
        declared: Columns that any applied version declared, by table.
        problems: Tables that differ from their declaration in a way that the load does not change.
    """

    tables: Mapping[str, ExistingTable]
    declared: Mapping[str, Collection[str]]
    problems: Mapping[str, str]

    def problem(self, table: str) -> str | None:
        """Why the table takes no rows; None when it does."""
        found = self.tables.get(table)
        if table in self.problems:
            return self.problems[table]
        if found is None or not set(LINEAGE_COLUMNS).issubset(found.columns):
            return "the sites file declares no such table"
        return None

    def insertion(self, table: str, *, batch_id: str, day: date) -> sql.Composed:
        """The statement that moves a batch's rows of a table and notes that: both, or neither."""
        found, declared = self.tables[table], self.declared.get(table, ())
        own = [name for name in found.columns if name in declared]
        values: list[sql.Composable] = [
            sql.SQL("(fields ->> {})::{}").format(sql.Literal(name), _catalog_type(found, name)) for name in own
        ]
        values += [sql.Identifier(name) for name in _LINEAGE_VALUES.values()]
        return sql.SQL(
            "with landed as (select * from raw.app_rows where received_at >= {start} and received_at < {end}"
            " and batch_id = {batch_id} and table_name = {name}),"
            " filed as (insert into {table} ({columns}) select {values} from landed order by segment_id, segment_row"
            " on conflict (_row_id) do nothing returning 1)"
            " insert into ops.app_loads (batch_id, table_name, landed_rows, new_rows)"
            " select {batch_id}, {name}, (select count(*) from landed), (select count(*) from filed)"
            " on conflict (batch_id, table_name) do update"
            " set landed_rows = excluded.landed_rows, new_rows = excluded.new_rows, problem = null"
        ).format(
            start=_midnight(day),
            end=_midnight(day + timedelta(days=1)),
            batch_id=sql.Literal(batch_id),
            name=sql.Literal(table),
            table=sql.Identifier(SCHEMA, table),
            columns=sql.SQL(", ").join(sql.Identifier(name) for name in [*own, *_LINEAGE_VALUES]),
            values=sql.SQL(", ").join(values),
        )


def note_of(table: str, *, batch_id: str, rows: int, problem: str) -> sql.Composed:
    """The statement that notes rows of a batch which their table cannot take."""
    return sql.SQL(
        "insert into ops.app_loads (batch_id, table_name, landed_rows, problem) values ({}, {}, {}, {})"
        " on conflict (batch_id, table_name) do update"
        " set landed_rows = excluded.landed_rows, new_rows = null, problem = excluded.problem"
    ).format(sql.Literal(batch_id), sql.Literal(table), sql.Literal(rows), sql.Literal(problem))


def file_rows(session: RawSession, tables: AppTables, batch: PlannedBatch, rows: pa.Table) -> None:
    """Move a batch's rows into their tables within the open transaction, after they were copied into `raw`."""
    if not rows.num_rows:
        return
    session.attempt(lock_limit().as_string())
    for counted in pc.value_counts(rows["table_name"]).to_pylist():
        table, count = counted["values"], counted["counts"]
        problem = tables.problem(table)
        if problem is None:
            problem = session.attempt(tables.insertion(table, batch_id=batch.batch_id, day=batch.day).as_string())
        if problem is not None:
            _log.error("rows wait for a declared table", table=table, rows=count, problem=problem)
            refusal = session.attempt(note_of(table, batch_id=batch.batch_id, rows=count, problem=problem).as_string())
            if refusal is not None:
                raise BatchRefused(refusal)


def lock_limit() -> sql.Composed:
    """The statement that keeps a transaction from waiting long for somebody who holds a declared table."""
    return sql.SQL("set local lock_timeout = {}").format(sql.Literal(_LOCK_WAIT))


def _catalog_type(table: ExistingTable, column: str) -> sql.SQL:
    return sql.SQL(table.columns[column].type)  # as Postgres itself spells it


def _midnight(day: date) -> sql.Composed:
    return sql.SQL("{}::timestamptz").format(sql.Literal(f"{day} 00:00+00"))
