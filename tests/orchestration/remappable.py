"""Mappings for tests: what a corrected mapping could make of the events of the tracker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from landing.contract import EVENTS
from landing.schema import landed_schema


@dataclass(frozen=True)
class Mapped:
    """What `collector.remap` gives, by its attributes."""

    rows: pa.Table
    mapped: int
    failed: int


def mapping(change: Callable[[dict[str, Any]], dict[str, Any]], protocol: str = "tracker") -> Callable[..., Mapped]:
    """A mapping that changes each row of a protocol whose original is kept."""

    def remap(table: pa.Table) -> Mapped:
        assert table.schema.equals(landed_schema(EVENTS))
        rows = table.to_pylist()
        mapped = [row["protocol"] == protocol and row["raw"] is not None for row in rows]
        new = [row | change(row) if is_mapped else row for row, is_mapped in zip(rows, mapped, strict=True)]
        return Mapped(pa.Table.from_pylist(new, schema=table.schema), sum(mapped), 0)

    return remap


def unchanged(row: dict[str, Any]) -> dict[str, Any]:
    return row


def renamed(row: dict[str, Any]) -> dict[str, Any]:
    """Another name for every second event, another page, and an earlier time for some."""
    if int(row["event_id"][-1], 16) % 2:
        return {}
    moved = timedelta(seconds=7) if int(row["event_id"][-2], 16) % 2 else timedelta(0)
    return {
        "event_name": "mapped anew",
        "event_type": "event",
        "props": '{"mapped":"anew"}',
        "page_url": f"https://{row['site_id']}.example/new?utm_source=anew&gclid=G",
        "occurred_at": row["received_at"] - moved - timedelta(seconds=2),
    }
