"""Objects come back as they were written, and nothing else comes back at all."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landing.codec import (
    BatchObject,
    BatchOrigin,
    CompactedOrigin,
    SegmentOrigin,
    decode_batch,
    decode_compacted,
    decode_segment,
    encode,
)
from landing.contract import CONTRACT_VERSION, DATASETS, EVENTS, Dataset, Kind
from landing.errors import PoisonObject
from landing.schema import VERSION_KEY, landed_schema, loaded_schema

SEGMENT = SegmentOrigin("segment-1", "writer-1", 7, {"events": 3, "rejects": 1})
BATCH = BatchOrigin(
    "000000000001-0a1b2c3d",
    "2026-01-02T03:04:05+00:00",
    1,
    [BatchObject("inbox/events/2026-01-02/03/segment-1.parquet", 1234, 3, SEGMENT)],
)
SCHEMA = landed_schema(EVENTS)

VALUES = {
    Kind.TEXT: "text ä 🌊",
    Kind.BOOLEAN: True,
    Kind.INT16: -(2**15),
    Kind.INT32: 2**31 - 1,
    Kind.INT64: -(2**63),
    Kind.FLOAT64: 0.1,
    Kind.DECIMAL: Decimal("-999999999999.123456"),
    Kind.TIMESTAMP: datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    Kind.JSON: '{"a":[1,null]}',
    Kind.TEXT_LIST: ["a", "b"],
}


def rows(dataset: Dataset, schema: pa.Schema) -> pa.Table:
    """A row with every value, and one with the required values only."""
    columns = {column.name: column for column in dataset.columns if column.name in schema.names}
    full = {name: VALUES[column.kind] for name, column in columns.items()}
    bare = {name: VALUES[column.kind] if column.required else None for name, column in columns.items()}
    return pa.Table.from_pylist([full, bare, full], schema=schema)


def replaced(table: pa.Table, name: str, column: pa.Array, field: pa.Field | None = None) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), field or name, column)


def written(table: pa.Table, **metadata: str) -> bytes:
    """Bytes that our writer would refuse to write."""
    origin = '{"segment_id":"s","writer_id":"w","segment_number":0,"rows":{}}'
    kept = {VERSION_KEY.decode(): str(CONTRACT_VERSION), "tidemill.origin": origin, **metadata}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({key: text for key, text in kept.items() if text}), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_segment_comes_back_as_it_was_written(dataset: Dataset) -> None:
    schema = landed_schema(dataset)
    table = rows(dataset, schema)

    decoded, origin = decode_segment(encode(table, schema, SEGMENT), schema)

    assert decoded.equals(table)
    assert decoded.schema.equals(schema, check_metadata=True)
    assert origin == SEGMENT


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_batch_comes_back_as_it_was_written(dataset: Dataset) -> None:
    schema = loaded_schema(dataset)
    table = rows(dataset, schema)

    decoded, origin = decode_batch(encode(table, schema, BATCH), schema)

    assert decoded.equals(table)
    assert origin == BATCH


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_compacted_batches_come_back_as_they_were_written(dataset: Dataset) -> None:
    schema = loaded_schema(dataset)
    table, origin = rows(dataset, schema), CompactedOrigin([BATCH, BATCH])

    data = encode(table, schema, origin)

    decoded, found = decode_compacted(data, schema)
    assert decoded.equals(table)
    assert found == origin
    with pytest.raises(PoisonObject, match="origin"):
        decode_batch(data, schema)


def test_equal_rows_give_equal_bytes() -> None:
    table = rows(EVENTS, SCHEMA)

    assert encode(table, SCHEMA, SEGMENT) == encode(table, SCHEMA, SEGMENT)


def test_an_object_without_rows_comes_back() -> None:
    decoded, _ = decode_segment(encode(SCHEMA.empty_table(), SCHEMA, SEGMENT), SCHEMA)

    assert decoded.num_rows == 0


def test_objects_are_compressed_and_tell_their_version() -> None:
    metadata = pq.read_metadata(pa.BufferReader(encode(rows(EVENTS, SCHEMA), SCHEMA, SEGMENT)))

    column = metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert column.is_stats_set
    assert metadata.metadata[VERSION_KEY] == str(CONTRACT_VERSION).encode()


def test_an_object_of_an_older_version_is_read_with_nulls_for_what_it_lacks() -> None:
    table = rows(EVENTS, SCHEMA)
    older = table.drop_columns(["gpc", "props", "content_group", "revenue"])
    # Columns in another order, as an older version may have had them.
    older = older.select(sorted(older.schema.names))

    decoded, _ = decode_segment(written(older, **{VERSION_KEY.decode(): "0"}), SCHEMA)

    assert decoded.schema.equals(SCHEMA)
    for name in SCHEMA.names:
        expected = table.column(name)
        if name in {"gpc", "props", "content_group", "revenue"}:
            assert decoded.column(name).null_count == 3
        else:
            assert decoded.column(name).equals(expected)


@pytest.mark.parametrize("cut", [0, 1, 4, 100, -1, -8, -100])
def test_a_truncated_object_is_poison(cut: int) -> None:
    data = encode(rows(EVENTS, SCHEMA), SCHEMA, SEGMENT)[:cut]

    with pytest.raises(PoisonObject, match="not a readable Parquet object"):
        decode_segment(data, SCHEMA)


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"PAR1PAR1", b"\0" * 1000, b'{"events": []}', b"PAR1" + b"x" * 100 + b"PAR1"]
)
def test_what_is_no_parquet_is_poison(data: bytes) -> None:
    with pytest.raises(PoisonObject, match="not a readable Parquet object"):
        decode_segment(data, SCHEMA)


def test_a_flipped_byte_is_poison_or_changes_nothing() -> None:
    table = rows(EVENTS, SCHEMA)
    data = encode(table, SCHEMA, SEGMENT)
    footer_bytes = int.from_bytes(data[-8:-4], "little") + 8

    for position in range(4, len(data) - footer_bytes, 101):
        damaged = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        try:
            decoded, _ = decode_segment(damaged, SCHEMA)
        except PoisonObject:
            continue
        assert decoded.equals(table)


def test_a_damaged_footer_is_poison_or_keeps_the_schema() -> None:
    data = encode(rows(EVENTS, SCHEMA), SCHEMA, SEGMENT)
    footer_bytes = int.from_bytes(data[-8:-4], "little") + 8

    for position in range(len(data) - footer_bytes, len(data), 211):
        damaged = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        try:
            decoded, _ = decode_segment(damaged, SCHEMA)
        except PoisonObject:
            continue
        assert decoded.schema.equals(SCHEMA)


MALFORMED = {
    "an unknown column": lambda table: table.append_column("extra", pa.nulls(3, pa.string())),
    "a required column missing": lambda table: table.drop_columns(["site_id"]),
    "another type": lambda table: replaced(table, "page_url", pa.array([1, 2, 3])),
    "a wider type": lambda table: replaced(table, "scroll_percent", pa.array([1, 2, 3], pa.int64())),
    "times without zone": lambda table: replaced(
        table,
        "occurred_at",
        pa.array([datetime(2026, 1, 1)] * 3, pa.timestamp("us")),  # noqa: DTZ001  (the point)
    ),
    "times in milliseconds": lambda table: replaced(
        table, "occurred_at", table.column("occurred_at").cast(pa.timestamp("ms", "UTC"), safe=False)
    ),
    "a null where none may be": lambda table: replaced(table, "site_id", pa.array(["a", None, "b"])),
    "a column twice": lambda table: table.append_column("site_id", pa.array(["a", "b", "c"])),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_rows_that_break_the_contract_are_poison_to_the_reader(fault: str) -> None:
    table = MALFORMED[fault](rows(EVENTS, SCHEMA))

    with pytest.raises(PoisonObject):
        decode_segment(written(table), SCHEMA)


@pytest.mark.parametrize("fault", MALFORMED)
def test_rows_that_break_the_contract_are_refused_by_the_writer(fault: str) -> None:
    table = MALFORMED[fault](rows(EVENTS, SCHEMA))

    with pytest.raises(ValueError, match="contract"):
        encode(table, SCHEMA, SEGMENT)


METADATA = {
    "no version": {VERSION_KEY.decode(): ""},
    "a version that is no number": {VERSION_KEY.decode(): "one"},
    "a newer version": {VERSION_KEY.decode(): str(CONTRACT_VERSION + 1)},
    "no origin": {"tidemill.origin": ""},
    "an origin that is no JSON": {"tidemill.origin": "{"},
    "an origin that is no object": {"tidemill.origin": "[]"},
    "an origin of another kind": {"tidemill.origin": '{"batch_id": "b"}'},
    "an origin with more": {"tidemill.origin": json.dumps({"segment_id": "s", "writer_id": "w", "extra": 1})},
    "a segment number that is text": {
        "tidemill.origin": '{"segment_id":"s","writer_id":"w","segment_number":"0","rows":{}}'
    },
    "rows that are no counts": {
        "tidemill.origin": '{"segment_id":"s","writer_id":"w","segment_number":0,"rows":{"events":"3"}}'
    },
}


@pytest.mark.parametrize("fault", METADATA)
def test_metadata_that_we_did_not_write_is_poison(fault: str) -> None:
    with pytest.raises(PoisonObject):
        decode_segment(written(rows(EVENTS, SCHEMA), **METADATA[fault]), SCHEMA)


def test_a_foreign_parquet_file_is_poison() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1]}), sink)

    with pytest.raises(PoisonObject, match="not written by a collector or a load"):
        decode_segment(sink.getvalue().to_pybytes(), SCHEMA)


def test_a_segment_is_no_batch_and_a_batch_no_segment() -> None:
    segment = encode(rows(EVENTS, SCHEMA), SCHEMA, SEGMENT)
    batch = encode(rows(EVENTS, loaded_schema(EVENTS)), loaded_schema(EVENTS), BATCH)

    with pytest.raises(PoisonObject):
        decode_batch(segment, SCHEMA)
    with pytest.raises(PoisonObject):
        decode_segment(batch, loaded_schema(EVENTS))


def test_json_that_is_no_json_is_left_to_the_reader_that_needs_it() -> None:
    """The codec checks types, not documents: a jsonb column would refuse the whole batch, so the load checks."""
    table = replaced(rows(EVENTS, SCHEMA), "props", pa.array(["{", None, "{}"]))

    decoded, _ = decode_segment(encode(table, SCHEMA, SEGMENT), SCHEMA)

    assert decoded.column("props").to_pylist() == ["{", None, "{}"]
