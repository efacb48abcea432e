"""One id, two contents: the event received first keeps the id, whatever the order of loading; the other is refused."""

from datetime import timedelta

import pytest

from tests.dbt_project.warehouse import Warehouse, event_row, event_uuid, utc
from tests.fixtures.marts import dump_marts
from tests.fixtures.transform import failures

START = utc("2026-03-02T10:00:00")
SAME_ID = event_uuid("same")


def delivery(minutes: int, content_hash: int | None, **values: object) -> dict[str, object]:
    at = START + timedelta(minutes=minutes)
    return event_row(at, event_id=SAME_ID, content_hash=content_hash, segment_row=minutes, **values)


def ledger(warehouse: Warehouse) -> tuple[int, ...]:
    (row,) = warehouse.rows(
        "select landed_count, event_count, duplicate_count, conflict_count, reject_count, is_balanced"
        " from marts.fct_pipeline_ledger"
    )
    return tuple(row.values())


def test_equal_or_unknown_contents_are_duplicates_and_others_conflicts(warehouse: Warehouse) -> None:
    warehouse.load([delivery(0, 7), delivery(1, 7), delivery(2, None), delivery(3, 8, revenue=5), delivery(4, 9)])
    warehouse.transform(command="build")

    assert ledger(warehouse) == (5, 1, 2, 2, 2, True)
    assert warehouse.rows("select reason, reject_count from marts.fct_pipeline_rejects") == [
        {"reason": "id_conflict", "reject_count": 2}
    ]
    assert warehouse.rows("select event_count, revenue::int from marts.fct_sessions") == [
        {"event_count": 1, "revenue": 0}
    ]


def test_an_event_without_a_known_content_has_no_conflicts(warehouse: Warehouse) -> None:
    warehouse.load([delivery(0, None), delivery(1, 7), delivery(2, 8)])
    warehouse.transform()

    assert ledger(warehouse) == (3, 1, 2, 0, 0, True)


@pytest.mark.parametrize("dies_after", [None, "int_repeats", "int_events"])
def test_an_earlier_copy_that_arrives_later_turns_duplicates_into_conflicts(
    warehouse: Warehouse, dies_after: str | None
) -> None:
    warehouse.load([delivery(10, 7), delivery(11, 7), delivery(12, 8)])
    warehouse.transform()
    assert ledger(warehouse) == (3, 1, 1, 1, 1, True)

    warehouse.load([delivery(1, 8)])
    if dies_after:
        warehouse.transform("--select", f"+{dies_after}", finish=False)
    warehouse.transform()

    assert ledger(warehouse) == (4, 1, 1, 2, 2, True)
    after = dump_marts(warehouse.url)
    warehouse.transform(full_refresh=True)
    assert dump_marts(warehouse.url) == after


def test_the_counts_of_a_purged_day_stay_and_its_repeats_do_not_come_back_as_events(warehouse: Warehouse) -> None:
    warehouse.load([delivery(0, 7), delivery(1, 8)])
    warehouse.load([delivery(24 * 60, 9)])
    warehouse.transform()
    before = dump_marts(warehouse.url)
    warehouse.execute("insert into ops.purged_days values ('2026-03-02', 2, now())")
    warehouse.execute("drop table raw.events_2026_03_02")
    for table in ("int_events", "int_repeats"):
        warehouse.execute(f"delete from intermediate.{table} where received_at < '2026-03-03T00:00Z'")

    warehouse.load([], late=[delivery(2, 10)])
    warehouse.set_site("shop", session_timeout_s=60)
    warehouse.transform(command="build")

    after = dump_marts(warehouse.url)
    assert [name for name in after if after[name] != before[name]] == ["fct_pipeline_ledger"]
    rows = warehouse.rows(
        "select landed_count, event_count, duplicate_count, conflict_count, late_count, is_balanced"
        " from marts.fct_pipeline_ledger order by received_date"
    )
    assert [tuple(row.values()) for row in rows] == [(3, 1, 0, 1, 1, True), (1, 0, 0, 1, 0, True)]


def test_a_load_that_ends_beside_a_transform_does_not_unbalance_its_ledger(warehouse: Warehouse) -> None:
    warehouse.load([event_row(START)])
    warehouse.execute(
        "insert into ops.transforms (after_batch_id, upto_batch_id, is_full_refresh, started_at)"
        " select after_batch_id, upto_batch_id, false, now() from ops.transform_window"
    )
    warehouse.load([event_row(START)], rejects={("shop", "unknown_site"): 1})

    built = warehouse.dbt("build", "--exclude-resource-type", "unit_test")

    assert built.success, failures(built)
    assert ledger(warehouse) == (1, 1, 0, 0, 0, True)


def test_a_batch_mapped_anew_is_read_again_and_changes_only_whom_it_touches(warehouse: Warehouse) -> None:
    warehouse.load([event_row(START, visitor_id="ann", page_url="https://shop.example/old")])
    warehouse.load([event_row(START, visitor_id="bob", received_at=START + timedelta(days=1))])
    warehouse.transform()

    (first, _) = warehouse.batch_ids
    warehouse.remap(first, lambda row: row | {"page_path": "/new", "occurred_at": START - timedelta(days=2)})
    warehouse.transform(command="build")

    assert warehouse.rows("select visitor_id, landing_page, session_date::text from marts.fct_sessions order by 1") == [
        {"visitor_id": "ann", "landing_page": "/new", "session_date": "2026-02-28"},
        {"visitor_id": "bob", "landing_page": "/", "session_date": "2026-03-02"},
    ]
    assert warehouse.rows("select visitor_id from intermediate.int_visitor_rebuilds") == [{"visitor_id": "ann"}]
    after = dump_marts(warehouse.url)
    warehouse.transform(full_refresh=True)
    assert dump_marts(warehouse.url) == after


def test_an_event_that_another_mapping_moves_over_the_purge_horizon_leaves_the_marts_as_they_are(
    warehouse: Warehouse,
) -> None:
    late = event_row(START, visitor_id="ann", received_at=START + timedelta(days=1))
    young = event_row(START + timedelta(days=1), visitor_id="bob")
    warehouse.load([late, young])
    warehouse.transform()
    before = dump_marts(warehouse.url)
    warehouse.execute("insert into ops.purged_days values ('2026-03-02', 0, now())")

    (batch_id,) = warehouse.batch_ids
    moved = {START: START + timedelta(hours=20), START + timedelta(days=1): START}
    warehouse.remap(batch_id, lambda row: row | {"occurred_at": moved[row["occurred_at"]]})
    warehouse.transform(command="build")

    assert dump_marts(warehouse.url) == before
