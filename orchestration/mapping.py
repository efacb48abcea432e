"""Archived events with a new mapping: what changes of loaded rows, and what must not.

Pure functions from Arrow to Arrow; the mapping itself is the collector's and comes as a function.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from landing.codec import BatchOrigin
from landing.contract import EVENTS
from landing.schema import landed_schema, loaded_schema
from orchestration.counting import was_late
from orchestration.enrich import Places, enrich
from orchestration.enrich.places import PLACE_COLUMNS
from orchestration.enrich.urls import pages

_ROWS_AT_ONCE: Final = 4_096
"""Rows that are Python objects at one time: a mapping is not Arrow's."""

_TIMES: Final = ("client_time", "occurred_at", "time_flag")
_KEPT: Final = ("batch_id", "loaded_at", *PLACE_COLUMNS)
"""Columns of the load that a mapping cannot change. Places are those of the time of the load: no other City database,
or none, may take them away."""


class Remapped(Protocol):
    """What a mapping makes of a table of landed events: the same rows in the same order, and counts."""

    @property
    def rows(self) -> pa.Table:
        """The rows, the mapped ones with new values."""

    @property
    def mapped(self) -> int:
        """How many were mapped anew."""

    @property
    def failed(self) -> int:
        """How many could not be mapped and stay what they were."""


Remap = Callable[[pa.Table], Remapped]


@dataclass(frozen=True, slots=True)
class MappedRows:
    """Loaded rows, mapped anew.

    Attributes:
        rows: In the order in which they were given.
        is_changed: Which are different now.
        mapped: How many were mapped anew.
        failed: How many could not be mapped and stay what they were.
    """

    rows: pa.Table
    is_changed: pa.ChunkedArray
    mapped: int
    failed: int


def map_loaded(rows: pa.Table, origins: Iterable[BatchOrigin], remap: Remap) -> MappedRows:
    """Map loaded events anew and enrich those that changed.

    Whether an event was late does not change, so its time stays where another would cross the purge horizon that
    divided its batch.

    Args:
        rows: All rows of an archive object.
        origins: Of its batches.
        remap: The mapping.
    """
    landed = _as_landed(rows)
    results = [remap(landed.slice(start, _ROWS_AT_ONCE)) for start in range(0, landed.num_rows, _ROWS_AT_ONCE)]
    mapped = pa.concat_tables([landed_schema(EVENTS).empty_table(), *(each.rows for each in results)])
    mapped = _with_times(mapped, landed, _crosses_horizon(rows, mapped, origins))
    is_changed = _differs(landed, mapped)
    changed, same = pc.indices_nonzero(is_changed), pc.indices_nonzero(pc.invert(is_changed))
    enriched = _enriched(mapped.take(changed), rows.take(changed))
    order = pc.sort_indices(pa.concat_arrays([same, changed]))
    return MappedRows(
        rows=pa.concat_tables([rows.take(same), enriched]).take(order),
        is_changed=is_changed,
        mapped=sum(each.mapped for each in results),
        failed=sum(each.failed for each in results),
    )


def _as_landed(rows: pa.Table) -> pa.Table:
    """The landed columns as they landed: without a click id that the load had read from the page's address."""
    found = pages(rows["page_url"])
    told = pc.invert(
        pc.and_(
            pc.fill_null(pc.equal(rows["click_id"], found["click_id"]), fill_value=False),
            pc.fill_null(pc.equal(rows["click_id_kind"], found["click_id_kind"]), fill_value=False),
        )
    )
    landed = rows.select(landed_schema(EVENTS).names)
    for name in ("click_id", "click_id_kind"):
        column = pc.if_else(told, rows[name], pa.scalar(None, pa.string()))
        landed = landed.set_column(landed.schema.get_field_index(name), landed.schema.field(name), column)
    return landed.cast(landed_schema(EVENTS))


def _crosses_horizon(rows: pa.Table, mapped: pa.Table, origins: Iterable[BatchOrigin]) -> pa.ChunkedArray:
    """Which rows would be late by their new time and were not, or the other way round."""
    crosses = pa.chunked_array([pa.repeat(pa.scalar(value=False), rows.num_rows)])
    for origin in origins:
        if not origin.late_rows:
            continue
        is_of_batch = pc.equal(rows["batch_id"], origin.batch_id)
        batch = rows.filter(is_of_batch)
        newest_late = pc.max(batch.filter(was_late(batch, EVENTS, origin.late_rows))["occurred_at"])
        was, would_be = (pc.less_equal(table["occurred_at"], newest_late) for table in (rows, mapped))
        crosses = pc.or_(crosses, pc.and_(is_of_batch, pc.xor(was, would_be)))
    return crosses


def _with_times(mapped: pa.Table, landed: pa.Table, keeps: pa.ChunkedArray) -> pa.Table:
    """The mapped rows, with the former times where `keeps`."""
    for name in _TIMES:
        column = pc.if_else(keeps, landed[name], mapped[name])
        mapped = mapped.set_column(mapped.schema.get_field_index(name), mapped.schema.field(name), column)
    return mapped


def _differs(before: pa.Table, after: pa.Table) -> pa.ChunkedArray:
    """Which rows of two tables of one schema differ in any column."""
    differs = pa.chunked_array([pa.repeat(pa.scalar(value=False), before.num_rows)])
    for name in before.schema.names:
        old, new = before[name], after[name]
        if old.equals(new):
            continue
        if pa.types.is_list(old.type):  # Arrow compares no lists
            pairs = zip(old.to_pylist(), new.to_pylist(), strict=True)
            unequal: pa.ChunkedArray = pa.chunked_array([pa.array([one != other for one, other in pairs], pa.bool_())])
        else:
            unequal = pc.fill_null(pc.not_equal(old, new), fill_value=False)
            unequal = pc.or_(unequal, pc.xor(pc.is_null(old), pc.is_null(new)))
        differs = pc.or_(differs, unequal)
    return differs


def _enriched(mapped: pa.Table, loaded: pa.Table) -> pa.Table:
    """Mapped rows with the columns of the load, taking from the loaded ones what a mapping cannot change."""
    schema = loaded_schema(EVENTS)
    if not mapped.num_rows:
        return schema.empty_table()
    first = {name: loaded[name][0].as_py() for name in ("batch_id", "loaded_at")}
    rows = enrich(mapped, dataset=EVENTS, places=Places(None), **first)
    for name in _KEPT:
        rows = rows.set_column(schema.get_field_index(name), schema.field(name), loaded[name])
    return rows.cast(schema)
