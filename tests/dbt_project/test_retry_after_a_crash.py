from datetime import timedelta

import pytest

from tests.dbt_project.warehouse import Warehouse, event_row, event_uuid, utc
from tests.fixtures.marts import dump_marts

START = utc("2026-03-02T10:00:00")


@pytest.mark.parametrize("models", ["+int_events", "+fct_sessions +int_tracker_page_views"])
def test_a_retry_rebuilds_what_the_dead_run_had_changed(warehouse: Warehouse, models: str) -> None:
    moved = event_uuid("moved")
    numbered = {"protocol": "tracker", "page_view_id": "p", "contexts": '{"seq": 2}'}
    warehouse.load(
        [
            event_row(START, visitor_id="ann"),
            event_row(START, event_id=moved, received_at=START + timedelta(days=2), **numbered),
        ]
    )
    warehouse.transform()
    # A copy that was received earlier takes the event to another visitor and day.
    warehouse.load([event_row(START - timedelta(days=1), event_id=moved, visitor_id="bob", **numbered)])

    warehouse.transform("--select", models, finish=False)
    warehouse.transform()

    after_retry = dump_marts(warehouse.url)
    warehouse.transform(full_refresh=True)
    assert after_retry == dump_marts(warehouse.url)
