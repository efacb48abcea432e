"""Applying today's mapping to events that an older one mapped: what the client sent is kept as `raw` beside them.

What an event is, says and is worth is mapped anew. Who sent it, when and from where stays: those columns come from
the request, the site's rules of privacy and salts that are destroyed since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from collector.columns import FITTERS
from collector.convert import read_rows
from collector.endpoint import Family
from collector.limits import WARNINGS_MAX
from collector.time import from_us, occurred, to_us
from landing.contract import EVENTS
from landing.schema import INSTANT, landed_schema

_MAPPED_GROUPS = {"kind", "event detail", "order", "engagement", "the rest"}
"""Groups of columns that hold only what a mapping put there: what it no longer gives is emptied."""
_MAPPED = {column.name for column in EVENTS.columns if column.group in _MAPPED_GROUPS}
_KEPT = {
    "client_event_id",
    "site_id",
    "protocol",
    "protocol_version",
    "tracking_key",
    "visitor_id",
    "visitor_id_kind",
    "ip",
    "gpc",
    "raw",
    "content_hash",
    "request_id",
    "request_index",
    "collector_id",
}
"""Columns that a mapping may fill and that stay what they were."""


@dataclass(frozen=True, slots=True)
class Remapped:
    """What became of a table.

    Attributes:
        rows: The same rows in the same order, the mapped ones with new values.
        mapped: How many were mapped anew.
        changed: How many of them are different now.
        failed: How many could not be mapped and stay what they were.
    """

    rows: pa.Table
    mapped: int
    changed: int
    failed: int


def remap_events(table: pa.Table, family: Family) -> Remapped:
    """Map the events of a family anew, as far as their `raw` was kept.

    Args:
        table: Events with the landed columns of the contract.
        family: Whose events; with a `remap`.
    """
    schema = landed_schema(EVENTS)
    table = table.select(schema.names).cast(schema)
    is_mapped = pc.and_(pc.equal(table["protocol"], family.protocol), pc.is_valid(table["raw"]))
    positions = pc.indices_nonzero(is_mapped)
    old = table.take(positions).to_pylist()
    new = [_remapped(row, family) for row in old]
    spooled = [_spooled(row if found is None else found) for row, found in zip(old, new, strict=True)]
    replaced = _read_spooled(spooled, schema)
    others = pc.indices_nonzero(pc.invert(is_mapped))
    order = pc.sort_indices(pa.chunked_array([others, positions]).combine_chunks())
    rows = pa.concat_tables([table.take(others), replaced]).take(order)
    failed = sum(found is None for found in new)
    changed = sum(before != after for before, after in zip(old, replaced.to_pylist(), strict=True))
    return Remapped(rows, len(new) - failed, changed, failed)


def _remapped(row: Mapping[str, Any], family: Family) -> dict[str, Any] | None:
    """The row by today's mapping; None when that takes the event for invalid."""
    assert family.remap is not None  # noqa: S101  (callers choose families that have one)
    try:
        candidate = family.remap(msgspec.json.decode(row["raw"]), row)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    warnings = list(candidate.warnings)
    fitted = {name: FITTERS[name](value, warnings) for name, value in candidate.columns.items() if name not in _KEPT}
    new = {name: None if name in _MAPPED else value for name, value in row.items()} | fitted
    new["event_type"] = new["event_type"] or "event"
    new["is_interaction"] = True if new["is_interaction"] is None else new["is_interaction"]
    new["warnings"] = warnings[:WARNINGS_MAX] or None
    return new | _time(candidate.client_time_us, row)


def _time(client_us: int | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of time, where the mapping reads another time from the event; the clock's correction stays."""
    before = row["client_time"]
    if client_us is None or (before is not None and client_us == to_us(before)):
        return {}
    offset_us = 0 if before is None else to_us(row["occurred_at"]) - to_us(before)
    occurred_us, flag = occurred(to_us(row["received_at"]), event_us=client_us + offset_us, is_true=True)
    is_told = flag != "ok" or row["time_flag"] in {"no_client_time", "late", "clamped_future"}
    return {
        "client_time": from_us(client_us),
        "occurred_at": from_us(occurred_us),
        "time_flag": flag if is_told and row["time_flag"] != "imported" else row["time_flag"],
    }


def _read_spooled(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    if not rows:
        return schema.empty_table()
    times = pa.schema([field.with_type(pa.int64()) if field.type == INSTANT else field for field in schema])
    return read_rows(b"\n".join(map(msgspec.json.encode, rows)) + b"\n", times).select(schema.names).cast(schema)


def _spooled(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a spool segment holds it: nulls omitted, times as epoch microseconds, money as text."""
    return {
        name: to_us(value) if isinstance(value, datetime) else value for name, value in row.items() if value is not None
    }
