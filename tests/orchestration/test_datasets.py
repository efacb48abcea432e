"""Check-ins and rows of declared tables pass the machinery of every dataset: load, ledger, purge, rebuild."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from landing.contract import DATASETS
from landing.store import MemoryStore
from orchestration.closing import close_days
from orchestration.database import connect, partitions
from orchestration.load import load_inbox
from orchestration.purge import PurgeLimits, PurgeReport, execute_purge, plan_purge
from orchestration.rebuild import rebuild_raw
from orchestration.reporting import read_report
from orchestration.transform_window import finish_transform, plan_transform
from tests.orchestration.ledger_state import dump, findings
from tests.orchestration.traffic import NOON, Writer, app_row, checkin, event, reject

FIRST, SECOND = NOON, NOON + timedelta(days=1)
NOW = datetime(2026, 4, 12, 0, 30, tzinfo=UTC)
LEDGER = ("ops.load_batches", "ops.load_objects", "ops.load_counts")


SITES = """
version: 1
tables:
  clicks: {columns: [{name: x, type: i32}]}
apps:
  game: {secret_key: s3cret, tables: [clicks]}
"""


def load(store: MemoryStore, database_url: str, now: datetime = SECOND, sites_file: Path | None = None) -> None:
    load_inbox(store=store, database_url=database_url, clock=lambda: now, sites_file=sites_file)


def transform_and_close(database_url: str) -> None:
    with connect(database_url) as connection:
        finish_transform(connection, plan_transform(connection, clock=lambda: NOW), clock=lambda: NOW)
        close_days(connection, [FIRST.date(), SECOND.date()], clock=lambda: NOW)


def purge(store: MemoryStore, database_url: str, *, checkin_days: int | None = None) -> PurgeReport:
    limits = PurgeLimits(raw_days=30, archive_days=395, checkin_days=checkin_days)
    with connect(database_url) as connection:
        plan = plan_purge(store=store, connection=connection, now=NOW, limits=limits)
        return execute_purge(plan, store=store, connection=connection, clock=lambda: NOW)


def days_left(database_url: str, dataset: str) -> list[date]:
    with connect(database_url) as connection:
        return list(partitions(connection, dataset))


@pytest.fixture
def store(warehouse: str, tmp_path: Path) -> MemoryStore:
    """Two days of every dataset, loaded."""
    store = MemoryStore()
    sites_file = tmp_path / "sites.yml"
    sites_file.write_text(SITES)
    writer = Writer(store)
    for at in (FIRST, SECOND):
        writer.ship(
            events=[event(at)],
            rejects=[reject(at)],
            checkins=[checkin(at), checkin(at, fleet="other", numbers='{"users":null}')],
            app_rows=[app_row(at, "clicks", {"x": 1})],
        )
    load(store, warehouse, sites_file=sites_file)
    return store


def test_every_dataset_is_loaded_counted_and_balanced(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        counted = connection.execute(
            "select dataset, site_id, reason, sum(load_counts.landed_rows)::int from ops.load_counts"
            " join ops.load_batches using (batch_id) group by 1, 2, 3 order by 1, 2"
        ).fetchall()
    assert counted == [
        ("app_rows", "game", "", 2),
        ("checkins", "other", "", 2),
        ("checkins", "pulp", "", 2),
        ("events", "shop", "", 2),
        ("rejects", "", "unknown_site", 2),
    ]
    assert findings(warehouse, store, NOW) == ()


def test_a_row_that_vanished_is_found_in_every_dataset(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        for dataset in DATASETS:
            connection.execute(f"delete from raw.{dataset.name} where received_at = '{FIRST}'")
    assert len(findings(warehouse, store, NOW)) == len(DATASETS)


def test_checkins_and_app_rows_are_never_late(warehouse: str) -> None:
    with connect(warehouse) as connection:
        connection.execute("insert into ops.purged_days values ('2026-03-11', 0, now())")
    store = MemoryStore()
    Writer(store).ship(checkins=[checkin(FIRST)], app_rows=[app_row(FIRST, "clicks", {})], rejects=[reject(FIRST)])
    load(store, warehouse)

    with connect(warehouse) as connection:
        late = connection.execute("select dataset, late_rows from ops.load_batches order by 1").fetchall()
    assert late == [("app_rows", 0), ("checkins", 0), ("rejects", 1)]


def test_raw_checkins_go_by_their_own_limit(warehouse: str, store: MemoryStore) -> None:
    transform_and_close(warehouse)

    purge(store, warehouse, checkin_days=32)

    assert days_left(warehouse, "checkins") == [SECOND.date()]
    assert days_left(warehouse, "events") == []
    assert findings(warehouse, store, NOW) == ()


@pytest.mark.parametrize("dataset", ["checkins", "app_rows"])
def test_a_purge_without_archive_keeps_the_day(warehouse: str, store: MemoryStore, dataset: str) -> None:
    transform_and_close(warehouse)
    for info in list(store.list(f"archive/{dataset}/{FIRST.date()}/")):
        store.delete(info.key)

    purge(store, warehouse)

    assert FIRST.date() in days_left(warehouse, dataset)
    assert SECOND.date() not in days_left(warehouse, dataset)


def test_raw_checkins_stay_until_their_day_is_transformed_and_closed(warehouse: str, store: MemoryStore) -> None:
    report = purge(store, warehouse)

    assert days_left(warehouse, "checkins") == [FIRST.date(), SECOND.date()]
    reasons = {each.reason for each in report.kept if "checkins of 2026-03-10" in each.subject}
    assert "the day is not closed" in reasons
    assert any("is not transformed yet" in reason for reason in reasons)


def test_a_rebuild_restores_every_dataset_from_the_archive(warehouse: str, store: MemoryStore) -> None:
    tables = [f"raw.{dataset.name}" for dataset in DATASETS]
    before = dump(warehouse, *tables), dump(warehouse, *LEDGER, without=("committed_at", "planned_at", "noticed_at"))

    rebuild_raw(store=store, database_url=warehouse, clock=lambda: NOW)

    after = dump(warehouse, *tables), dump(warehouse, *LEDGER, without=("committed_at", "planned_at", "noticed_at"))
    assert after == before


@pytest.mark.usefixtures("store")
def test_the_ledger_counts_each_dataset_apart(warehouse: str) -> None:
    with connect(warehouse) as connection:
        assert read_report(connection, "ledger") == [
            {"landed": 2, "loaded": 2, "late": 0, "rejected": 2, "checkins": 4, "app_rows": 2}
        ]
