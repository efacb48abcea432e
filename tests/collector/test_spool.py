"""The spool: group commit, sealing, refusal, and retreat from a failing disk."""

import errno
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.pending import start, wait_for
from collector.segment import read_segment
from collector.spool import Spool, SpoolLimits, SpoolUnavailable, list_segments, remove_unfinished

AT = datetime(2026, 1, 2, 3, 59, 59, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


def make(
    folder: Path, *, limit: int = 10**9, size: int = 10**9, age_s: float = 3_600, clock: Clock | None = None
) -> Spool:
    limits = SpoolLimits(limit_bytes=limit, segment_max_bytes=size, segment_max_seconds=age_s)
    return Spool(folder, writer_id="w", limits=limits, clock=clock or Clock())


def append(spool: Spool, rows: dict[str, bytes], *, at: datetime = AT) -> None:
    wait_for(spool.append(at, rows))


def rows(folder: Path, dataset: str = "events") -> list[bytes]:
    found = []
    for path, _ in list_segments(folder):
        for chunk in read_segment(path).rows.get(dataset, []):
            found += bytes(chunk).splitlines()
    return found


def numbers(folder: Path) -> list[int]:
    return [read_segment(path).header.segment_number for path, _ in list_segments(folder)]


def test_appended_rows_are_in_a_synced_segment_when_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(
        os, "fdatasync", lambda descriptor: (real(descriptor), synced.append(os.fstat(descriptor).st_size))
    )

    append(make(tmp_path), {"events": b"1\n", "rejects": b"2\n"})

    ((_, size_bytes),) = list_segments(tmp_path)
    assert synced == [size_bytes]
    assert (rows(tmp_path), rows(tmp_path, "rejects")) == ([b"1"], [b"2"])


def test_many_writers_share_syncs_and_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = make(tmp_path, size=20_000)
    gate = threading.Event()
    syncs = []
    real = os.fdatasync

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        gate.wait(0.002)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow)

    def write(writer: int) -> None:
        for number in range(50):
            append(spool, {"events": b"%d-%d\n" % (writer, number)})

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(16)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    assert sorted(rows(tmp_path)) == sorted(b"%d-%d" % (w, n) for w in range(16) for n in range(50))
    assert len(syncs) < 16 * 50 / 3
    assert numbers(tmp_path) == list(range(len(numbers(tmp_path))))


def test_a_segment_holds_rows_of_one_hour_only(tmp_path: Path) -> None:
    spool = make(tmp_path)
    for moment in (AT, AT + timedelta(seconds=1), AT + timedelta(seconds=2), AT):
        append(spool, {"events": b"1\n"}, at=moment)

    hours = [read_segment(path).header.hour.hour for path, _ in list_segments(tmp_path)]
    assert sorted(hours) == [3, 3, 4]
    assert numbers(tmp_path) == [0, 1, 2]


def test_a_full_segment_is_sealed_and_the_next_number_follows(tmp_path: Path) -> None:
    spool = make(tmp_path, size=300)
    for _ in range(4):
        append(spool, {"events": b"x" * 200 + b"\n"})

    assert numbers(tmp_path) == [0, 1, 2, 3]


def test_a_segment_is_due_by_age_and_when_its_hour_is_over(tmp_path: Path) -> None:
    clock = Clock()
    young, old = make(tmp_path / "a", clock=clock), make(tmp_path / "b", age_s=0, clock=clock)
    assert not old.is_due()
    for spool in (young, old):
        append(spool, {"events": b"1\n"})
    assert (young.is_due(), old.is_due()) == (False, True)

    clock.now += timedelta(seconds=1)

    assert young.is_due()


def test_a_segment_is_not_due_by_age_while_another_of_its_writer_waits(tmp_path: Path) -> None:
    clock = Clock()
    spool = make(tmp_path, age_s=0, clock=clock)
    append(spool, {"events": b"1\n"})
    spool.seal()
    append(spool, {"events": b"2\n"})
    assert not spool.is_due()

    clock.now += timedelta(seconds=1)
    assert spool.is_due()  # its hour is over

    clock.now -= timedelta(seconds=1)
    list_segments(tmp_path)[0][0].unlink()
    assert spool.is_due()


def test_sealing_nothing_makes_no_segment_and_takes_no_number(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.seal()
    append(spool, {"events": b"1\n"})
    spool.seal()
    spool.seal()
    append(spool, {"events": b"2\n"})

    assert numbers(tmp_path) == [0, 1]


def test_a_spool_over_its_limit_refuses_until_segments_are_gone(tmp_path: Path) -> None:
    spool = make(tmp_path, limit=500)
    append(spool, {"events": b"x" * 250 + b"\n"})
    with pytest.raises(SpoolUnavailable) as refusal:
        append(spool, {"events": b"x" * 250 + b"\n"})
    assert refusal.value.reason == "spool_full"

    spool.seal()
    for path, _ in list_segments(tmp_path):
        path.unlink()
    spool.measure()

    append(spool, {"events": b"2\n"})
    assert rows(tmp_path) == [b"2"]


@pytest.fixture(params=["write", "fdatasync", "short write"])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The disk fails while the event is set."""
    is_failing = threading.Event()
    name = "fdatasync" if request.param == "fdatasync" else "pwrite"
    real = getattr(os, name)

    def fail(descriptor: int, *written: Any) -> object:
        if is_failing.is_set():
            if request.param == "short write" and len(written[0]) > 1:
                data, offset = written
                return real(descriptor, data[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, *written)

    monkeypatch.setattr(os, name, fail)
    return is_failing


def test_a_failing_disk_refuses_and_what_was_acknowledged_before_and_after_is_whole(
    tmp_path: Path, failing: threading.Event
) -> None:
    spool = make(tmp_path)
    append(spool, {"events": b"before\n"})
    failing.set()
    for _ in range(3):
        with pytest.raises(SpoolUnavailable) as refusal:
            append(spool, {"events": b"refused\n"})
        assert refusal.value.reason == "disk_failed"
        with pytest.raises(SpoolUnavailable):
            spool.probe()
    failing.clear()
    append(spool, {"events": b"after\n"})
    spool.probe()
    spool.seal()

    assert rows(tmp_path) == [b"before", b"after"]
    assert [read_segment(path).torn_bytes for path, _ in list_segments(tmp_path)] == [0, 0]
    assert numbers(tmp_path) == [0, 1]


def test_records_are_kept_while_there_is_room_for_them_though_for_no_zeros_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def fail(descriptor: int, data: memoryview, offset: int) -> int:
        if not any(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", fail)
    spool = make(tmp_path)
    append(spool, {"events": b"1\n"})
    append(spool, {"events": b"2\n"})
    assert rows(tmp_path) == [b"1", b"2"]


def test_most_syncs_find_the_size_of_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, sizes = os.fdatasync, []
    monkeypatch.setattr(os, "fdatasync", lambda fd: (sizes.append(os.fstat(fd).st_size), real(fd)))
    spool = make(tmp_path)
    for _ in range(100):
        append(spool, {"events": b"x" * 2_000 + b"\n"})
    spool.seal()

    ((path, size_bytes),) = list_segments(tmp_path)
    assert len(set(sizes)) <= 3
    assert read_segment(path).torn_bytes == 0
    assert size_bytes < sizes[-1]


def test_a_disk_that_fails_at_the_first_record_leaves_no_segment(tmp_path: Path, failing: threading.Event) -> None:
    spool = make(tmp_path)
    failing.set()
    with pytest.raises(SpoolUnavailable):
        append(spool, {"events": b"refused\n"})
    assert list_segments(tmp_path) == []
    failing.clear()
    append(spool, {"events": b"after\n"})
    assert numbers(tmp_path) == [0]


def test_an_unforeseen_failure_acknowledges_nobody_and_the_next_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = make(tmp_path)
    monkeypatch.setattr(os, "fdatasync", lambda _: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(SpoolUnavailable):
        append(spool, {"events": b"1\n"})
    monkeypatch.undo()
    append(spool, {"events": b"2\n"})
    assert rows(tmp_path) == [b"2"]


def test_a_request_that_fails_after_its_rows_were_kept_stops_no_other(tmp_path: Path) -> None:
    spool = make(tmp_path)

    async def fail() -> None:
        await spool.append(AT, {"events": b"1\n"})
        raise ZeroDivisionError

    start(fail())
    append(spool, {"events": b"2\n"})

    assert rows(tmp_path) == [b"1", b"2"]


def test_work_that_waits_for_the_disk_holds_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, is_failing, done = make(tmp_path), threading.Event(), threading.Event()
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: (is_failing.wait(20), real(descriptor)))
    kept: list[list[bytes]] = []

    async def keep(number: int) -> None:
        await spool.append(AT, {"events": b"%d\n" % number})
        kept.append(rows(tmp_path))
        if len(kept) == 100:
            done.set()

    for number in range(100):
        start(keep(number))
    assert kept == []
    is_failing.set()

    assert done.wait(20)
    assert all(b"%d" % number in found for number, found in enumerate(kept))


def test_leftovers_of_crashed_processes_are_removed_once_they_are_old(tmp_path: Path) -> None:
    old, young = tmp_path / ".new-old", tmp_path / ".new-young"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))

    remove_unfinished(tmp_path)

    assert (old.exists(), young.exists()) == (False, True)
