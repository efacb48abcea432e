"""What a new mapping changes of loaded rows, and what it must not."""

from datetime import timedelta
from typing import Any

import pyarrow as pa

from landing.codec import BatchObject, BatchOrigin, SegmentOrigin
from landing.contract import EVENTS
from landing.schema import landed_schema, loaded_schema
from orchestration.enrich import Places, enrich
from orchestration.mapping import MappedRows, map_loaded
from tests.orchestration.remappable import mapping, unchanged
from tests.orchestration.traffic import NOON, event

CLICK = "https://shop.example/a?gclid=G"


def loaded(*changes: dict[str, Any]) -> pa.Table:
    """Rows as the load made them, somewhere in Germany."""
    rows = [
        event(NOON, raw="{}", segment_id="s", segment_row=number, event_id=f"0190a0a0-0000-7000-8000-{number:012d}")
        | change
        for number, change in enumerate(changes)
    ]
    table = pa.Table.from_pylist(rows, schema=landed_schema(EVENTS))
    table = enrich(table, dataset=EVENTS, batch_id="b", loaded_at=NOON, places=Places(None))
    schema = loaded_schema(EVENTS)
    country = pa.array(["DE"] * table.num_rows, pa.string())
    return table.set_column(schema.get_field_index("geo_country"), schema.field("geo_country"), country)


def mapped(table: pa.Table, change: Any, late_rows: int = 0) -> MappedRows:
    origin = SegmentOrigin("s", "w", 0, {"events": table.num_rows})
    objects = [BatchObject("inbox/x", 1, table.num_rows, origin)]
    return map_loaded(table, [BatchOrigin("b", NOON.isoformat(), late_rows, objects)], mapping(change))


def test_nothing_changes_where_the_mapping_changes_nothing() -> None:
    table = loaded({"page_url": CLICK}, {"click_id": "told", "click_id_kind": "yclid"}, {"warnings": ["a:b"]})

    result = mapped(table, unchanged)

    assert result.rows.equals(table)
    assert (result.is_changed.to_pylist(), result.mapped) == ([False] * 3, 3)


def test_a_click_id_of_the_former_address_goes_with_it_and_one_that_the_client_told_stays() -> None:
    table = loaded({"page_url": CLICK}, {"page_url": CLICK, "click_id": "told", "click_id_kind": "yclid"})

    result = mapped(table, lambda _row: {"page_url": "https://shop.example/b"})

    rows = result.rows.to_pylist()
    assert [(row["page_path"], row["click_id"], row["click_id_kind"]) for row in rows] == [
        ("/b", None, None),
        ("/b", "told", "yclid"),
    ]


def test_places_and_batches_stay_and_rows_of_others_are_left_alone() -> None:
    table = loaded({}, {"protocol": "segment"}, {"raw": None}, {})

    result = mapped(table, lambda row: {"warnings": ["new:one"]} if row["segment_row"] else {})

    assert result.is_changed.to_pylist() == [False, False, False, True]
    assert result.rows.slice(0, 3).equals(table.slice(0, 3))
    (row,) = result.rows.slice(3).to_pylist()
    assert (row["warnings"], row["geo_country"], row["batch_id"], row["loaded_at"]) == (["new:one"], "DE", "b", NOON)


def test_a_time_that_would_cross_the_horizon_of_the_batch_stays() -> None:
    hour = timedelta(hours=1)
    table = loaded({"occurred_at": NOON - 3 * hour}, {"occurred_at": NOON - 2 * hour}, {}, {})
    moves = [-hour, 2 * hour, -3 * hour, -hour]

    result = mapped(table, lambda row: {"occurred_at": row["occurred_at"] + moves[row["segment_row"]]}, late_rows=2)

    assert [(row["occurred_at"] - NOON) // hour for row in result.rows.to_pylist()] == [-4, -2, 0, -1]
