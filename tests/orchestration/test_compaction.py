"""Few large archive objects say exactly what the many small ones said; cut off anywhere, nothing is lost or doubled."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landing.codec import decode_compacted, encode
from landing.contract import EVENTS
from landing.errors import StoreUnavailable
from landing.keys import ArchiveKey
from landing.schema import loaded_schema
from landing.store import MemoryStore, ObjectInfo
from orchestration.archive import read_object
from orchestration.compaction import (
    CompactionLimits,
    SmallObject,
    grouped,
)
from orchestration.database import connect
from orchestration.errors import LedgerBusy, RebuildUnfinished
from orchestration.exclusion import exclusive_ledger
from orchestration.purge import PurgeLimits, execute_purge, plan_purge
from orchestration.transform_window import finish_transform, plan_transform
from tests.orchestration.compactable import (
    DAYS,
    FORGOTTEN,
    NOW,
    Filled,
    archived,
    close,
    compact,
    contents,
    load,
    rebuild,
)
from tests.orchestration.ledger_state import findings
from tests.orchestration.traffic import NOON, Writer, event


@pytest.fixture
def warehouse(filled: Filled) -> str:
    return filled.database_url


@pytest.fixture
def store(filled: Filled) -> MemoryStore:
    return filled.store


def test_a_closed_day_becomes_one_object_a_dataset_and_an_open_one_stays(warehouse: str, store: MemoryStore) -> None:
    before = contents(warehouse)

    report = compact(store, warehouse)

    first, second = (day.date().isoformat() for day in DAYS)
    assert [key.is_compacted for key in archived(store, f"archive/events/{first}/")] == [True]
    assert [key.is_compacted for key in archived(store, f"archive/rejects/{first}/")] == [True]
    assert {key.is_compacted for key in archived(store) if key.day.isoformat() == second} == {False}
    assert (report.objects_before, report.objects_after, report.kept) == (7, 2, [])
    assert report.bytes_before > report.bytes_after > 0
    assert contents(warehouse) == before
    assert findings(warehouse, store, NOON) == ()


def test_a_rebuild_gives_rows_and_ledger_as_they_were(warehouse: str, store: MemoryStore) -> None:
    before = contents(warehouse)
    compact(store, warehouse)
    compacted = contents(warehouse, FORGOTTEN)

    rebuild(store, warehouse)

    assert contents(warehouse) == before
    assert contents(warehouse, FORGOTTEN) == compacted, "the ledger names the compacted objects again"
    assert findings(warehouse, store, NOON) == ()


def test_a_compacted_object_is_folded_sorted_and_divides_into_its_batches(warehouse: str, store: MemoryStore) -> None:
    loaded = {
        key.batch_id: (found.rows, *found.origins)
        for key in archived(store, "archive/events/2026-03-10/")
        for found in [read_object(store, key, EVENTS)]
    }
    compact(store, warehouse)

    (key,) = archived(store, "archive/events/2026-03-10/")
    found = read_object(store, key, EVENTS)

    kept = pq.read_table(pa.BufferReader(store.get(str(key))), columns=["raw", "client_event_id"])
    assert any("\x02" in (raw or "") for raw in kept["raw"].to_pylist()), "folded in the object"
    assert not any("\x02" in (raw or "") for raw in found.rows["raw"].to_pylist()), "unfolded by its reader"
    order = list(zip(*(found.rows[name].to_pylist() for name in ("site_id", "visitor_id", "occurred_at")), strict=True))
    assert order == sorted(order)
    divided = {each.origin.batch_id: (each.rows, each.origin) for each in found.batches()}
    assert divided.keys() == loaded.keys()
    for batch_id, (rows, origin) in divided.items():
        assert rows.equals(loaded[batch_id][0])
        assert origin == loaded[batch_id][1]


def test_compacting_again_changes_nothing_and_later_batches_make_an_object_of_their_own(
    warehouse: str, store: MemoryStore
) -> None:
    compact(store, warehouse)
    keys = archived(store)
    assert compact(store, warehouse).objects_after == 0
    assert archived(store) == keys

    writer = Writer(store, "w2")
    for number in range(4):
        writer.ship(events=[event(NOON + timedelta(minutes=number))])
    load(store, warehouse)
    before = contents(warehouse)
    report = compact(store, warehouse)

    assert (report.objects_before, report.objects_after) == (2, 1)
    assert len(archived(store, "archive/events/2026-03-10/")) == 2
    rebuild(store, warehouse)
    assert contents(warehouse) == before


def test_objects_stay_below_their_limits(warehouse: str, store: MemoryStore) -> None:
    before = contents(warehouse)

    report = compact(store, warehouse, CompactionLimits(rows_max=44))

    assert report.objects_after == 3, "batches of 20 and 20, of 20 and 4 events, and one object of rejects"
    rebuild(store, warehouse)
    assert contents(warehouse) == before


def test_neighbours_are_grouped_up_to_the_limits_and_nobody_alone() -> None:
    small = [SmallObject(f"{number:012d}-a", 10, 100) for number in range(7)]
    shuffled = random.Random(1).sample(small, len(small))

    assert [len(each) for each in grouped(shuffled, CompactionLimits(rows_max=30))] == [3, 3]
    assert [len(each) for each in grouped(shuffled, CompactionLimits(size_bytes_max=450))] == [4, 3]
    assert grouped([small[0]], CompactionLimits()) == []
    assert grouped([SmallObject("a", 200, 1), SmallObject("b", 200, 1)], CompactionLimits(rows_max=100)) == []


def test_time_that_is_up_leaves_the_rest_for_the_next_night(warehouse: str, store: MemoryStore) -> None:
    report = compact(store, warehouse, CompactionLimits(duration_s_max=-1))

    assert (report.objects_after, report.is_complete) == (0, False)


def test_a_damaged_or_missing_object_keeps_its_group_as_it_is(warehouse: str, store: MemoryStore) -> None:
    events, rejects = (archived(store, f"archive/{name}/2026-03-10/") for name in ("events", "rejects"))
    store.put(str(events[1]), store.get(str(events[0])))
    store.delete(str(rejects[1]))
    keys = archived(store)

    report = compact(store, warehouse)

    assert archived(store) == keys
    assert len(report.kept) == 2
    assert all("2026-03-10, batches" in each for each in report.kept)


def test_an_object_that_the_store_garbles_is_taken_back(warehouse: str, filled: Filled) -> None:
    class Garbling(MemoryStore):
        """Gives the rows of a compacted object back in another order."""

        def put(self, key: str, data: bytes) -> None:
            parsed = ArchiveKey.parse(key)
            if parsed is not None and parsed.is_compacted and parsed.dataset == EVENTS.name:
                rows, origin = decode_compacted(data, loaded_schema(EVENTS))
                data = encode(rows.take(list(reversed(range(rows.num_rows)))), loaded_schema(EVENTS), origin)
            super().put(key, data)

    store = Garbling()
    filled.copy_objects(store)
    keys = archived(store)

    report = compact(store, warehouse)

    (kept,) = report.kept
    assert "came back from the store with other rows" in kept
    assert [key for key in archived(store) if key.dataset == EVENTS.name] == [
        key for key in keys if key.dataset == EVENTS.name
    ]
    assert findings(warehouse, store, NOON) == ()


def test_a_ledger_older_than_the_compaction_finds_its_batches_in_the_large_object(
    warehouse: str, store: MemoryStore
) -> None:
    """As after the restore of a backup of the warehouse."""
    before = contents(warehouse)
    with connect(warehouse) as connection:
        connection.execute("create table ops.backup as select * from ops.load_batches")
        compact(store, warehouse)
        connection.execute(
            "update ops.load_batches set archive_key = backup.archive_key, archive_bytes = backup.archive_bytes"
            " from ops.backup where backup.batch_id = load_batches.batch_id"
        )

    rebuild(store, warehouse)

    assert contents(warehouse) == before


def test_a_purge_verifies_and_deletes_compacted_objects(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        connection.execute("delete from ops.purged_days")
        finish_transform(connection, plan_transform(connection, clock=lambda: NOW), clock=lambda: NOW)
    close(warehouse, 2)
    compact(store, warehouse)
    limits = PurgeLimits(raw_days=30, archive_days=39)
    (key,) = archived(store, "archive/events/2026-03-10/")
    data = store.get(str(key))

    def purge() -> Any:
        with connect(warehouse) as connection:
            plan = plan_purge(store=store, connection=connection, now=NOW, limits=limits)
            return execute_purge(plan, store=store, connection=connection, clock=lambda: NOW)

    store.put(str(key), data[:-40])
    assert any("is damaged" in each.reason for each in purge().kept)
    store.put(str(key), data)
    report = purge()

    assert {each.dataset for each in report.raw_days} == {"events"}
    assert archived(store, "archive/events/2026-03-10/") == archived(store, "archive/rejects/2026-03-10/") == []
    assert report.archive_objects == 1, "that of the rejects went with the first purge"
    assert findings(warehouse, store, NOON) == ()


def test_the_ledger_is_let_go_between_two_objects_and_asked_for_each(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as other, exclusive_ledger(other, work="load", wait_s=1):
        with pytest.raises(LedgerBusy, match="another load"):
            compact(store, warehouse)
        assert not any(key.is_compacted for key in archived(store))
    with connect(warehouse) as connection:
        connection.execute("insert into ops.rebuilds (started_at) values (now())")
    with pytest.raises(RebuildUnfinished):
        compact(store, warehouse)


def test_a_store_that_fails_stops_the_compaction_and_the_next_goes_on(warehouse: str, filled: Filled) -> None:
    class Failing(MemoryStore):
        """Fails at the n-th verb that changes something."""

        left = -1

        def put(self, key: str, data: bytes) -> None:
            self._count(key)
            super().put(key, data)

        def delete(self, key: str) -> None:
            self._count(key)
            super().delete(key)

        def _count(self, key: str) -> None:
            if self.left == 0:
                raise StoreUnavailable(key)
            self.left -= 1

        def list(self, prefix: str) -> Iterator[ObjectInfo]:
            return super().list(prefix)

    store = Failing()
    filled.copy_objects(store)
    before = contents(warehouse)
    for left in (0, 1, 2):
        store.left = left
        with pytest.raises(StoreUnavailable):
            compact(store, warehouse)
        assert findings(warehouse, store, NOON) == ()
    store.left = -1

    compact(store, warehouse)

    assert sum(key.is_compacted for key in archived(store)) == 2
    assert contents(warehouse) == before
