"""Migrations and partitions."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

from landing.contract import DATASETS
from orchestration import database
from orchestration.database import connect, ensure_partition, migrate, partitions

DAY = date(2026, 3, 10)


def test_migrating_twice_changes_nothing(warehouse: str) -> None:
    with connect(warehouse) as connection:
        before = connection.execute("select * from ops.schema_migrations order by 1").fetchall()

        migrate(warehouse)

        assert connection.execute("select * from ops.schema_migrations order by 1").fetchall() == before
        files = sorted(path.name for path in Path(database.__file__).with_name("sql").glob("[0-9]*.sql"))
        assert [name for _, name, _ in before] == files


def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [database_url] * 4))


def test_raw_tables_have_the_columns_of_the_contract(warehouse: str) -> None:
    with connect(warehouse) as connection:
        for dataset in DATASETS:
            cursor = connection.execute(f"select * from raw.{dataset.name}")
            assert {column.name for column in cursor.description or ()} == {each.name for each in dataset.columns}


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


def test_the_counts_of_a_day_are_found_without_reading_those_of_all_days(warehouse: str) -> None:
    with connect(warehouse) as connection:
        connection.execute(
            "insert into ops.load_batches (batch_id, dataset, day, state, planned_at)"
            " select n::text, 'events', date '2026-01-01' + n / 100, 'planned', now() from generate_series(0, 9999) n;"
            " insert into ops.load_counts select batch_id, 'shop', day, '', 1, 0 from ops.load_batches;"
            " analyze ops.load_counts"
        )

        plan = connection.execute(
            "explain select sum(landed_rows) from ops.load_counts"
            " where site_id = 'shop' and received_date = '2026-01-05'"
        ).fetchall()

    assert any("load_counts_received" in line for (line,) in plan), plan


def test_sessions_are_in_utc(warehouse: str) -> None:
    with connect(warehouse) as connection:
        connection.execute("insert into ops.purged_days values ('2026-03-09', 0, now())")

        assert connection.execute("select purge_horizon from ops.purge_horizon").fetchone() == (
            datetime(2026, 3, 10, tzinfo=UTC),
        )
        assert connection.execute("show timezone").fetchone() == ("UTC",)
