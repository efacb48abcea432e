"""Inbox objects become rows of raw and a balanced ledger."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Thread

import psycopg
import pytest

from landing.store import MemoryStore, ObjectInfo
from orchestration.database import connect, partitions
from orchestration.errors import LedgerBusy, RebuildUnfinished
from orchestration.exclusion import exclusive_ledger
from orchestration.ledger import batches_committed_since
from orchestration.load import LoadReport, load_inbox
from orchestration.plan import LoadLimits, waiting
from tests.orchestration.ledger_state import batch_states, event_ids, findings
from tests.orchestration.traffic import NOON, Writer, event, reject, visits

LATER = NOON + timedelta(hours=1)


def load(store: MemoryStore, database_url: str, **changes) -> LoadReport:
    return load_inbox(**{"store": store, "database_url": database_url, "clock": lambda: LATER} | changes)


def test_a_landed_event_is_in_raw_and_in_the_ledger(warehouse: str) -> None:
    store = MemoryStore()
    Writer(store).ship(events=[event(NOON), event(NOON + timedelta(minutes=1))], rejects=[reject(NOON)])

    report = load(store, warehouse)

    assert report.loaded_rows == {"events": 2, "rejects": 1}
    with connect(warehouse) as connection:
        assert connection.execute(
            "select count(*), min(page_host), min(browser), min(loaded_at) from raw.events"
        ).fetchone() == (2, "shop.example", "Chrome", LATER)
        assert connection.execute(
            "select dataset, state, landed_rows, loaded_rows, late_rows from ops.load_batches order by 1"
        ).fetchall() == [("events", "committed", 2, 2, 0), ("rejects", "committed", 1, 1, 0)]
        assert connection.execute(
            "select site_id, received_date, reason, landed_rows from ops.load_counts order by 3"
        ).fetchall() == [("shop", date(2026, 3, 10), "", 2), ("", date(2026, 3, 10), "unknown_site", 1)]
    assert findings(warehouse, store, LATER) == ()


def test_every_kind_of_value_survives_the_way_to_raw(warehouse: str) -> None:
    store = MemoryStore()
    row = event(
        NOON,
        content_group=["a", 'b"c'],
        props='{"n": 1.5, "t": "\\u00e9\\n"}',
        revenue=Decimal("12.345678"),
        value=0.1,
        gpc=False,
        scroll_percent=55,
        engaged_ms=2**40,
        page_title="naïve ☃",
        warnings=[],
    )
    Writer(store).ship(events=[row])

    load(store, warehouse)

    with connect(warehouse) as connection:
        assert connection.execute(
            "select content_group, props, revenue, value, gpc, scroll_percent, engaged_ms, page_title, warnings, raw"
            " from raw.events"
        ).fetchone() == (
            ["a", 'b"c'],
            {"n": 1.5, "t": "é\n"},
            Decimal("12.345678"),
            0.1,
            False,
            55,
            2**40,
            "naïve ☃",
            [],
            None,
        )


def test_batches_of_the_last_while_can_be_told_from_older_ones(warehouse: str) -> None:
    store = MemoryStore()
    Writer(store).ship(events=[event(NOON)])
    report = load(store, warehouse)

    with connect(warehouse) as connection:
        assert batches_committed_since(connection, LATER) == tuple(report.batch_ids)
        assert batches_committed_since(connection, LATER + timedelta(microseconds=1)) == ()


def test_nothing_new_loads_nothing(warehouse: str) -> None:
    store = MemoryStore()
    Writer(store).ship(events=[event(NOON)])
    load(store, warehouse)

    report = load(store, warehouse)

    assert (report.batch_ids, report.objects) == ([], 0)


def test_a_load_lists_the_inbox_only(warehouse: str) -> None:
    """The archive grows for a year; a load each minute must not read through it."""

    class Recording(MemoryStore):
        """Keeps the prefixes that were listed."""

        prefixes: set[str] = set()  # noqa: RUF012  (one instance)

        def list(self, prefix: str) -> Iterator[ObjectInfo]:
            self.prefixes.add(prefix)
            return super().list(prefix)

    store = Recording()
    Writer(store).ship(events=[event(NOON)])
    load(store, warehouse)
    with connect(warehouse) as connection:
        waiting(store, connection)

    assert store.prefixes == {"inbox/"}


def test_an_object_delivered_twice_is_loaded_once(warehouse: str) -> None:
    store = MemoryStore()
    row = event(NOON)
    Writer(store).ship(events=[row])
    load(store, warehouse)

    Writer(store).ship(events=[row])
    load(store, warehouse)

    assert event_ids(warehouse) == [row["event_id"]]


def test_an_object_put_again_after_its_purge_is_not_loaded_again(warehouse: str) -> None:
    store = MemoryStore()
    row = event(NOON)
    (key,) = Writer(store).ship(events=[row])
    load(store, warehouse)
    with connect(warehouse) as connection:
        connection.execute("update ops.load_objects set deleted_at = now() where object_key = %s", (key,))

    report = load(store, warehouse)

    assert (report.objects, event_ids(warehouse)) == (0, [row["event_id"]])


def test_batches_are_cut_by_rows_bytes_and_objects(warehouse: str) -> None:
    store = MemoryStore()
    writer = Writer(store)
    for _ in range(6):
        writer.ship(events=[event(NOON), event(NOON)])

    def batches(limits: LoadLimits) -> int:
        report = load(store, warehouse, limits=limits)
        with connect(warehouse) as connection:
            connection.execute("truncate ops.load_batches, raw.events cascade")
        return len(report.batch_ids)

    assert batches(LoadLimits(batch_rows_max=4)) == 3
    assert batches(LoadLimits(batch_objects_max=3)) == 2
    assert batches(LoadLimits(batch_bytes_max=1)) == 6  # an object larger than the limit is a batch of its own
    assert batches(LoadLimits()) == 1


def test_rows_received_around_midnight_go_to_the_partition_of_their_day(warehouse: str) -> None:
    store = MemoryStore()
    midnight = datetime(2026, 3, 11, tzinfo=UTC)
    before, after = midnight - timedelta(microseconds=1), midnight
    writer = Writer(store)
    writer.ship(events=[event(before)])
    writer.ship(events=[event(after, occurred_at=before)])

    report = load(store, warehouse)

    assert report.days == {date(2026, 3, 10), date(2026, 3, 11)}
    with connect(warehouse) as connection:
        assert list(partitions(connection, "events")) == [date(2026, 3, 10), date(2026, 3, 11)]
        assert connection.execute("select count(*) from raw.events_20260310").fetchone() == (1,)
    assert findings(warehouse, store, LATER) == ()


def test_what_happened_before_the_purge_horizon_is_archived_and_counted_but_not_loaded(warehouse: str) -> None:
    store = MemoryStore()
    horizon = datetime(2026, 3, 10, tzinfo=UTC)
    with connect(warehouse) as connection:
        connection.execute("insert into ops.purged_days values ('2026-03-09', 0, now())")
    late = event(NOON, occurred_at=horizon - timedelta(microseconds=1))
    in_time = event(NOON, occurred_at=horizon)
    Writer(store).ship(events=[late, in_time])

    report = load(store, warehouse)

    assert (report.landed_rows, report.loaded_rows, report.late_rows) == ({"events": 2}, {"events": 1}, {"events": 1})
    assert event_ids(warehouse) == [in_time["event_id"]]
    assert findings(warehouse, store, LATER) == ()


def test_a_batch_of_late_events_only_makes_no_partition(warehouse: str) -> None:
    store = MemoryStore()
    with connect(warehouse) as connection:
        connection.execute("insert into ops.purged_days values ('2026-03-10', 0, now())")
    Writer(store).ship(events=[event(NOON)])

    report = load(store, warehouse)

    assert (report.loaded_rows, report.late_rows) == ({"events": 0}, {"events": 1})
    with connect(warehouse) as connection:
        assert partitions(connection, "events") == {}
    assert findings(warehouse, store, LATER) == ()


def test_the_horizon_of_a_plan_stays_when_a_purge_comes_between(warehouse: str) -> None:
    store = MemoryStore()
    Writer(store).ship(events=[event(NOON)])
    _plan_only(store, warehouse)
    with connect(warehouse) as connection:
        connection.execute("insert into ops.purged_days values ('2026-03-09', 0, now())")

    load(store, warehouse)

    with connect(warehouse) as connection:
        assert connection.execute("select purge_horizon from ops.load_batches").fetchall() == [(None,)]


def test_a_planned_batch_is_executed_before_new_ones_and_keeps_its_id(warehouse: str) -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.ship(events=[event(NOON)])
    planned = _plan_only(store, warehouse)
    writer.ship(events=[event(NOON)])

    report = load(store, warehouse)

    assert report.repeated_batch_ids == [planned]
    assert report.batch_ids[0] == planned
    assert len(report.batch_ids) == 2
    assert findings(warehouse, store, LATER) == ()


def test_a_second_loader_gives_up_after_its_wait(warehouse: str) -> None:
    with (
        connect(warehouse) as connection,
        exclusive_ledger(connection, work="purge", wait_s=1),
        pytest.raises(LedgerBusy, match=r"another purge since \d\d:\d\d:\d\d UTC is at work \(waited 0\.05 s\)"),
    ):
        load(MemoryStore(), warehouse, lock_wait_s=0.05)


def test_two_loaders_at_once_load_everything_once(warehouse: str) -> None:
    store = MemoryStore()
    writer = Writer(store)
    rows = list(visits(seed=1, start=NOON, seconds=600, rows=400))
    for start in range(0, len(rows), 40):
        writer.ship(events=rows[start : start + 40])
    reports: list[LoadReport] = []
    threads = [
        Thread(target=lambda: reports.append(load(store, warehouse, limits=LoadLimits(batch_rows_max=80))))
        for _ in range(2)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(len(report.batch_ids) for report in reports) == [0, 5]
    assert event_ids(warehouse) == sorted(row["event_id"] for row in rows)


def test_a_batch_that_another_session_committed_meanwhile_is_not_counted_twice(warehouse: str) -> None:
    """A loader that lost its lock, and one that took over: the commit of the first finds nothing left to do."""

    class Overtaken(MemoryStore):
        def put(self, key: str, data: bytes) -> None:
            super().put(key, data)
            if key.startswith("archive/"):
                with connect(warehouse) as connection:
                    connection.execute(
                        "update ops.load_batches"
                        " set state = 'committed', landed_rows = 1, loaded_rows = 1, late_rows = 0"
                    )

    store = Overtaken()
    Writer(store).ship(events=[event(NOON)])

    report = load(store, warehouse)

    assert (report.batch_ids, event_ids(warehouse)) == ([], [])


def test_a_loader_that_loses_its_lock_stops(warehouse: str) -> None:
    class CutOff(MemoryStore):
        def put(self, key: str, data: bytes) -> None:
            super().put(key, data)
            if key.startswith("archive/"):
                with connect(warehouse) as connection:
                    connection.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")

    store = CutOff()
    row = event(NOON)
    Writer(store).ship(events=[row])

    with pytest.raises(psycopg.OperationalError):
        load(store, warehouse)

    load(_copy(store), warehouse)
    assert event_ids(warehouse) == [row["event_id"]]


def test_an_unfinished_rebuild_stops_the_load(warehouse: str) -> None:
    with connect(warehouse) as connection:
        connection.execute("insert into ops.rebuilds (started_at) values (%s)", (NOON,))

    with pytest.raises(RebuildUnfinished, match="run it again"):
        load(MemoryStore(), warehouse)


def test_an_object_that_vanishes_after_the_listing_is_passed_over(warehouse: str) -> None:
    class Vanishing(MemoryStore):
        def list(self, prefix: str):
            yield from super().list(prefix)
            self.delete(keys[0])

    store = Vanishing()
    writer = Writer(store)
    keys = writer.ship(events=[event(NOON)])
    writer.ship(events=[event(NOON)])

    report = load(store, warehouse)

    assert (report.objects, report.quarantined) == (1, [])
    assert [(each.severity, each.subject) for each in findings(warehouse, store, LATER)] == [("failure", "w1")]


def test_an_object_that_vanishes_after_it_was_planned_is_quarantined(warehouse: str) -> None:
    store = MemoryStore()
    writer = Writer(store)
    (gone,) = writer.ship(events=[event(NOON)])
    kept = event(NOON)
    writer.ship(events=[kept])
    _plan_only(store, warehouse)
    store.delete(gone)

    report = load(store, warehouse)

    assert [(each.key, each.reason) for each in report.quarantined] == [(gone, "the object has gone from the inbox")]
    assert event_ids(warehouse) == [kept["event_id"]]
    assert batch_states(warehouse) == [("committed", 1)]


def test_a_planned_batch_whose_objects_are_all_gone_is_committed_empty(warehouse: str) -> None:
    store = MemoryStore()
    (gone,) = Writer(store).ship(events=[event(NOON)])
    _plan_only(store, warehouse)
    store.delete(gone)

    report = load(store, warehouse)

    assert (report.landed_rows, batch_states(warehouse)) == ({"events": 0}, [("committed", 1)])


def test_waiting_counts_what_a_load_would_take(warehouse: str) -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.ship(events=[event(NOON)])
    load(store, warehouse)
    with connect(warehouse) as connection:
        assert waiting(store, connection).count == 0
        writer.ship(events=[event(NOON)], rejects=[reject(NOON)])
        found = waiting(store, connection)
        assert (found.count, found.oldest is not None) == (2, True)
        assert found.size_bytes == sum(info.size_bytes for info in store.list("inbox/") if "000001" in info.key)
        _plan_only(store, warehouse)
        assert waiting(store, connection).count == 2


def _copy(store: MemoryStore) -> MemoryStore:
    """The same objects in a store that does nothing else."""
    copied = MemoryStore()
    for info in store.list(""):
        copied.put(info.key, store.get(info.key))
    return copied


def _plan_only(store: MemoryStore, database_url: str) -> str:
    """Leave the batch of everything new planned, as a crash right after the plan would."""

    class Crash(Exception):
        pass

    class Crashing(MemoryStore):
        def get(self, key: str) -> bytes:
            return store.get(key)

        def list(self, prefix: str):
            yield from store.list(prefix)

        def put(self, key: str, data: bytes) -> None:
            raise Crash(key, data)

    with pytest.raises(Crash):
        load(Crashing(), database_url)
    with connect(database_url) as connection:
        row = connection.execute("select batch_id from ops.load_batches where state = 'planned'").fetchone()
    assert row
    return row[0]
