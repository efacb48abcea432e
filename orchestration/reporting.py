"""What the mill holds, for `tidemill status`, the demo and others: rows read by the queries in `sql/report`."""

from pathlib import Path
from typing import Any

import psycopg

from landing.store import Store
from orchestration import plan
from orchestration.database import Connection

_QUERIES = Path(__file__).parent / "sql" / "report"

Row = dict[str, Any]


def read_report(connection: Connection, name: str, *, row_limit: int = 10, **parameters: object) -> list[Row]:
    """Rows of the report called `name`, a file of `sql/report`.

    Returns:
        Rows by column; none when the tables are not there yet, because no transform has run.
    """
    try:
        cursor = connection.execute((_QUERIES / f"{name}.sql").read_bytes(), {"row_limit": row_limit, **parameters})
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return []
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def ledger_of(connection: Connection, store: Store) -> Row:
    """What became of the events, and what waits, in totals."""
    waiting = plan.waiting(store, connection)
    totals = read_report(connection, "ledger")[0]
    duplicates = read_report(connection, "duplicates")
    return {
        "waiting_objects": waiting.count,
        "waiting_bytes": waiting.size_bytes,
        "waiting_since": waiting.oldest,
        **totals,
        **(duplicates[0] if duplicates else {"duplicates": None, "id_conflicts": None}),
        **read_report(connection, "objects")[0],
    }


def retention_table(rows: list[Row]) -> tuple[list[str], list[list[object]]]:
    """Cohorts down, weeks since across, shares in percent; from the rows of report `retention`."""
    weeks = sorted({row["week_number"] for row in rows})
    cohorts = sorted({(row["site"], row["cohort_week"], row["cohort"]) for row in rows})
    share = {
        (row["site"], row["cohort_week"], row["week_number"]): f"{100 * row['visitors'] / row['cohort']:.0f} %"
        for row in rows
        if row["cohort"]
    }
    columns = ["site", "first seen in week of", "visitors", *(f"week {week}" for week in weeks)]
    return columns, [
        [site, week_start, size, *(share.get((site, week_start, week), "") for week in weeks)]
        for site, week_start, size in cohorts
    ]
