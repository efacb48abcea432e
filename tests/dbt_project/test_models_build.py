from datetime import timedelta

from tests.dbt_project.warehouse import Warehouse, event_row, utc
from tests.fixtures.marts import KEYS, dump_marts
from tests.fixtures.transform import failures

START = utc("2026-03-02T10:00:00")


def test_every_model_builds_on_an_empty_mill(warehouse: Warehouse) -> None:
    warehouse.transform(command="build")

    dump = dump_marts(warehouse.url)
    assert sorted(dump) == sorted(KEYS)
    assert all("\n" not in text for text in dump.values())


def test_the_key_of_every_mart_identifies_its_rows(warehouse: Warehouse) -> None:
    warehouse.load([event_row(START + timedelta(hours=hour), visitor_id=f"v{hour % 3}") for hour in range(50)])
    warehouse.transform()

    for name, key in KEYS.items():
        assert warehouse.rows(f"select {key} from marts.{name} group by {key} having count(*) > 1") == []


def test_a_full_refresh_that_would_lose_purged_history_is_refused(warehouse: Warehouse) -> None:
    warehouse.load([event_row(START)])
    warehouse.transform()
    before = dump_marts(warehouse.url)
    warehouse.execute("insert into ops.purged_days values ('2026-03-02', 1, now())")
    warehouse.execute("drop table raw.events_2026_03_02")

    refused = warehouse.transform(full_refresh=True, finish=False)

    assert not refused.success
    assert "would lose history: the raw events of 1 days (2026-03-02 to 2026-03-02) were purged" in failures(refused)
    assert dump_marts(warehouse.url) == before


def test_marts_survive_the_purge_and_later_sessions_continue_them(warehouse: Warehouse) -> None:
    warehouse.load([event_row(START, page_url="https://shop.example/?utm_source=nl&utm_medium=email")])
    warehouse.transform()
    before = warehouse.rows("select * from marts.fct_sessions")
    warehouse.execute("insert into ops.purged_days values ('2026-03-02', 1, now())")
    warehouse.execute("drop table raw.events_2026_03_02")
    warehouse.execute("delete from intermediate.int_events where received_at < '2026-03-03T00:00Z'")

    warehouse.load([event_row(START + timedelta(days=4))], late=[event_row(START)])
    warehouse.transform(command="build")

    sessions = warehouse.rows("select * from marts.fct_sessions order by session_number")
    assert sessions[:1] == before
    assert [(row["session_number"], row["source"], row["is_direct"]) for row in sessions] == [
        (1, "nl", False),
        (2, "nl", True),
    ]
    ledger = warehouse.rows(
        "select received_date::text, landed_count, late_count, event_count, is_balanced"
        " from marts.fct_pipeline_ledger order by 1"
    )
    assert [tuple(row.values()) for row in ledger] == [("2026-03-02", 2, 1, 1, True), ("2026-03-06", 1, 0, 1, True)]


def test_bots_are_counted_beside_people(warehouse: Warehouse) -> None:
    warehouse.load([event_row(START), event_row(START, visitor_id="crawler", is_bot=True)])
    warehouse.transform()

    assert warehouse.rows(
        "select visitor_count, session_count, page_view_count, bot_visitor_count, bot_session_count,"
        " bot_page_view_count from marts.fct_daily_summary"
    ) == [
        {
            "visitor_count": 1,
            "session_count": 1,
            "page_view_count": 1,
            "bot_visitor_count": 1,
            "bot_session_count": 1,
            "bot_page_view_count": 1,
        }
    ]
