"""What tests look at in the warehouse: contents as plain text, and whether the ledger's equations hold."""

from datetime import datetime, timedelta

from psycopg import sql

from landing.store import Store
from orchestration.conservation import Finding, check
from orchestration.database import connect

LONG_AFTER = timedelta(days=1)


def findings(database_url: str, store: Store, now: datetime) -> tuple[Finding, ...]:
    """Every equation that does not hold, archive included, once every grace is over."""
    with connect(database_url) as connection:
        return check(connection, now=now + LONG_AFTER, store=store)


def event_ids(database_url: str) -> list[str]:
    """Ids of the rows of raw.events, sorted, as often as they are there."""
    with connect(database_url) as connection:
        return [each for (each,) in connection.execute("select event_id::text from raw.events order by 1")]


def batch_states(database_url: str) -> list[tuple[str, int]]:
    """How many batches are in which state."""
    with connect(database_url) as connection:
        return connection.execute("select state, count(*) from ops.load_batches group by 1 order by 1").fetchall()


def dump(database_url: str, *tables: str, without: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Tables as sorted lines of JSON; `without` names columns to leave out."""
    contents = {}
    with connect(database_url) as connection:
        for table in tables:
            query = sql.SQL("select (to_jsonb(t) - {without}::text[])::text from {table} as t order by 1").format(
                without=sql.Literal(list(without)), table=sql.Identifier(*table.split("."))
            )
            contents[table] = [line for (line,) in connection.execute(query)]
    return contents
