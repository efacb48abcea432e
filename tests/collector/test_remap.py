"""Events that an older mapping made are mapped anew from what their client sent."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from collector.protocols import api, tracker
from collector.remap import remap_events
from landing.codec import decode_segment
from landing.contract import EVENTS
from landing.schema import landed_schema
from tests.collector.conftest import NOW, LocalCollector


def landed_events(local: LocalCollector) -> pa.Table:
    local.collector.spool.seal()
    local.collector.shipper.ship_sealed()
    schema = landed_schema(EVENTS)
    keys = [found.key for found in local.store.list("inbox/events/")]
    return pa.concat_tables([decode_segment(local.store.get(key), schema)[0] for key in keys])


@pytest.fixture
def events(local: LocalCollector) -> pa.Table:
    ts = round(NOW.timestamp() * 1000)
    local.track(
        {"n": "page", "u": "https://shop.example/", "ts": ts - 1, "seq": 1, "p": {"plan": "pro"}},
        {"n": "purchase", "p": {"value": "12.50", "currency": "EUR", "order_id": "o-1", "items": [{"sku": "a"}]}},
        {"n": "identify", "p": {"id": "u-1", "traits": {"a": 1}}},
        {"n": "engage", "e": 5_000, "sd": 40},
        w=800,
        dpr=2,
        sent_at=ts + 60_000,
    )
    local.call({"events": [{"event_name": "x", "revenue": "3", "plan": "a", "occurred_at": "2026-03-10T11:00:00Z"}]})
    return landed_events(local)


def test_todays_mapping_of_what_todays_mapping_made_changes_nothing(events: pa.Table) -> None:
    for family, count in ((tracker.FAMILY, 4), (api.FAMILY, 1)):
        remapped = remap_events(events, family)
        assert (remapped.mapped, remapped.changed, remapped.failed) == (count, 0, 0)
        assert remapped.rows.equals(events)


def test_a_corrected_mapping_changes_what_an_event_says_and_not_who_sent_it_when(events: pa.Table) -> None:
    def louder(raw: Any, row: Any) -> Any:
        candidate = tracker.remap(raw, row)
        candidate.columns |= {"event_name": str(raw["n"]).upper(), "visitor_id": "forged", "site_id": "forged"}
        candidate.columns.pop("revenue", None)
        return candidate

    remapped = remap_events(events, replace(tracker.FAMILY, remap=louder))

    before, after = events.to_pylist(), remapped.rows.to_pylist()
    assert [row["event_name"] for row in after] == ["PAGE", "PURCHASE", "IDENTIFY", "ENGAGE", "x"]
    assert (remapped.changed, after[1]["revenue"], after[1]["currency"]) == (4, None, "EUR")
    same = ("event_id", "visitor_id", "site_id", "occurred_at", "received_at", "segment_row", "viewport_width", "raw")
    assert [[row[name] for name in same] for row in after] == [[row[name] for name in same] for row in before]


def test_a_corrected_time_keeps_the_correction_of_the_clock(events: pa.Table) -> None:
    def earlier(raw: Any, row: Any) -> Any:
        candidate = tracker.remap(raw, row)
        if candidate.client_time_us is not None:
            candidate.client_time_us -= 5_000_000
        return candidate

    before, after = (
        events.to_pylist()[0],
        remap_events(events, replace(tracker.FAMILY, remap=earlier)).rows.to_pylist()[0],
    )

    assert before["time_flag"] == after["time_flag"] == "corrected"
    assert before["occurred_at"] - after["occurred_at"] == timedelta(seconds=5)


def test_what_would_be_refused_today_or_was_not_kept_stays_as_it_is(local: LocalCollector) -> None:
    local.track({"n": "page"}, site="quiet")  # keeps no raw
    local.track({"n": "page"})
    table = landed_events(local)

    def refuse(_raw: Any, _row: Any) -> Any:
        raise ValueError

    remapped = remap_events(table, replace(tracker.FAMILY, remap=refuse))
    assert (remapped.mapped, remapped.changed, remapped.failed) == (0, 0, 1)
    assert remapped.rows.equals(table)


def test_a_warning_of_the_new_mapping_replaces_those_of_the_old(local: LocalCollector) -> None:
    local.track({"n": "page", "w": "wide"})
    table = landed_events(local)
    assert json.loads(table["raw"][0].as_py())["w"] == "wide"
    (row,) = remap_events(table, tracker.FAMILY).rows.to_pylist()
    assert row["warnings"] == ["invalid:viewport_width"]
