"""Archived events are replaced by what another mapping makes of them, in the archive and in raw; no count changes."""

import json
from datetime import timedelta
from typing import Any

import pytest

from landing.contract import EVENTS
from landing.errors import StoreUnavailable
from landing.keys import ArchiveKey
from landing.store import MemoryStore
from orchestration.archive import read_object
from orchestration.database import connect, partition_name
from orchestration.errors import LedgerBusy, RebuildUnfinished
from orchestration.exclusion import exclusive_ledger
from orchestration.mapping import Remap
from orchestration.pending import pending_work
from orchestration.purge import PurgeLimits, plan_purge
from orchestration.raw_copy import RawSession
from orchestration.remapping import RemapReport, remap_archive
from orchestration.transform_window import finish_transform, plan_transform
from tests.orchestration.compactable import (
    DAYS,
    FORGOTTEN,
    NOW,
    Filled,
    archived,
    close,
    compact,
    contents,
    rebuild,
)
from tests.orchestration.ledger_state import dump, findings
from tests.orchestration.remappable import mapping, renamed, unchanged
from tests.orchestration.traffic import NOON

LEDGER = ("ops.load_batches", "ops.load_objects", "ops.load_counts")
SIZES = ("archive_bytes",)


@pytest.fixture
def warehouse(filled: Filled) -> str:
    return filled.database_url


@pytest.fixture
def store(filled: Filled) -> MemoryStore:
    return filled.store


def remap(store: MemoryStore, database_url: str, change: Remap, first: int = 0, last: int = 1) -> RemapReport:
    return remap_archive(
        store=store,
        database_url=database_url,
        remap=change,
        first=DAYS[first].date(),
        last=DAYS[last].date(),
        lock_wait_s=0.05,
    )


def rows(database_url: str, query: str) -> list[tuple[Any, ...]]:
    with connect(database_url) as connection:
        return connection.execute(query.encode()).fetchall()


def rows_of(store: MemoryStore, key: ArchiveKey) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_object(store, key, EVENTS).rows.to_pylist()
    return found


def kept_columns(database_url: str) -> list[tuple[Any, ...]]:
    return rows(
        database_url,
        "select event_id, batch_id, segment_id, segment_row, received_at, loaded_at, visitor_id"
        " from raw.events order by 1, 2",
    )


@pytest.mark.parametrize("form", ["plain", "compacted"])
def test_rows_are_replaced_and_counts_and_identities_stay(warehouse: str, store: MemoryStore, form: str) -> None:
    if form == "compacted":
        compact(store, warehouse)
    before, ledger = kept_columns(warehouse), dump(warehouse, *LEDGER, without=SIZES)
    keys = archived(store)

    report = remap(store, warehouse, mapping(renamed))

    assert 30 < report.changed < report.mapped
    archive = [row for key in keys if key.dataset == "events" for row in rows_of(store, key)]
    assert report.changed == sum(row["event_name"] == "mapped anew" for row in archive)
    assert report.objects == len([key for key in keys if key.dataset == "events"])
    assert kept_columns(warehouse) == before
    assert dump(warehouse, *LEDGER, without=SIZES) == ledger
    assert archived(store) == keys
    assert rows(
        warehouse, "select distinct page_path, utm_source, click_id from raw.events where event_name = 'mapped anew'"
    ) == [("/new", "anew", "G")]
    assert findings(warehouse, store, NOON) == ()
    assert rows(warehouse, "select count(*) from ops.begun_remaps") == [(0,)]
    sizes = {str(key): len(store.get(str(key))) for key in keys}
    for key, size_bytes in rows(warehouse, "select archive_key, archive_bytes from ops.load_batches"):
        assert sizes[key] == size_bytes


@pytest.mark.parametrize("form", ["plain", "compacted"])
def test_a_rebuild_afterwards_gives_the_same_rows_and_ledger(warehouse: str, store: MemoryStore, form: str) -> None:
    if form == "compacted":
        compact(store, warehouse)
    remap(store, warehouse, mapping(renamed))
    before = contents(warehouse, FORGOTTEN)

    rebuild(store, warehouse)

    assert contents(warehouse, FORGOTTEN) == before
    assert rows(warehouse, "select count(*) from ops.remapped_batches") == [(0,)]


def test_a_mapping_that_changes_nothing_writes_nothing(warehouse: str, store: MemoryStore) -> None:
    before, versions = contents(warehouse, ()), {str(key): store.get(str(key)) for key in archived(store)}

    for change in (mapping(unchanged), mapping(renamed, protocol="segment")):
        report = remap(store, warehouse, change)
        assert (report.rewritten, report.changed, report.kept) == (0, 0, [])

    assert contents(warehouse, ()) == before
    assert {str(key): store.get(str(key)) for key in archived(store)} == versions
    assert rows(warehouse, "select count(*) from ops.remapped_batches") == [(0,)]


def test_only_days_of_the_range_are_touched(warehouse: str, store: MemoryStore) -> None:
    remap(store, warehouse, mapping(renamed), first=1)

    assert rows(warehouse, "select distinct received_at::date from raw.events where event_name = 'mapped anew'") == [
        (DAYS[1].date(),)
    ]


def test_what_was_late_stays_late_whatever_its_time_is_now(warehouse: str, store: MemoryStore) -> None:
    before = rows(warehouse, "select batch_id, late_rows, loaded_rows from ops.load_batches order by 1")
    long_ago = NOON - timedelta(days=1, minutes=1)

    def swapped(row: dict[str, Any]) -> dict[str, Any]:
        is_late = row["occurred_at"] < NOON.replace(hour=0)
        return {"event_name": "mapped anew", "occurred_at": row["received_at"] if is_late else long_ago}

    report = remap(store, warehouse, mapping(swapped))

    *_, last = archived(store, "archive/events/2026-03-10/")
    named = [(row["event_name"], row["occurred_at"] < NOON.replace(hour=0)) for row in rows_of(store, last)]
    assert sorted(named, key=str) == [("mapped anew", True)] * 3 + [(None, False)], "mapped, but for their times"
    assert report.kept == []
    rebuild(store, warehouse)
    assert rows(warehouse, "select batch_id, late_rows, loaded_rows from ops.load_batches order by 1") == before
    assert findings(warehouse, store, NOON) == ()


def test_a_purged_day_has_its_archive_mapped_and_the_report_says_so(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        connection.execute(f"drop table raw.{partition_name('events', DAYS[0].date())}")
        connection.execute("insert into ops.purged_days values (%s, 64, now())", (DAYS[0].date(),))

    report = remap(store, warehouse, mapping(renamed))

    assert report.days_not_in_raw == {DAYS[0].date()}
    assert rows(warehouse, "select count(*) from raw.events where received_at < '2026-03-11'") == [(0,)]
    assert rows(warehouse, "select distinct day from ops.remapped_batches inner join ops.load_batches using (batch_id)")
    names = {
        name
        for key in archived(store, "archive/events/2026-03-10/")
        for name in read_object(store, key, EVENTS).rows["event_name"].to_pylist()
    }
    assert "mapped anew" in names


def test_the_next_transform_reads_the_batches_again_and_what_is_mapped_meanwhile_the_one_after(
    warehouse: str, store: MemoryStore
) -> None:
    with connect(warehouse) as connection:
        finish_transform(connection, plan_transform(connection, clock=lambda: NOW), clock=lambda: NOW)
        remap(store, warehouse, mapping(renamed))
        plan = plan_transform(connection, clock=lambda: NOW)
        assert plan.has_work
        again = remap(store, warehouse, mapping(lambda _row: {"label": "again"}), first=1)
        finish_transform(connection, plan, clock=lambda: NOW)
        left = plan_transform(connection, clock=lambda: NOW)
        finish_transform(connection, left, clock=lambda: NOW)

        assert 0 < len(left.remapped_batches) < len(plan.remapped_batches)
        assert again.changed == 60
        assert not plan_transform(connection, clock=lambda: NOW).has_work


def test_a_schedule_sees_the_work(warehouse: str, store: MemoryStore, tmp_path: Any) -> None:
    sites = tmp_path / "sites.yml"
    sites.write_text("version: 1\nsites:\n  shop: {name: Shop}\n")
    with connect(warehouse) as connection:
        finish_transform(connection, plan_transform(connection, clock=lambda: NOW), clock=lambda: NOW)
        remap(store, warehouse, mapping(renamed))
        assert "remapped batches" in pending_work(connection, sites, clock=lambda: NOW)


def test_days_are_not_purged_before_the_marts_have_the_new_mapping(warehouse: str, store: MemoryStore) -> None:
    close(warehouse, 2)
    with connect(warehouse) as connection:
        connection.execute("delete from ops.purged_days")
        finish_transform(connection, plan_transform(connection, clock=lambda: NOW), clock=lambda: NOW)
        remap(store, warehouse, mapping(renamed))
        limits = PurgeLimits(raw_days=30, archive_days=395)

        plan = plan_purge(store=store, connection=connection, now=NOW, limits=limits)
        assert {each.dataset for each in plan.raw_days} == {"rejects"}
        assert any("was mapped anew: let a transform read it again" in each.reason for each in plan.kept)
        finish_transform(connection, plan_transform(connection, clock=lambda: NOW), clock=lambda: NOW)
        plan = plan_purge(store=store, connection=connection, now=NOW, limits=limits)
        assert {each.dataset for each in plan.raw_days} == {"events", "rejects"}


def test_a_value_that_postgres_refuses_leaves_the_object_as_it_was(warehouse: str, store: MemoryStore) -> None:
    before, versions = contents(warehouse, ()), {str(key): store.get(str(key)) for key in archived(store)}

    def refused(row: dict[str, Any]) -> dict[str, Any]:
        return {"props": json.dumps({"a": "\0"})} if row["event_name"] else {}

    report = remap(store, warehouse, mapping(refused))

    assert len(report.kept) == report.objects - 1 == 6, "the late ones and the one beside them have no name"
    assert all("Postgres refuses a value" in each for each in report.kept)
    assert contents(warehouse, ()) == before
    assert {str(key): store.get(str(key)) for key in archived(store)} == versions
    assert rows(warehouse, "select count(*) from ops.begun_remaps") == [(0,)]


def test_a_damaged_or_missing_object_is_reported_and_the_others_are_mapped(warehouse: str, store: MemoryStore) -> None:
    first, second = archived(store, "archive/events/2026-03-10/")[:2]
    store.put(str(first), store.get(str(first))[:-50])
    store.delete(str(second))

    report = remap(store, warehouse, mapping(renamed))

    assert len(report.kept) == 2
    assert report.objects == 5
    assert report.rewritten >= 4


def test_a_compaction_that_was_cut_off_does_not_bring_the_old_mapping_back(warehouse: str, store: MemoryStore) -> None:
    small = {str(key): store.get(str(key)) for key in archived(store)}
    with connect(warehouse) as connection:
        connection.execute("create table ops.backup as select * from ops.load_batches")
        compact(store, warehouse)
        connection.execute(
            "update ops.load_batches set archive_key = backup.archive_key, archive_bytes = backup.archive_bytes"
            " from ops.backup where backup.batch_id = load_batches.batch_id"
        )
    for key, data in small.items():
        store.put(key, data)

    remap(store, warehouse, mapping(renamed))
    before = contents(warehouse)
    rebuild(store, warehouse)

    assert contents(warehouse) == before


CUTS = [
    (step, call, then)
    for step in ("put", "replace_events", "note_remap", "commit")
    for call, then in ((1, "remap"), (4, "rebuild"), (2, "compact"), (3, "other"))
]
"""Which call fails, and what comes first afterwards."""


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: "-".join(map(str, cut)))
def test_cut_off_anywhere_running_it_again_gives_the_same_end(
    warehouse: str, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, cut: tuple[str, int, str]
) -> None:
    step, call, then = cut
    owner: Any = MemoryStore if step == "put" else RawSession
    original, calls = getattr(owner, step), iter(range(1, 100))

    def failing(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == call:
            raise StoreUnavailable(step)
        return original(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, failing)
        with pytest.raises(StoreUnavailable):
            remap(store, warehouse, mapping(renamed))
    assert findings(warehouse, store, NOON) == ()

    if then == "rebuild":
        rebuild(store, warehouse)
    elif then == "compact":
        compact(store, warehouse)
    elif then == "other":  # a replay of something else brings raw in line with the archive
        remap(store, warehouse, mapping(unchanged, "segment"))
        assert rows(warehouse, "select count(*) from ops.begun_remaps") == [(0,)]
    remap(store, warehouse, mapping(renamed))

    left = {row["event_id"]: row for key in archived(store) if key.dataset == "events" for row in rows_of(store, key)}
    for event_id, name, url in rows(warehouse, "select event_id::text, event_name, page_url from raw.events"):
        assert (left[event_id]["event_name"], left[event_id]["page_url"]) == (name, url)
    before = contents(warehouse)
    assert remap(store, warehouse, mapping(renamed)).changed == 0
    rebuild(store, warehouse)
    assert contents(warehouse) == before


def test_it_waits_for_other_holders_of_the_ledger_and_refuses_an_unfinished_rebuild(
    warehouse: str, store: MemoryStore
) -> None:
    with (
        connect(warehouse) as other,
        exclusive_ledger(other, work="load", wait_s=1),
        pytest.raises(LedgerBusy, match="another load"),
    ):
        remap(store, warehouse, mapping(renamed))
    with connect(warehouse) as connection:
        connection.execute("insert into ops.rebuilds (started_at) values (now())")
    with pytest.raises(RebuildUnfinished):
        remap(store, warehouse, mapping(renamed))
