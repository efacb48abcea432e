"""Shipping and adoption: one code path, repeatable, never losing a segment before the store has it."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.pending import wait_for
from collector.segment import SegmentHeader, hour_of, opening, read_segment, record
from collector.ship import DAMAGED_FOLDER, Backoff, Shipper
from collector.spool import Spool, SpoolLimits, list_segments
from collector.tend import Tender
from landing.errors import StoreUnavailable
from landing.store import MemoryStore
from tests.fixtures.collector import read_inbox, wait_until

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(number: int = 1, **columns: str) -> bytes:
    extra = "".join(f',"{name}":"{value}"' for name, value in columns.items())
    return (
        f'{{"event_id":"018f0000-0000-7000-8000-{number:012d}","site_id":"shop","protocol":"tracker",'
        f'"event_type":"page_view","is_interaction":true,"occurred_at":{int(AT.timestamp() * 1e6)},'
        f'"received_at":{int(AT.timestamp() * 1e6)},"time_flag":"ok","visitor_id_kind":"none","request_id":"r",'
        f'"request_index":0,"collector_id":"w"{extra}}}\n'
    ).encode()


def make_spool(folder: Path, writer: str = "w") -> Spool:
    limits = SpoolLimits(limit_bytes=10**9, segment_max_bytes=10**9, segment_max_seconds=0)
    return Spool(folder, writer_id=writer, limits=limits, clock=lambda: AT)


def append(spool: Spool, rows: dict[str, bytes]) -> None:
    wait_for(spool.append(AT, rows))


class FailingStore(MemoryStore):
    """Fails while told to; a failed put may still have stored the object."""

    def __init__(self) -> None:
        super().__init__()
        self.is_failing = True
        self.stores_anyway = False
        self.puts: list[str] = []

    def put(self, key: str, data: bytes) -> None:
        self.puts.append(key)
        if not self.is_failing or self.stores_anyway:
            super().put(key, data)
        if self.is_failing:
            raise StoreUnavailable("away")


def test_a_sealed_segment_becomes_one_object_for_each_dataset_and_is_deleted(tmp_path: Path) -> None:
    spool, store = make_spool(tmp_path), MemoryStore()
    reject = (
        b'{"reject_id":"018f0000-0000-7000-8000-000000000009","received_at":%d,"protocol":"api","reason":"x",'
        b'"request_id":"r","request_index":0,"collector_id":"w"}\n' % int(AT.timestamp() * 1e6)
    )
    append(spool, {"events": row(1) + row(2), "rejects": reject})
    spool.seal()

    assert Shipper(tmp_path, store).ship_sealed() == 1

    landed = read_inbox(store)
    assert list_segments(tmp_path) == []
    assert [each["segment_row"] for each in landed.events] == [0, 1]
    assert (len(landed.rejects), landed.events[0]["occurred_at"]) == (1, AT)
    assert {origin.rows["events"] for origin in landed.origins} == {2}
    assert [info.key.split("/")[:4] for info in store.list("inbox/")] == [
        ["inbox", "events", "2026-01-02", "03"],
        ["inbox", "rejects", "2026-01-02", "03"],
    ]


def test_the_active_segment_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    spool, store = make_spool(tmp_path), MemoryStore()
    append(spool, {"events": row()})

    assert Shipper(tmp_path, store).ship_sealed() == 0
    assert len(list_segments(tmp_path)) == 1


def test_the_segment_of_a_dead_writer_is_adopted_without_its_torn_tail(tmp_path: Path) -> None:
    header = SegmentHeader("20260102T030405-dead-000007", "dead", 7, hour_of(AT), AT)
    (tmp_path / f"{header.segment_id}.segment").write_bytes(
        opening(header) + record("events", row(1)) + record("events", row(2))[:-5]
    )
    store = MemoryStore()

    assert Shipper(tmp_path, store).ship_sealed() == 1

    landed = read_inbox(store)
    assert [each["event_id"][-1] for each in landed.events] == ["1"]
    assert (landed.origins[0].writer_id, landed.origins[0].segment_number) == ("dead", 7)


def test_a_segment_stays_until_the_store_has_confirmed_every_object(tmp_path: Path) -> None:
    spool, store = make_spool(tmp_path), FailingStore()
    append(spool, {"events": row()})
    spool.seal()
    shipper = Shipper(tmp_path, store)

    assert shipper.ship_sealed() == 0
    assert len(list_segments(tmp_path)) == 1
    store.is_failing = False
    assert shipper.ship_sealed() == 1
    assert len(read_inbox(store).events) == 1


def test_an_object_stored_although_the_store_failed_is_replaced_by_its_equal(tmp_path: Path) -> None:
    spool, store = make_spool(tmp_path), FailingStore()
    store.stores_anyway = True
    append(spool, {"events": row()})
    spool.seal()
    shipper = Shipper(tmp_path, store)
    shipper.ship_sealed()
    first = {info.key: store.get(info.key) for info in store.list("")}
    store.is_failing = False
    shipper.ship_sealed()

    assert {info.key: store.get(info.key) for info in store.list("")} == first


def test_shippers_of_several_workers_ship_each_segment_once(tmp_path: Path) -> None:
    store = FailingStore()
    store.is_failing = False
    spools = [make_spool(tmp_path, f"w{number}") for number in range(4)]
    for spool in spools:
        for number in range(5):
            append(spool, {"events": row(number)})
            spool.seal()
    shippers = [Shipper(tmp_path, store) for _ in spools]
    threads = [threading.Thread(target=shipper.ship_sealed) for shipper in shippers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for shipper in shippers:  # one that met only locked segments leaves nothing behind
        shipper.ship_sealed()

    assert list_segments(tmp_path) == []
    assert sorted(store.puts) == sorted(set(store.puts))
    assert len(read_inbox(store).events) == 20


@pytest.mark.parametrize("data", [b"", b"garbage" * 50, None])
def test_an_unusable_segment_is_put_aside_and_does_not_stop_the_others(tmp_path: Path, data: bytes | None) -> None:
    header = SegmentHeader("0-dead-000000", "dead", 0, hour_of(AT), AT)
    unusable = tmp_path / "0-dead-000000.segment"
    unusable.write_bytes(opening(header) + record("events", b'{"no_such_column":1}\n') if data is None else data)
    spool, store = make_spool(tmp_path), MemoryStore()
    append(spool, {"events": row()})
    spool.seal()

    assert Shipper(tmp_path, store).ship_sealed() == 2

    assert len(read_inbox(store).events) == 1
    assert (tmp_path / DAMAGED_FOLDER / unusable.name).exists()
    assert list_segments(tmp_path) == []


def test_a_segment_damaged_in_the_middle_is_shipped_as_far_as_it_goes_and_kept_aside(tmp_path: Path) -> None:
    header = SegmentHeader("0-dead-000000", "dead", 0, hour_of(AT), AT)
    damaged = bytearray(record("events", row(1)))
    damaged[20] ^= 1
    path = tmp_path / "0-dead-000000.segment"
    path.write_bytes(opening(header) + bytes(damaged) + record("events", row(2)))
    store = MemoryStore()

    Shipper(tmp_path, store).ship_sealed()

    assert [each["event_id"][-1] for each in read_inbox(store).events] == ["2"]
    assert read_segment(tmp_path / DAMAGED_FOLDER / path.name).damaged_records == 1


def test_the_background_seals_by_age_and_ships_and_stops_with_an_empty_spool(tmp_path: Path) -> None:
    spool, store = make_spool(tmp_path), MemoryStore()
    tender, shipper, stopping = Tender(spool), Shipper(tmp_path, store), threading.Event()
    thread = threading.Thread(target=shipper.run, args=(stopping,))
    thread.start()
    tender.start()
    append(spool, {"events": row(1)})
    wait_until(lambda: not list_segments(tmp_path))
    tender.stop()
    append(spool, {"events": row(2)})
    spool.seal()
    stopping.set()
    thread.join()

    assert shipper.ship_rest(5.0)
    assert len(read_inbox(store).events) == 2


def test_shipping_the_rest_begins_no_segment_after_its_time(tmp_path: Path) -> None:
    spool, store = make_spool(tmp_path), MemoryStore()
    append(spool, {"events": row(1)})
    spool.seal()

    assert not Shipper(tmp_path, store).ship_rest(0.0)
    assert len(list_segments(tmp_path)) == 1


def test_waits_double_up_to_half_a_minute_and_end_with_a_success() -> None:
    backoff = Backoff()
    waits = [backoff.fail() for _ in range(12)]
    assert 0.25 <= waits[0] <= 0.5
    assert all(15 <= wait <= 30 for wait in waits[7:])
    assert backoff.is_waiting()
    backoff.succeed()
    assert not backoff.is_waiting()
    assert backoff.fail() <= 0.5
