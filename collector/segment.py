"""The format of a spool segment: a magic word, a header, and checksummed records.

    file    = MAGIC record(header) record*
    record  = length of payload (u32) · CRC32 of payload (u32) · payload
    payload = dataset tag (1 byte) · rows (newline-delimited JSON, nulls omitted, times as epoch microseconds)

The segment being written, and one whose writer died, ends in zeros that are no record.

A record is acknowledged only after its bytes are synced, so whatever fails its checksum at the end of a
file was never acknowledged. Damage before the end is a failing disk; it is counted and reported.
"""

import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

MAGIC = b"TMSPOOL1"
SUFFIX = ".segment"
"""File name ending of segments; the name before it is the segment's id."""

_FRAME = struct.Struct("<II")
_HEADER_TAG = b"\0"
TAGS = {"events": b"\1", "rejects": b"\2", "checkins": b"\3", "app_rows": b"\4"}
_DATASETS = {tag: name for name, tag in TAGS.items()}


class SegmentHeader(msgspec.Struct, frozen=True):
    """What a segment says of itself.

    Attributes:
        segment_id: Names the segment and the objects made from it.
        writer_id: The collector process that wrote it.
        segment_number: Position among that writer's segments, from 0, without gaps.
        hour: Start of the UTC hour in which every row was received.
        opened_at: When its first record was written.
    """

    segment_id: str
    writer_id: str
    segment_number: int
    hour: datetime
    opened_at: datetime


class SegmentUnreadable(Exception):
    """The file is no segment: magic word or header is missing or damaged."""


@dataclass(slots=True)
class SegmentContent:
    """What could be read of a segment.

    Attributes:
        header: The segment's header.
        rows: Newline-delimited JSON by dataset, in order of writing; views of the file's bytes.
        torn_bytes: Bytes at the end that are no whole record; never acknowledged.
        damaged_records: Records before the end that fail their checksum.
    """

    header: SegmentHeader
    rows: dict[str, list[memoryview]] = field(default_factory=dict)
    torn_bytes: int = 0
    damaged_records: int = 0


def record(dataset: str, rows: bytes) -> bytes:
    """One record that holds `rows` (newline-delimited JSON, each row with its newline) of `dataset`."""
    return _frame(TAGS[dataset], rows)


def opening(header: SegmentHeader) -> bytes:
    """The first bytes of a segment."""
    return MAGIC + _frame(_HEADER_TAG, msgspec.json.encode(header))


def read_segment(path: Path) -> SegmentContent:
    """Every whole record of a segment.

    Raises:
        SegmentUnreadable: nothing of it can be used.
        OSError: the file cannot be read.
    """
    data = memoryview(path.read_bytes())
    if bytes(data[: len(MAGIC)]) != MAGIC:
        raise SegmentUnreadable(f"{path.name} does not begin with {MAGIC.decode()}")
    first = _payload_at(data, len(MAGIC))
    if first is None or bytes(first[:1]) != _HEADER_TAG:
        raise SegmentUnreadable(f"the header of {path.name} is damaged")
    try:
        header = msgspec.json.decode(first[1:], type=SegmentHeader)
    except msgspec.MsgspecError as error:
        raise SegmentUnreadable(f"the header of {path.name} cannot be used: {error}") from error
    return _read_records(data, len(MAGIC) + _FRAME.size + len(first), header)


def _read_records(data: memoryview, offset: int, header: SegmentHeader) -> SegmentContent:
    content = SegmentContent(header)
    damaged = 0  # damaged records count only once a whole one follows: before that they are the torn tail
    torn_from = offset
    while offset + _FRAME.size <= len(data):
        length, _ = _FRAME.unpack_from(data, offset)
        following = offset + _FRAME.size + length
        if length == 0 or following > len(data):  # a tail of zeros has length 0 and a checksum that fits it
            break
        payload = _payload_at(data, offset)
        offset = following
        dataset = None if payload is None else _DATASETS.get(bytes(payload[:1]))
        if payload is None or dataset is None:
            damaged += 1
            continue
        content.rows.setdefault(dataset, []).append(payload[1:])
        content.damaged_records, torn_from = damaged, following
    content.torn_bytes = len(data) - torn_from
    return content


def _frame(tag: bytes, rest: bytes) -> bytes:
    return b"".join((_FRAME.pack(len(tag) + len(rest), zlib.crc32(rest, zlib.crc32(tag))), tag, rest))


def _payload_at(data: memoryview, offset: int) -> memoryview | None:
    """The payload of the record at `offset`; None when it is cut short or fails its checksum."""
    if offset + _FRAME.size > len(data):
        return None
    length, checksum = _FRAME.unpack_from(data, offset)
    payload = data[offset + _FRAME.size : offset + _FRAME.size + length]
    return payload if len(payload) == length and zlib.crc32(payload) == checksum else None


def hour_of(moment: datetime) -> datetime:
    """Start of the UTC hour that holds `moment`."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
