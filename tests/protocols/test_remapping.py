"""Mapping what the vectors of a family sent anew, by today's mapping, changes nothing."""

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from collector.convert import read_rows
from collector.endpoint import Family
from collector.protocols import plausible, segment, snowplow
from collector.remap import remap_events
from landing.contract import EVENTS
from landing.schema import INSTANT, landed_schema
from tests.protocols.vectors import read_vectors, run

FOLDER = Path(__file__).parent


def kept_events(family: str) -> pa.Table:
    """Every event of the family's vectors whose original was kept."""
    rows = [row for vector in read_vectors(FOLDER / family) for row in run(vector)[1].rows.get("events", [])]
    kept = [row | {"segment_id": "s", "segment_row": number} for number, row in enumerate(rows) if "raw" in row]
    schema = landed_schema(EVENTS)
    spooled = pa.schema([field.with_type(pa.int64()) if field.type == INSTANT else field for field in schema])
    lines = b"\n".join(map(msgspec.json.encode, kept)) + b"\n"
    return read_rows(lines, spooled).select(schema.names).cast(schema)


@pytest.mark.parametrize("family", [segment.FAMILY, snowplow.FAMILY, plausible.FAMILY], ids=lambda each: each.protocol)
def test_todays_mapping_of_what_todays_mapping_made_changes_nothing(family: Family) -> None:
    events = kept_events(family.protocol)
    remapped = remap_events(events, family)
    assert remapped.mapped == events.num_rows > 10
    different = [
        (before["raw"], name, before[name], after[name])
        for before, after in zip(events.to_pylist(), remapped.rows.to_pylist(), strict=True)
        for name in before
        if before[name] != after[name]
    ]
    assert different == []
