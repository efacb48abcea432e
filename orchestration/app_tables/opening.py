"""The declared tables at the beginning of a load: brought in line with the sites file, given what waited for them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from landing.declared import DeclaredTable
from landing.sites import check_sites
from orchestration.app_tables.catalog import read_declared_columns, read_tables
from orchestration.app_tables.filing import AppTables, lock_limit, note_of
from orchestration.app_tables.migration import TablePlan, plan_table
from orchestration.database import Connection

_log = structlog.get_logger(__name__)


def plan_tables(connection: Connection, declared: Mapping[str, DeclaredTable]) -> tuple[TablePlan, ...]:
    """The plan of each declared table. Changes nothing."""
    existing, before = read_tables(connection), read_declared_columns(connection)
    return tuple(
        plan_table(name, table, existing.get(name), declared_before=before.get(name, ()))
        for name, table in declared.items()
    )


def open_app_tables(connection: Connection, sites_file: Path | None, *, clock: Callable[[], datetime]) -> AppTables:
    """Bring the declared tables in line with the sites file, then insert what waited for them.

    A file that cannot be used stops nothing: the tables stay as they are. The caller holds the ledger.
    """
    sites = None if sites_file is None else check_sites(sites_file).sites
    if sites is not None:
        _apply(connection, sites.tables, clock=clock)
    elif sites_file is not None:
        _log.error("the sites file cannot be used; declared tables stay as they are", path=str(sites_file))
    problems: dict[str, str] = dict(
        connection.execute("select table_name, problem from ops.app_table_problems").fetchall()
    )
    opened = AppTables(read_tables(connection), read_declared_columns(connection), problems)
    for batch_id, day, table, rows in _waiting(connection):
        _retry(connection, opened, batch_id=batch_id, day=day, table=table, rows=rows)
    return opened


def _apply(connection: Connection, declared: Mapping[str, DeclaredTable], *, clock: Callable[[], datetime]) -> None:
    connection.execute("delete from ops.app_table_problems where table_name <> all(%s)", (list(declared),))
    for plan in plan_tables(connection, declared):
        problem = "; ".join(plan.refusals) or _execute(connection, plan, declared[plan.table], clock())
        if problem:
            _log.error("a declared table stays as it is", table=plan.table, problem=problem)
            connection.execute(
                "insert into ops.app_table_problems (table_name, problem, noticed_at) values (%s, %s, %s)"
                " on conflict (table_name) do update set problem = excluded.problem",
                (plan.table, problem, clock()),
            )
        else:
            connection.execute("delete from ops.app_table_problems where table_name = %s", (plan.table,))


def _execute(connection: Connection, plan: TablePlan, declared: DeclaredTable, now: datetime) -> str:
    """Take all steps and record the version, or none; returns why none was taken."""
    columns = [column.model_dump(include={"name", "type", "required", "indexed"}) for column in declared.columns]
    newest = connection.execute(
        "select version, columns from ops.app_table_versions where table_name = %s order by version desc limit 1",
        (plan.table,),
    ).fetchone()
    version, known = newest or (0, None)
    if not plan.steps and known == columns:
        return ""
    try:
        with connection.transaction():
            connection.execute(lock_limit())
            for step in plan.steps:
                connection.execute(step.statement)
                _log.info("declared table changed", table=plan.table, step=step.words)
            connection.execute(
                "insert into ops.app_table_versions (table_name, version, columns, statements, applied_at)"
                " values (%s, %s, %s, %s, %s)",
                (plan.table, version + 1, Jsonb(columns), [step.statement.as_string() for step in plan.steps], now),
            )
    except (psycopg.errors.LockNotAvailable, psycopg.ProgrammingError, psycopg.DataError) as error:
        return f"Postgres refuses a step: {_first_line(error)}"
    return ""


def _waiting(connection: Connection) -> Iterator[tuple[Any, ...]]:
    return iter(
        connection.execute(
            "select batch_id, day, table_name, app_loads.landed_rows from ops.app_loads"
            " join ops.load_batches using (batch_id) where problem is not null order by batch_id, table_name"
        ).fetchall()
    )


def _retry(  # noqa: PLR0913  (what waits, and where)
    connection: Connection, opened: AppTables, *, batch_id: str, day: date, table: str, rows: int
) -> None:
    problem = opened.problem(table)
    if problem is None:
        with connection.transaction():
            connection.execute(lock_limit())
            insertion = opened.insertion(table, batch_id=batch_id, day=day).as_string(connection)
            (problem,) = connection.execute("select ops.attempt(%s)", (insertion,)).fetchone() or (None,)
    if problem is None:
        _log.info("rows that waited were inserted", table=table, batch_id=batch_id)
        return
    connection.execute(note_of(table, batch_id=batch_id, rows=rows, problem=problem))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
