"""Objects that cannot be used are quarantined with a reason and do not stop the others."""

import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landing.codec import BatchOrigin, SegmentOrigin, encode
from landing.contract import EVENTS
from landing.keys import InboxKey
from landing.schema import landed_schema
from landing.store import MemoryStore
from orchestration.database import connect
from orchestration.ledger import release
from orchestration.load import load_inbox
from orchestration.plan import LoadLimits
from tests.orchestration.ledger_state import batch_states, event_ids, findings
from tests.orchestration.traffic import NOON, Writer, event, object_bytes

KEY = InboxKey("events", NOON, "s-1")
ORIGIN = SegmentOrigin("s-1", "w9", 0, {"events": 1})


def events_object(*rows: dict, origin: SegmentOrigin = ORIGIN) -> bytes:
    return object_bytes(EVENTS, rows, origin)


def foreign_parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)
    return sink.getvalue()


def wrong_schema() -> bytes:
    schema = landed_schema(EVENTS)
    renamed = pa.schema([field.with_name(f"x_{field.name}") for field in schema], metadata=schema.metadata)
    return encode(pa.table({field.name: pa.array([], field.type) for field in renamed}, renamed), renamed, ORIGIN)


def batch_origin() -> bytes:
    schema = landed_schema(EVENTS)
    return encode(schema.empty_table(), schema, BatchOrigin("b", "2026-03-10", 0, []))


def damaged_text() -> bytes:
    """A text column whose bytes are not UTF-8: Parquet readers do not notice."""
    schema = landed_schema(EVENTS)
    row = event(NOON) | {"segment_id": "s-1", "segment_row": 0}
    table = pa.Table.from_pylist([row], schema=schema)
    index = schema.get_field_index("page_title")
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    return encode(table.set_column(index, schema.field(index), broken), schema, ORIGIN)


@pytest.mark.parametrize(
    ("key", "data", "reason"),
    [
        (str(KEY), b"", "not a readable Parquet object"),
        (str(KEY), b"PAR1 not really PAR1", "not a readable Parquet object"),
        (str(KEY), events_object(event(NOON))[:-100], "not a readable Parquet object"),
        (str(KEY), foreign_parquet(), "not written by"),
        (str(KEY), wrong_schema(), "columns differ from the contract"),
        (str(KEY), batch_origin(), "the origin in the metadata"),
        (str(KEY), damaged_text(), "damaged values"),
        ("inbox/events/2026-03-10/12/s-2.parquet", events_object(event(NOON)), "the key names segment s-2"),
        (str(KEY), events_object(event(NOON), event(NOON)), "promised 1 rows of events, it has 2"),
        (str(KEY), events_object(origin=SegmentOrigin("s-1", "w9", 0, {"events": 0})), "no rows"),
        (str(KEY), events_object(event(NOON, segment_id="s-7")), "rows of another segment"),
        (str(KEY), events_object(event(NOON - timedelta(microseconds=1))), "under the key of hour 2026-03-10T12"),
        (str(KEY), events_object(event(NOON + timedelta(hours=1))), "under the key of hour 2026-03-10T12"),
        (str(KEY), events_object(event(NOON, event_id="no-uuid")), "event_id is not always a lower-case UUID"),
        (str(KEY), events_object(event(NOON, props="{not json")), "Postgres refuses a value"),
        (str(KEY), events_object(event(NOON, props='"\\u0000"')), "Postgres refuses a value"),
        (str(KEY), events_object(event(NOON, page_title="a\0b")), "Postgres refuses a value"),
        (str(KEY), events_object(event(NOON, client_time=datetime(1, 1, 1, tzinfo=UTC), props="[")), "refuses"),
        ("inbox/readme.txt", b"hello", "the key is not inbox/"),
        ("inbox/unheard_of/2026-03-10/12/s-1.parquet", b"", "dataset 'unheard_of' is unknown to this version"),
    ],
    ids=lambda value: "object" if isinstance(value, bytes) else value,  # the bytes differ from worker to worker
)
def test_poison_is_quarantined_with_its_reason_and_the_others_are_loaded(
    warehouse: str, key: str, data: bytes, reason: str
) -> None:
    store = MemoryStore()
    writer = Writer(store)
    good = [event(NOON), event(NOON)]
    writer.ship(events=good[:1])
    store.put(key, data)
    writer.ship(events=good[1:])

    report = load_inbox(store=store, database_url=warehouse, clock=lambda: NOON)

    assert [each.key for each in report.quarantined] == [key]
    assert reason in report.quarantined[0].reason
    assert event_ids(warehouse) == sorted(row["event_id"] for row in good)
    found = findings(warehouse, store, NOON)
    assert [(each.subject, each.message) for each in found] == [(key, f"quarantined: {report.quarantined[0].reason}")]
    assert load_inbox(store=store, database_url=warehouse, clock=lambda: NOON).quarantined == []


def test_several_refused_objects_of_one_batch_leave_the_rest_of_it(warehouse: str) -> None:
    store = MemoryStore()
    writer = Writer(store)
    bad = [writer.ship(events=[event(NOON, props="{")])[0] for _ in range(2)]
    good = event(NOON)
    writer.ship(events=[good])
    following = event(NOON)
    writer.ship(events=[following])

    report = load_inbox(store=store, database_url=warehouse, clock=lambda: NOON, limits=LoadLimits(batch_objects_max=3))

    assert [each.key for each in report.quarantined] == bad
    assert event_ids(warehouse) == sorted([good["event_id"], following["event_id"]])
    assert batch_states(warehouse) == [("committed", 2)]
    assert {each.subject for each in findings(warehouse, store, NOON)} == set(bad)


def test_a_released_object_is_tried_again(warehouse: str) -> None:
    store = MemoryStore()
    row = event(NOON)
    store.put(str(KEY), b"broken")
    load_inbox(store=store, database_url=warehouse, clock=lambda: NOON)
    store.put(str(KEY), events_object(row))
    with connect(warehouse) as connection:
        assert release(connection, str(KEY))
        assert not release(connection, str(KEY))

    load_inbox(store=store, database_url=warehouse, clock=lambda: NOON)

    assert event_ids(warehouse) == [row["event_id"]]
    assert findings(warehouse, store, NOON) == ()
