"""The warehouse database: connections, migrations, daily partitions of `raw`."""

import contextlib
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[Any, ...]]
"""An autocommitting session in UTC; transactions are opened with `connection.transaction()`."""

_SQL_FOLDER: Final = Path(__file__).parent / "sql"
_NUMBERED: Final = re.compile(r"(\d{3})_\w+\.sql")

_MIGRATION_LOCK: Final = 0x7469_6465_0001


@contextlib.contextmanager
def connect(database_url: str) -> Iterator[Connection]:
    """A session on the warehouse, closed at the end of the block."""
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as connection:
        yield connection


def migrate(database_url: str) -> None:
    """Bring the schemas `ops` and `raw` up to date; harmless when they are, and when several processes do it at once.

    Numbered files run once each, in order, and are remembered in `ops.schema_migrations`. `raw.sql` is generated
    from the contract, adds what is missing, and runs every time.
    """
    with connect(database_url) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        connection.execute("set local client_min_messages = warning")  # `if not exists` is the normal case, not news
        connection.execute("create schema if not exists ops")
        connection.execute(
            "create table if not exists ops.schema_migrations"
            " (number integer primary key, name text not null, applied_at timestamptz not null default now())"
        )
        applied = {number for (number,) in connection.execute("select number from ops.schema_migrations")}
        for path in sorted(_SQL_FOLDER.iterdir()):
            match = _NUMBERED.fullmatch(path.name)
            if match and int(match[1]) not in applied:
                connection.execute(path.read_bytes())
                connection.execute(
                    "insert into ops.schema_migrations (number, name) values (%s, %s)", (int(match[1]), path.name)
                )
        connection.execute(statement("raw"))


def statement(name: str) -> bytes:
    """The text of `sql/<name>.sql`."""
    return (_SQL_FOLDER / f"{name}.sql").read_bytes()


def partition_name(dataset: str, day: date) -> str:
    """Table in schema `raw` that holds the rows of `dataset` received on `day` (UTC)."""
    return f"{dataset}_{day:%Y%m%d}"


def partitions(connection: Connection, dataset: str) -> dict[date, str]:
    """Existing partitions of `raw.<dataset>` by day, in order."""
    rows = connection.execute(
        "select child.relname from pg_inherits join pg_class as child on child.oid = inhrelid"
        " where inhparent = to_regclass(%s) order by child.relname",
        (f"raw.{dataset}",),
    ).fetchall()
    return {date.fromisoformat(name.rpartition("_")[2]): name for (name,) in rows}


def ensure_partition(connection: Connection, dataset: str, day: date) -> None:
    """Create the partition of `raw.<dataset>` for `day` unless it exists.

    It is made beside the parent and then attached: that takes no lock that readers of the parent would wait for,
    so a load never waits for a running transform.
    """
    name = partition_name(dataset, day)
    if connection.execute("select to_regclass(%s)", (f"raw.{name}",)).fetchone() != (None,):
        return
    parent, child = sql.Identifier("raw", dataset), sql.Identifier("raw", name)
    create = sql.SQL("create table {child} (like {parent} including defaults including constraints)")
    attach = sql.SQL("alter table {parent} attach partition {child} for values from ({start}) to ({end})")
    with connection.transaction():
        connection.execute(create.format(child=child, parent=parent))
        bounds = {"start": sql.Literal(f"{day} 00:00+00"), "end": sql.Literal(f"{day + timedelta(days=1)} 00:00+00")}
        connection.execute(attach.format(child=child, parent=parent, **bounds))
