"""Migrations, partitions and the ledger's lock."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import psycopg
import pytest

from landing.contract import DATASETS
from orchestration.database import connect, ensure_partition, exclusive_ledger, migrate, partitions
from orchestration.errors import LedgerBusy

DAY = date(2026, 3, 10)


def test_migrating_twice_changes_nothing(warehouse: str) -> None:
    with connect(warehouse) as connection:
        before = connection.execute("select * from ops.schema_migrations order by 1").fetchall()

        migrate(warehouse)

        assert connection.execute("select * from ops.schema_migrations order by 1").fetchall() == before
        assert [number for number, *_ in before] == list(range(1, len(before) + 1))


def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [database_url] * 4))


def test_raw_tables_have_the_columns_of_the_contract(warehouse: str) -> None:
    with connect(warehouse) as connection:
        for dataset in DATASETS:
            cursor = connection.execute(f"select * from raw.{dataset.name}")
            assert [column.name for column in cursor.description or ()] == [each.name for each in dataset.columns]


def test_a_partition_takes_the_rows_of_its_utc_day(warehouse: str) -> None:
    with connect(warehouse) as connection:
        ensure_partition(connection, "rejects", DAY)
        ensure_partition(connection, "rejects", DAY)

        bound = connection.execute(
            "select pg_get_expr(relpartbound, oid) from pg_class where relname = 'rejects_20260310'"
        ).fetchone()

        assert bound == ("FOR VALUES FROM ('2026-03-10 00:00:00+00') TO ('2026-03-11 00:00:00+00')",)
        assert partitions(connection, "rejects") == {DAY: "rejects_20260310"}
        assert partitions(connection, "events") == {}


def test_a_partition_is_made_while_a_transform_reads_and_writes_go_on(warehouse: str) -> None:
    with connect(warehouse) as reader, connect(warehouse) as loader, reader.transaction():
        reader.execute("select count(*) from raw.events")
        loader.execute("set lock_timeout = '2s'")

        ensure_partition(loader, "events", DAY)

        assert list(partitions(loader, "events")) == [DAY]


def test_the_ledger_is_held_by_one_at_a_time_and_freed_at_the_end(warehouse: str) -> None:
    with connect(warehouse) as one, connect(warehouse) as other:
        with (
            exclusive_ledger(one, wait_s=1),
            pytest.raises(LedgerBusy, match=r"waited 0\.05 s"),
            exclusive_ledger(other, wait_s=0.05),
        ):
            pass
        with exclusive_ledger(other, wait_s=0.05):
            assert other.execute("show lock_timeout").fetchone() == ("0",)


def test_a_lost_session_frees_the_ledger(warehouse: str) -> None:
    def lose_session() -> None:
        with connect(warehouse) as one, exclusive_ledger(one, wait_s=1):
            other.execute("select pg_terminate_backend(%s)", (one.info.backend_pid,))
            one.execute("select 1")

    with connect(warehouse) as other:
        with pytest.raises(psycopg.OperationalError):
            lose_session()

        with exclusive_ledger(other, wait_s=5):
            pass


def test_sessions_are_in_utc(warehouse: str) -> None:
    with connect(warehouse) as connection:
        connection.execute("insert into ops.purged_days values ('2026-03-09', 0, now())")

        assert connection.execute("select purge_horizon from ops.purge_horizon").fetchone() == (
            datetime(2026, 3, 10, tzinfo=UTC),
        )
        assert connection.execute("show timezone").fetchone() == ("UTC",)
