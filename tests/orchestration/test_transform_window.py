"""The window that the models read covers every committed batch exactly as long as it must."""

from datetime import date, timedelta

import pytest

from landing.store import MemoryStore
from orchestration.closing import close_days, request_days
from orchestration.database import Connection, connect
from orchestration.errors import DayNotOver
from orchestration.load import load_inbox
from orchestration.transform_window import finish_transform, plan_transform
from tests.orchestration.traffic import NOON, Writer, event


@pytest.fixture
def writer() -> Writer:
    return Writer(MemoryStore())


def load(writer: Writer, database_url: str) -> str:
    """Load one more batch; its id."""
    writer.ship(events=[event(NOON)])
    (batch_id,) = load_inbox(store=writer.store, database_url=database_url, clock=lambda: NOON).batch_ids
    return batch_id


def window(connection: Connection) -> tuple:
    return connection.execute("select after_batch_id, upto_batch_id from ops.transform_window").fetchone() or ()


def test_a_transform_covers_what_was_committed_since_the_last(warehouse: str, writer: Writer) -> None:
    with connect(warehouse) as connection:
        first = load(writer, warehouse)
        plan = plan_transform(connection, clock=lambda: NOON)
        assert (plan.after_batch_id, plan.upto_batch_id) == window(connection) == ("", first)

        second = load(writer, warehouse)
        assert window(connection) == ("", first), "the window stands while the transform runs"
        finish_transform(connection, plan, clock=lambda: NOON)

        plan = plan_transform(connection, clock=lambda: NOON)
        assert (plan.after_batch_id, plan.upto_batch_id) == window(connection) == (first, second)
        finish_transform(connection, plan, clock=lambda: NOON)
        assert not plan_transform(connection, clock=lambda: NOON).has_work


def test_an_unfinished_transform_is_taken_over_and_widened(warehouse: str, writer: Writer) -> None:
    with connect(warehouse) as connection:
        load(writer, warehouse)
        crashed = plan_transform(connection, clock=lambda: NOON)
        second = load(writer, warehouse)

        plan = plan_transform(connection, clock=lambda: NOON)

        assert plan.transform_id == crashed.transform_id
        assert (plan.after_batch_id, plan.upto_batch_id) == window(connection) == ("", second)


def test_a_full_refresh_begins_with_the_first_batch(warehouse: str, writer: Writer) -> None:
    with connect(warehouse) as connection:
        first = load(writer, warehouse)
        finish_transform(connection, plan_transform(connection, clock=lambda: NOON), clock=lambda: NOON)

        plan = plan_transform(connection, clock=lambda: NOON, full_refresh=True)

        assert (plan.after_batch_id, plan.upto_batch_id) == ("", first)


def test_a_full_refresh_that_died_is_taken_over_as_one(warehouse: str, writer: Writer) -> None:
    with connect(warehouse) as connection:
        first = load(writer, warehouse)
        finish_transform(connection, plan_transform(connection, clock=lambda: NOON), clock=lambda: NOON)
        plan_transform(connection, clock=lambda: NOON, full_refresh=True)

        again = plan_transform(connection, clock=lambda: NOON)
        finish_transform(connection, again, clock=lambda: NOON)
        after = plan_transform(connection, clock=lambda: NOON)

        assert (again.is_full_refresh, again.after_batch_id) == (True, "")
        assert (after.is_full_refresh, after.after_batch_id) == (False, first)


def test_requests_are_cleared_by_the_transform_that_saw_them(warehouse: str) -> None:
    early, later = date(2026, 3, 1), date(2026, 3, 2)
    with connect(warehouse) as connection:
        plan = plan_transform(connection, clock=lambda: NOON, requested_days=[early, later])
        assert [day for day, _ in plan.requested_days] == [early, later]
        assert plan.has_work
        request_days(connection, [later, date(2026, 3, 3)], clock=lambda: NOON + timedelta(minutes=1))

        finish_transform(connection, plan, clock=lambda: NOON)

        assert connection.execute("select day from ops.requested_days order by 1").fetchall() == [
            (later,),
            (date(2026, 3, 3),),
        ]


def test_an_unfinished_transform_clears_nothing(warehouse: str) -> None:
    with connect(warehouse) as connection:
        plan_transform(connection, clock=lambda: NOON, requested_days=[date(2026, 3, 1)])
        plan = plan_transform(connection, clock=lambda: NOON)

        assert [day for day, _ in plan.requested_days] == [date(2026, 3, 1)]


def test_a_site_is_rebuilt_until_a_transform_that_saw_its_change_finished(warehouse: str) -> None:
    insert = (
        "insert into ops.sites values (%s, 'n', 'UTC', null, 1800, true, true, 183, '{}', '{}', false, true, %s)"
        " on conflict (site_id) do update set updated_at = excluded.updated_at"
    )
    with connect(warehouse) as connection:
        connection.execute(insert, ("seen", NOON))
        connection.execute(insert, ("changed", NOON))
        plan = plan_transform(connection, clock=lambda: NOON)
        connection.execute(insert, ("changed", NOON + timedelta(minutes=1)))

        finish_transform(connection, plan, clock=lambda: NOON)

        assert [site for site, _ in plan.pending_sites] == ["changed", "seen"]
        assert connection.execute("select site_id from ops.sites where is_rebuild_pending").fetchall() == [("changed",)]


def test_closing_a_day_records_what_its_summaries_cover(warehouse: str, writer: Writer) -> None:
    day = NOON.date()
    tomorrow = NOON + timedelta(days=1)
    with connect(warehouse) as connection:
        first = load(writer, warehouse)
        finish_transform(connection, plan_transform(connection, clock=lambda: NOON), clock=lambda: NOON)
        load(writer, warehouse)

        close_days(connection, [day], clock=lambda: tomorrow)
        close_days(connection, [day], clock=lambda: tomorrow + timedelta(hours=1))

        assert connection.execute("select * from ops.closed_days").fetchall() == [
            (day, tomorrow + timedelta(hours=1), first)
        ]


def test_a_day_that_is_not_over_is_not_closed(warehouse: str) -> None:
    with connect(warehouse) as connection:
        with pytest.raises(DayNotOver, match="2026-03-10 is not over at 2026-03-10T12:00:00Z"):
            close_days(connection, [NOON.date() - timedelta(days=1), NOON.date()], clock=lambda: NOON)

        assert connection.execute("select count(*) from ops.closed_days").fetchone() == (0,)
