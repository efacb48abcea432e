"""A load's memory is bounded by its limits, not by what waits in the inbox."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from landing.codec import SegmentOrigin, encode
from landing.contract import EVENTS
from landing.keys import InboxKey
from landing.schema import landed_schema
from landing.store import DirectoryStore
from tests.orchestration.traffic import NOON, visits

OBJECTS, ROWS = 26, 10_000
ROOT = Path(__file__).parents[2]


def fill(store: DirectoryStore) -> None:
    """Objects of varied rows; they repeat but for their segment, which no step of the load profits from."""
    schema = landed_schema(EVENTS)
    rows = [
        row | {"segment_id": "", "segment_row": n}
        for n, row in enumerate(visits(seed=5, start=NOON, seconds=3_500, rows=ROWS))
    ]
    table = pa.Table.from_pylist(rows, schema=schema)
    place = schema.get_field_index("segment_id")
    for number in range(OBJECTS):
        origin = SegmentOrigin(f"w1-{number:06d}", "w1", number, {"events": ROWS})
        segment = pa.repeat(pa.scalar(origin.segment_id), ROWS)
        data = encode(table.set_column(place, schema.field(place), segment), schema, origin)
        store.put(str(InboxKey("events", NOON, origin.segment_id)), data)


def test_peak_memory_does_not_grow_with_the_number_of_events(warehouse: str, tmp_path: Path) -> None:
    fill(DirectoryStore(tmp_path))

    done = subprocess.run(
        [sys.executable, "-m", "tests.orchestration.measured_load", str(tmp_path), warehouse],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["rows"] == OBJECTS * ROWS
    assert answer["batches"] >= 6
    assert answer["peaks"][-1] < 800, "two million events may take 1 GiB"
    # By the third batch two were in memory at once; what follows adds only what allocators keep.
    third = answer["peaks"][len(answer["peaks"]) // 2]
    assert answer["peaks"][-1] - third < 150
