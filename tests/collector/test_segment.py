"""The segment format: what survives a torn tail, zeros and damage."""

import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.segment import MAGIC, SegmentHeader, SegmentUnreadable, hour_of, opening, read_segment, record

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HEADER = SegmentHeader("s-1", "w", 0, hour_of(AT), AT)
ONE = record("events", b'{"a":1}\n')
TWO = record("rejects", b'{"b":2}\n{"b":3}\n')


def _read(tmp_path: Path, data: bytes) -> tuple[dict[str, bytes], int, int]:
    path = tmp_path / "x.segment"
    path.write_bytes(data)
    content = read_segment(path)
    assert content.header == HEADER
    rows = {name: b"".join(chunks) for name, chunks in content.rows.items()}
    return rows, content.torn_bytes, content.damaged_records


def test_a_record_is_its_length_its_checksum_its_tag_and_its_rows() -> None:
    payload = b'\1{"a":1}\n'
    assert len(payload).to_bytes(4, "little") + zlib.crc32(payload).to_bytes(4, "little") + payload == ONE


def test_whole_records_are_read_in_order_by_dataset(tmp_path: Path) -> None:
    data = opening(HEADER) + ONE + TWO + record("events", b'{"a":4}\n')
    assert _read(tmp_path, data) == ({"events": b'{"a":1}\n{"a":4}\n', "rejects": b'{"b":2}\n{"b":3}\n'}, 0, 0)


@pytest.mark.parametrize("cut", range(1, len(TWO)))
def test_a_torn_last_record_is_left_out_wherever_it_is_torn(tmp_path: Path, cut: int) -> None:
    assert _read(tmp_path, opening(HEADER) + ONE + TWO[:cut]) == ({"events": b'{"a":1}\n'}, cut, 0)


def test_a_last_record_that_fails_its_checksum_is_torn(tmp_path: Path) -> None:
    damaged = TWO[:-2] + b"x\n"
    assert _read(tmp_path, opening(HEADER) + ONE + damaged) == ({"events": b'{"a":1}\n'}, len(TWO), 0)


def test_zeros_after_a_power_cut_are_no_records(tmp_path: Path) -> None:
    assert _read(tmp_path, opening(HEADER) + ONE + bytes(4_096)) == ({"events": b'{"a":1}\n'}, 4_096, 0)


def test_a_damaged_record_before_the_end_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    damaged = ONE[:-2] + b"x\n"
    assert _read(tmp_path, opening(HEADER) + damaged + TWO) == ({"rejects": b'{"b":2}\n{"b":3}\n'}, 0, 1)


@pytest.mark.parametrize(
    "data", [b"", b"short", MAGIC, opening(HEADER)[:-1], opening(HEADER)[:-1] + b"x", MAGIC + ONE, b"PAR1" * 20]
)
def test_what_has_no_header_is_unreadable(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.segment"
    path.write_bytes(data)
    with pytest.raises(SegmentUnreadable):
        read_segment(path)
