"""A raw day goes only when all that was made of it stands; each condition is broken once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from landing.errors import StoreUnavailable
from landing.store import MemoryStore
from orchestration.closing import close_days
from orchestration.database import connect, partitions
from orchestration.errors import RebuildUnfinished
from orchestration.load import load_inbox
from orchestration.purge import PurgeLimits, PurgePlan, PurgeReport, execute_purge, plan_purge
from orchestration.transform_window import finish_transform, plan_transform
from tests.orchestration.ledger_state import dump, findings
from tests.orchestration.traffic import NOON, Writer, event, reject

FIRST, SECOND, THIRD = NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)
NOW = datetime(2026, 4, 11, 0, 30, tzinfo=UTC)
"""30 days of raw end with 11 March: 10 and 11 March are older than their limit by then, 12 March is not."""

LIMITS = PurgeLimits(raw_days=30, archive_days=395)


def load(store: MemoryStore, database_url: str, now: datetime = THIRD) -> None:
    load_inbox(store=store, database_url=database_url, clock=lambda: now)


def transform(database_url: str) -> None:
    with connect(database_url) as connection:
        finish_transform(connection, plan_transform(connection, clock=lambda: NOW), clock=lambda: NOW)


def close(database_url: str, *days: datetime) -> None:
    with connect(database_url) as connection:
        close_days(connection, [day.date() for day in days], clock=lambda: NOW)


def plan(store: MemoryStore, database_url: str, limits: PurgeLimits = LIMITS, now: datetime = NOW) -> PurgePlan:
    with connect(database_url) as connection:
        return plan_purge(store=store, connection=connection, now=now, limits=limits)


def purge(store: MemoryStore, database_url: str, limits: PurgeLimits = LIMITS, now: datetime = NOW) -> PurgeReport:
    planned = plan(store, database_url, limits, now)
    with connect(database_url) as connection:
        return execute_purge(planned, store=store, connection=connection, clock=lambda: now)


def days_left(database_url: str, dataset: str = "events") -> list[date]:
    with connect(database_url) as connection:
        return list(partitions(connection, dataset))


@pytest.fixture
def store(warehouse: str) -> MemoryStore:
    """Three days of events and rejects, loaded, transformed, the days closed."""
    store = MemoryStore()
    writer = Writer(store)
    for at in (FIRST, SECOND, THIRD):
        writer.ship(events=[event(at), event(at)], rejects=[reject(at)])
    load(store, warehouse)
    transform(warehouse)
    close(warehouse, FIRST, SECOND, THIRD)
    return store


def test_days_over_their_limit_go_and_are_noted(warehouse: str, store: MemoryStore) -> None:
    report = purge(store, warehouse)

    assert [(each.dataset, each.day, each.rows) for each in report.raw_days] == [
        ("events", FIRST.date(), 2),
        ("events", SECOND.date(), 2),
        ("rejects", FIRST.date(), 1),
        ("rejects", SECOND.date(), 1),
    ]
    assert (days_left(warehouse), days_left(warehouse, "rejects")) == ([THIRD.date()], [THIRD.date()])
    with connect(warehouse) as connection:
        assert connection.execute("select purge_horizon from ops.purge_horizon").fetchone() == (
            datetime(2026, 3, 12, tzinfo=UTC),
        )
    assert report.kept == ()
    assert findings(warehouse, store, NOW) == ()


def test_a_plan_changes_nothing(warehouse: str, store: MemoryStore) -> None:
    before = dump(warehouse, "ops.load_objects", "ops.purged_days", "raw.events")
    keys = [info.key for info in store.list("")]

    assert plan(store, warehouse).raw_days

    assert dump(warehouse, "ops.load_objects", "ops.purged_days", "raw.events") == before
    assert [info.key for info in store.list("")] == keys


def test_what_arrives_for_a_purged_day_is_late(warehouse: str, store: MemoryStore) -> None:
    purge(store, warehouse)
    Writer(store, "w2").ship(events=[event(FIRST)])
    load(store, warehouse, NOW)

    with connect(warehouse) as connection:
        assert connection.execute("select sum(late_rows) from ops.load_batches").fetchone() == (1,)
    assert days_left(warehouse) == [THIRD.date()]
    assert findings(warehouse, store, NOW) == ()


def test_a_day_may_be_named_instead_of_the_limit_but_never_today(warehouse: str, store: MemoryStore) -> None:
    named = PurgeLimits(raw_days=30, archive_days=395, before=SECOND.date())
    assert {each.day for each in plan(store, warehouse, named).raw_days} == {FIRST.date()}

    future = PurgeLimits(raw_days=30, archive_days=395, before=date(2027, 1, 1))
    assert {each.day for each in plan(store, warehouse, future, now=THIRD).raw_days} == {FIRST.date(), SECOND.date()}


def unclosed(database_url: str, _store: MemoryStore) -> None:
    with connect(database_url) as connection:
        connection.execute("delete from ops.closed_days where day = '2026-03-10'")


def untransformed(database_url: str, store: MemoryStore) -> None:
    Writer(store, "w2").ship(events=[event(FIRST)])
    load(store, database_url)


def untransformed_old_event_received_later(database_url: str, store: MemoryStore) -> None:
    Writer(store, "w2").ship(events=[event(THIRD, occurred_at=FIRST)])
    load(store, database_url)


def planned_but_uncommitted(database_url: str, _store: MemoryStore) -> None:
    with connect(database_url) as connection:
        connection.execute(
            "insert into ops.load_batches (batch_id, dataset, day, state, planned_at)"
            " values ('000000000009-x', 'events', '2026-03-20', 'planned', now())"
        )


def missing_archive(_database_url: str, store: MemoryStore) -> None:
    store.delete(next(info.key for info in store.list("archive/events/2026-03-10/")))


def damaged_archive(_database_url: str, store: MemoryStore) -> None:
    store.put(next(info.key for info in store.list("archive/events/2026-03-10/")), b"PAR1")


def another_archive(_database_url: str, store: MemoryStore) -> None:
    other = store.get(next(info.key for info in store.list("archive/rejects/2026-03-10/")))
    store.put(next(info.key for info in store.list("archive/events/2026-03-10/")), other)


@pytest.mark.parametrize(
    ("breakage", "reason"),
    [
        (unclosed, "the day is not closed"),
        (untransformed, "is not transformed yet"),
        (untransformed_old_event_received_later, "holds events that happened until that day"),
        (planned_but_uncommitted, "was planned and not committed"),
        (missing_archive, "is missing"),
        (damaged_archive, "is damaged"),
        (another_archive, "has 0 rows of it, 2 landed"),
    ],
)
def test_a_day_stays_while_a_condition_fails_and_so_do_later_days(
    warehouse: str, store: MemoryStore, breakage, reason: str
) -> None:
    breakage(warehouse, store)

    report = purge(store, warehouse)

    assert days_left(warehouse) == [FIRST.date(), SECOND.date(), THIRD.date()]
    assert any(each.subject == "raw.events of 2026-03-10" and reason in each.reason for each in report.kept)


@pytest.mark.parametrize("breakage", [unclosed, untransformed, planned_but_uncommitted])
def test_conditions_that_fail_after_the_plan_still_keep_the_day(warehouse: str, store: MemoryStore, breakage) -> None:
    planned = plan(store, warehouse, PurgeLimits(raw_days=30, archive_days=1))
    assert len(planned.archive_keys) == 4
    breakage(warehouse, store)

    with connect(warehouse) as connection:
        report = execute_purge(planned, store=store, connection=connection, clock=lambda: NOW)

    assert [each.dataset for each in report.raw_days] == ["rejects", "rejects"]
    assert (len(days_left(warehouse)), days_left(warehouse, "rejects")) == (3, [THIRD.date()])
    assert len({info.key.split("/")[2] for info in store.list("archive/events/")}) == 3
    assert report.archive_objects == 2
    assert report.kept


def test_rejects_stay_while_their_archive_is_missing(warehouse: str, store: MemoryStore) -> None:
    store.delete(next(info.key for info in store.list("archive/rejects/2026-03-10/")))

    report = purge(store, warehouse)

    assert days_left(warehouse, "rejects") == [FIRST.date(), THIRD.date()]
    assert [each.subject for each in report.kept] == ["raw.rejects of 2026-03-10"]


def test_inbox_objects_go_a_day_after_their_commit(warehouse: str, store: MemoryStore) -> None:
    Writer(store, "w2").ship(events=[event(THIRD)])
    store.put("inbox/events/2026-03-12/12/broken.parquet", b"")
    load(store, warehouse, NOW)
    Writer(store, "w3").ship(events=[event(THIRD)])

    report = purge(store, warehouse, now=NOW + timedelta(hours=23, minutes=59))

    left = [info.key.rpartition("/")[2] for info in store.list("inbox/")]
    assert report.inbox_objects == 6
    assert left == ["broken.parquet", "w2-000000.parquet", "w3-000000.parquet"]
    with connect(warehouse) as connection:
        assert connection.execute("select count(*) from ops.load_objects where deleted_at is not null").fetchone() == (
            6,
        )
    purge(store, warehouse, now=NOW + timedelta(days=1))
    assert [info.key.rpartition("/")[2] for info in store.list("inbox/")] == ["broken.parquet", "w3-000000.parquet"]


def test_an_inbox_object_that_came_back_goes_again(warehouse: str, store: MemoryStore) -> None:
    key = next(info.key for info in store.list("inbox/"))
    data = store.get(key)
    purge(store, warehouse)
    store.put(key, data)

    purge(store, warehouse)

    assert list(store.list("inbox/")) == []


def test_archive_objects_go_by_their_own_limit_once_their_raw_day_is_gone(warehouse: str, store: MemoryStore) -> None:
    limits = PurgeLimits(raw_days=30, archive_days=1)

    report = purge(store, warehouse, limits)

    assert report.archive_objects == 4
    assert [info.key.split("/")[2] for info in store.list("archive/")] == ["2026-03-12"] * 2
    assert [(each.subject, each.reason) for each in report.kept] == [
        ("archive of events of 2026-03-12", "its raw rows are still there"),
        ("archive of rejects of 2026-03-12", "its raw rows are still there"),
    ]
    assert findings(warehouse, store, NOW) == ()


def test_session_events_of_purged_days_go_but_those_of_sessions_that_may_grow(
    warehouse: str, store: MemoryStore
) -> None:
    horizon = datetime(2026, 3, 12, tzinfo=UTC)
    with connect(warehouse) as connection:
        connection.execute(
            "create schema intermediate; create schema marts;"
            "create table intermediate.int_events"
            " (event_id int, site_id text, visitor_id text, occurred_at timestamptz, received_at timestamptz);"
            "create table marts.fct_sessions (site_id text, visitor_id text, session_start_at timestamptz,"
            " session_end_at timestamptz)"
        )
        sessions = [  # visitor, start, end
            ("old", horizon - timedelta(days=1, hours=1), horizon - timedelta(days=1, microseconds=1)),
            ("recent", horizon - timedelta(days=1, hours=1), horizon - timedelta(days=1)),
            ("spanning", horizon - timedelta(hours=1), horizon + timedelta(hours=1)),
            ("both", horizon - timedelta(days=5), horizon - timedelta(days=5)),
            ("both", horizon + timedelta(hours=1), horizon + timedelta(hours=1)),
        ]
        with connection.cursor() as cursor:
            cursor.executemany("insert into marts.fct_sessions values ('shop', %s, %s, %s)", sessions)
            cursor.executemany(
                "insert into intermediate.int_events values (%s, 'shop', %s, %s, %s)",
                [
                    *((n, visitor, at, at) for n, (visitor, *ends) in enumerate(sessions) for at in set(ends)),
                    (5, "late", horizon - timedelta(days=9), horizon + timedelta(days=1)),
                ],
            )

    report = purge(store, warehouse)

    with connect(warehouse) as connection:
        left = connection.execute("select distinct event_id from intermediate.int_events order by 1").fetchall()
    assert left == [(1,), (2,), (4,), (5,)]
    assert report.session_events == 3


def test_a_purge_that_is_cut_off_is_finished_by_the_next(warehouse: str) -> None:
    class CutOff(MemoryStore):
        """Takes a number of deletions, then fails."""

        left = 0

        def delete(self, key: str) -> None:
            if self.left == 0:
                raise StoreUnavailable(key)
            self.left -= 1
            super().delete(key)

    store = CutOff()
    writer = Writer(store)
    for at in (FIRST, SECOND):
        writer.ship(events=[event(at)])
    load(store, warehouse)
    transform(warehouse)
    close(warehouse, FIRST, SECOND)
    limits = PurgeLimits(raw_days=30, archive_days=1)
    for removed in range(4):  # two inbox and two archive objects, one more with each attempt
        store.left = removed and 1
        with pytest.raises(StoreUnavailable):
            purge(store, warehouse, limits)

    store.left = 1
    purge(store, warehouse, limits)

    assert list(store.list("")) == []
    assert days_left(warehouse) == []
    assert findings(warehouse, store, NOW) == ()


def test_a_day_that_fails_half_way_stays_whole(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        connection.execute("alter table ops.purged_days add constraint refuse check (day <> '2026-03-11')")

    with pytest.raises(Exception, match="refuse"):
        purge(store, warehouse)
    assert days_left(warehouse) == [SECOND.date(), THIRD.date()]
    with connect(warehouse) as connection:
        connection.execute("alter table ops.purged_days drop constraint refuse")

    purge(store, warehouse)

    assert days_left(warehouse) == [THIRD.date()]
    assert findings(warehouse, store, NOW) == ()


def test_an_unfinished_rebuild_stops_the_purge(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        connection.execute("insert into ops.rebuilds (started_at) values (%s)", (NOW,))

    with pytest.raises(RebuildUnfinished):
        purge(store, warehouse)
