"""From a spool segment to the Parquet objects of the landing zone. Same segment, same rows, same keys."""

import pyarrow as pa
import pyarrow.json

from collector.segment import TAGS, SegmentContent
from landing.codec import SegmentOrigin, encode
from landing.contract import Origin, dataset
from landing.keys import InboxKey
from landing.schema import INSTANT, landed_schema

# Arrow's own allocators and a pool of threads would keep more of what a conversion took.
pa.set_memory_pool(pa.system_memory_pool())
pa.set_cpu_count(1)


class Unconvertible(Exception):
    """The rows of a segment do not fit the contract: a bug or a failing disk."""


def to_objects(content: SegmentContent) -> list[tuple[InboxKey, bytes]]:
    """One object for each dataset present.

    Raises:
        Unconvertible: a row does not fit the contract.
    """
    header = content.header
    tables = {name: _table(name, b"".join(chunks), header.segment_id) for name, chunks in content.rows.items()}
    origin = SegmentOrigin(
        header.segment_id,
        header.writer_id,
        header.segment_number,
        {name: table.num_rows for name, table in sorted(tables.items())},
    )
    return [
        (InboxKey(name, header.hour, header.segment_id), encode(table, landed_schema(dataset(name)), origin))
        for name, table in sorted(tables.items())
    ]


def _table(name: str, lines: bytes, segment_id: str) -> pa.Table:
    schema = landed_schema(dataset(name))
    try:
        table = read_rows(lines, _SPOOLED[name])
        table = table.append_column("segment_id", pa.repeat(segment_id, table.num_rows))
        table = table.append_column("segment_row", pa.array(range(table.num_rows), pa.int64()))
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise Unconvertible(f"{name} of segment {segment_id}: {error}") from error


def read_rows(lines: bytes, schema: pa.Schema) -> pa.Table:
    """Rows of newline-delimited JSON, in order.

    Raises:
        ArrowInvalid: a row does not fit the schema.
    """
    return pyarrow.json.read_json(
        pa.BufferReader(lines),
        # A block must hold its rows whole; one block for all keeps the order without threads.
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )


def _spooled_schema(name: str) -> pa.Schema:
    """The schema of spooled rows: times are epoch microseconds, the segment's own columns are missing."""
    spooled = {column.name for column in dataset(name).landed_columns() if column.origin is not Origin.SPOOL}
    return pa.schema(
        [
            pa.field(field.name, pa.int64() if field.type == INSTANT else field.type)
            for field in landed_schema(dataset(name))
            if field.name in spooled
        ]
    )


_SPOOLED = {name: _spooled_schema(name) for name in TAGS}
