"""Raw and ledger come back from the archive as they were."""

import itertools
from datetime import datetime, timedelta

import pytest

from landing.errors import StoreUnavailable
from landing.store import MemoryStore
from orchestration import raw_copy
from orchestration.database import connect
from orchestration.errors import ArchiveDamaged, HistoryLoss, RebuildUnfinished
from orchestration.load import load_inbox
from orchestration.plan import LoadLimits
from orchestration.rebuild import RebuildReport, rebuild_raw
from orchestration.transform_window import finish_transform, plan_transform
from tests.orchestration.ledger_state import dump, event_ids, findings
from tests.orchestration.traffic import NOON, Writer, event, reject, visits

RAW = ("raw.events", "raw.rejects")
LEDGER = ("ops.load_batches", "ops.load_objects", "ops.load_counts")
FORGOTTEN = ("committed_at", "noticed_at", "purge_horizon")
"""What the archive does not remember: when batches were committed and where the horizon was."""


def load(store: MemoryStore, database_url: str, now: datetime = NOON) -> None:
    load_inbox(store=store, database_url=database_url, clock=lambda: now, limits=LoadLimits(batch_objects_max=2))


def rebuild(store: MemoryStore, database_url: str, **options: bool) -> RebuildReport:
    return rebuild_raw(store=store, database_url=database_url, clock=lambda: NOON + timedelta(days=1), **options)


@pytest.fixture
def store(warehouse: str) -> MemoryStore:
    """Two days of varied events and rejects, some late, the inbox partly purged."""
    store = MemoryStore()
    writer = Writer(store)
    for day in range(2):
        rows = list(visits(seed=day, start=NOON + timedelta(days=day), seconds=3000, rows=60))
        for start in range(0, 60, 20):
            writer.ship(events=rows[start : start + 20], rejects=[reject(NOON + timedelta(days=day))])
    load(store, warehouse)
    with connect(warehouse) as connection:
        connection.execute("insert into ops.purged_days values ('2026-03-09', 0, now())")
    late = [event(NOON, occurred_at=NOON - timedelta(days=1, minutes=n)) for n in range(3)]
    writer.ship(events=[*late, event(NOON)])
    load(store, warehouse)
    store.delete(next(info.key for info in store.list("inbox/")))
    return store


def test_raw_and_ledger_are_equal_before_and_after(warehouse: str, store: MemoryStore) -> None:
    before = dump(warehouse, *RAW), dump(warehouse, *LEDGER, without=FORGOTTEN)

    report = rebuild(store, warehouse)

    assert (dump(warehouse, *RAW), dump(warehouse, *LEDGER, without=FORGOTTEN)) == before
    assert (report.restored_batches, report.restored_rows, report.inbox.objects) == (9, 127, 0)
    assert findings(warehouse, store, NOON) == ()


def test_what_was_late_stays_late(warehouse: str, store: MemoryStore) -> None:
    rebuild(store, warehouse)

    with connect(warehouse) as connection:
        assert connection.execute("select sum(late_rows), sum(loaded_rows) from ops.load_batches").fetchone() == (
            3,
            127,
        )
        assert connection.execute("select min(occurred_at) >= %s from raw.events", (NOON,)).fetchone() == (True,)


def test_what_waits_in_the_inbox_is_loaded_after_the_archive(warehouse: str, store: MemoryStore) -> None:
    row = event(NOON)
    Writer(store, "w2").ship(events=[row])

    report = rebuild(store, warehouse)

    assert report.inbox.loaded_rows == {"events": 1}
    assert row["event_id"] in event_ids(warehouse)
    with connect(warehouse) as connection:
        assert connection.execute("select max(batch_id) from ops.load_batches").fetchone() == (
            report.inbox.batch_ids[0],
        )


def test_the_next_transform_begins_with_the_first_batch(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        finish_transform(connection, plan_transform(connection, clock=lambda: NOON), clock=lambda: NOON)
        connection.execute("create schema marts; create table marts.fct_sessions (a int); create schema staging")

        rebuild(store, warehouse)

        assert connection.execute("select to_regnamespace('marts'), to_regnamespace('staging')").fetchone() == (
            None,
            None,
        )
        assert plan_transform(connection, clock=lambda: NOON).after_batch_id == ""


def test_an_archive_with_a_hole_is_refused_before_anything_changes(warehouse: str, store: MemoryStore) -> None:
    before = dump(warehouse, *RAW, *LEDGER)
    store.delete(next(info.key for info in store.list("archive/events/")))

    with pytest.raises(HistoryLoss, match=r"1 of 9 batches, received from 2026-03-10 to 2026-03-10"):
        rebuild(store, warehouse)

    assert dump(warehouse, *RAW, *LEDGER) == before
    assert rebuild(store, warehouse, allow_history_loss=True).restored_batches == 8


def test_a_damaged_archive_object_stops_the_rebuild_and_all_else_until_it_is_repaired(
    warehouse: str, store: MemoryStore
) -> None:
    before = dump(warehouse, *RAW)
    key = [info.key for info in store.list("archive/events/")][1]
    data = store.get(key)
    store.put(key, data[:-50])

    with pytest.raises(ArchiveDamaged, match=key):
        rebuild(store, warehouse)
    with pytest.raises(RebuildUnfinished):
        load(store, warehouse)
    with connect(warehouse) as connection, pytest.raises(RebuildUnfinished):
        plan_transform(connection, clock=lambda: NOON)
    store.put(key, data)
    rebuild(store, warehouse)

    assert dump(warehouse, *RAW) == before


@pytest.mark.parametrize("method", ["write_commit", "copy", "commit"])
@pytest.mark.parametrize("call", [1, 5])
def test_an_interrupted_rebuild_is_completed_by_running_it_again(
    warehouse: str, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, method: str, call: int
) -> None:
    before = dump(warehouse, *RAW), dump(warehouse, *LEDGER, without=FORGOTTEN)
    original, calls = getattr(raw_copy.RawSession, method), itertools.count(1)

    def failing(*args, **kwargs):
        if next(calls) == call:
            raise StoreUnavailable(method)
        return original(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(raw_copy.RawSession, method, failing)
        with pytest.raises(StoreUnavailable):
            rebuild(store, warehouse)
    with pytest.raises(RebuildUnfinished, match="run it again"):
        load(store, warehouse)

    rebuild(store, warehouse)

    assert (dump(warehouse, *RAW), dump(warehouse, *LEDGER, without=FORGOTTEN)) == before
    assert findings(warehouse, store, NOON) == ()
