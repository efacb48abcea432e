"""Tables to Parquet bytes and back, checked against the contract both ways."""

import json
from dataclasses import asdict, dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ConfigDict, NonNegativeInt, TypeAdapter, ValidationError, with_config

from landing.contract import CONTRACT_VERSION
from landing.errors import PoisonObject
from landing.folding import fold, unfold
from landing.schema import VERSION_KEY

_ORIGIN_KEY = b"tidemill.origin"
_SEGMENT_ZSTD_LEVEL = 1
"""An inbox object lives for a day, and the collector that makes it has requests to answer."""

_ARCHIVE_ZSTD_LEVEL = 6
_RANDOM_ZSTD_LEVEL = 1
"""Of the archive's ids and times: looking longer for repetitions makes random digits larger, not smaller."""

_ROW_GROUP_ROWS = 65_536

_IDS = ("event_id", "client_event_id", "reject_id", "checkin_id", "row_id", "request_id")
_ENCODINGS = {
    **dict.fromkeys(_IDS, "DELTA_BYTE_ARRAY"),
    **dict.fromkeys(("page_view_id", "visitor_id", "ip"), "DELTA_LENGTH_BYTE_ARRAY"),
    **dict.fromkeys(("occurred_at", "received_at", "client_time", "sent_at", "segment_row"), "DELTA_BINARY_PACKED"),
}
"""Encodings of columns with few repeated values, for which a dictionary costs up to a third more bytes."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class SegmentOrigin:
    """Where an inbox object comes from; lets the ledger prove that no segment of a writer is missing.

    Attributes:
        segment_id: The spool segment.
        writer_id: The worker process that wrote it.
        segment_number: The segment's position among that writer's segments, from 0, without gaps.
        rows: Rows of the whole segment by dataset; an object holds one of these datasets.
    """

    segment_id: str
    writer_id: str
    segment_number: NonNegativeInt
    rows: dict[str, NonNegativeInt]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class BatchObject:
    """An inbox object as one batch took it."""

    key: str
    size_bytes: NonNegativeInt
    rows: NonNegativeInt
    origin: SegmentOrigin


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class BatchOrigin:
    """What an archive object was made from: enough to restore the ledger from the archive alone.

    Attributes:
        batch_id: The batch.
        planned_at: ISO time at which it was planned.
        late_rows: Rows that happened before the purge horizon; archived, not loaded.
        objects: The inbox objects, in key order.
    """

    batch_id: str
    planned_at: str
    late_rows: NonNegativeInt
    objects: list[BatchObject]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class CompactedOrigin:
    """What a compacted archive object was made from: it stands for the objects of these batches.

    Attributes:
        batches: The origin of each, in the order of their ids.
    """

    batches: list[BatchOrigin]


_SEGMENT_ORIGIN = TypeAdapter(SegmentOrigin)
_BATCH_ORIGIN = TypeAdapter(BatchOrigin)
_COMPACTED_ORIGIN = TypeAdapter(CompactedOrigin)
_Origin = TypeVar("_Origin", SegmentOrigin, BatchOrigin, CompactedOrigin)


def encode(table: pa.Table, schema: pa.Schema, origin: SegmentOrigin | BatchOrigin | CompactedOrigin) -> bytes:
    """Parquet bytes of `table`: zstd, statistics on, the contract's version and `origin` in the metadata.

    The rows of the archive are folded (`landing.folding`): what `raw` repeats of other columns is said once.

    Args:
        table: Rows with exactly the fields of `schema`.
        schema: From `landing.schema`.
        origin: Kept beside the rows.

    Raises:
        ValueError: the table does not fit the schema; nothing may be stored that a reader would refuse.
    """
    _check(table, schema, ValueError)
    is_archive = not isinstance(origin, SegmentOrigin)
    if is_archive:
        table = fold(table)
    metadata = {**(schema.metadata or {}), _ORIGIN_KEY: json.dumps(asdict(origin)).encode()}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.replace_schema_metadata(metadata),
        sink,
        use_dictionary=[name for name in schema.names if name not in _ENCODINGS],
        column_encoding={name: encoding for name, encoding in _ENCODINGS.items() if name in schema.names},
        compression="zstd",
        compression_level=_archive_levels(schema) if is_archive else _SEGMENT_ZSTD_LEVEL,
        row_group_size=_ROW_GROUP_ROWS,
        write_page_checksum=True,
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _archive_levels(schema: pa.Schema) -> dict[str, int]:
    return {name: _RANDOM_ZSTD_LEVEL if name in _ENCODINGS else _ARCHIVE_ZSTD_LEVEL for name in schema.names}


def decode_segment(data: bytes, schema: pa.Schema) -> tuple[pa.Table, SegmentOrigin]:
    """Rows and origin of an inbox object.

    Raises:
        PoisonObject: the bytes are no Parquet object of this contract.
    """
    return _decode(data, schema, _SEGMENT_ORIGIN)


def decode_batch(data: bytes, schema: pa.Schema) -> tuple[pa.Table, BatchOrigin]:
    """Rows and origin of an archive object, unfolded.

    Raises:
        PoisonObject: the bytes are no Parquet object of this contract.
    """
    table, origin = _decode(data, schema, _BATCH_ORIGIN)
    return unfold(table), origin


def decode_compacted(data: bytes, schema: pa.Schema) -> tuple[pa.Table, CompactedOrigin]:
    """Rows and origin of a compacted archive object, unfolded.

    Raises:
        PoisonObject: the bytes are no Parquet object of this contract.
    """
    table, origin = _decode(data, schema, _COMPACTED_ORIGIN)
    return unfold(table), origin


def _decode(data: bytes, schema: pa.Schema, origin_type: TypeAdapter[_Origin]) -> tuple[pa.Table, _Origin]:
    try:
        table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
        metadata = table.schema.metadata or {}
        version = int(metadata[VERSION_KEY])
        origin = origin_type.validate_json(metadata[_ORIGIN_KEY], strict=True)
        table = _complete(table, schema)
    except KeyError as error:
        raise PoisonObject(f"Parquet metadata lacks {error}: not written by a collector or a load") from error
    except ValidationError as error:
        raise PoisonObject(f"the origin in the metadata is not what it should be: {error}") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise PoisonObject(f"not a readable Parquet object: {error}") from error
    if version > CONTRACT_VERSION:
        raise PoisonObject(f"contract version {version} is newer than {CONTRACT_VERSION}: upgrade this reader")
    _check(table, schema, PoisonObject)
    return pa.Table.from_arrays(table.columns, schema=schema), origin


def _complete(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns in the order of `schema`; nullable ones that an older version lacked are added as null."""
    for field in schema:
        if field.nullable and field.name not in table.schema.names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    known = [name for name in schema.names if name in table.schema.names]
    unknown = [name for name in table.schema.names if name not in schema.names]
    return table.select(known + unknown)


def _check(table: pa.Table, schema: pa.Schema, error: type[Exception]) -> None:
    """Raise `error` unless the fields are those of `schema` and required columns hold no null."""
    if table.schema.names != schema.names:
        missing = sorted(set(schema.names) - set(table.schema.names))
        unknown = sorted(set(table.schema.names) - set(schema.names))
        raise error(f"columns differ from the contract: missing {missing}, unknown {unknown}")
    for field in schema:
        column = table.column(field.name)
        if column.type != field.type:
            raise error(f"column {field.name} is {column.type}, the contract says {field.type}")
        if not field.nullable and column.null_count:
            raise error(f"column {field.name} holds {column.null_count} nulls, the contract allows none")
