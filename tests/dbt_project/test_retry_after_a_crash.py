from datetime import timedelta

import pytest

from tests.dbt_project.warehouse import Warehouse, event_row, event_uuid, utc
from tests.fixtures.marts import dump_marts

START = utc("2026-03-02T10:00:00")


@pytest.mark.parametrize("model", ["int_events", "fct_sessions"])
def test_a_retry_rebuilds_what_the_dead_run_had_changed(warehouse: Warehouse, model: str) -> None:
    moved = event_uuid("moved")
    warehouse.load(
        [event_row(START, visitor_id="ann"), event_row(START, event_id=moved, received_at=START + timedelta(days=2))]
    )
    warehouse.transform()
    # A copy that was received earlier takes the event to another visitor and day.
    warehouse.load([event_row(START - timedelta(days=1), event_id=moved, visitor_id="bob")])

    warehouse.transform("--select", f"+{model}", finish=False)
    warehouse.transform()

    after_retry = dump_marts(warehouse.url)
    warehouse.transform(full_refresh=True)
    assert after_retry == dump_marts(warehouse.url)
