"""The check finds each way in which data and ledger can differ."""

from datetime import timedelta

import pytest

from landing.codec import SegmentOrigin
from landing.contract import EVENTS
from landing.keys import InboxKey
from landing.store import MemoryStore
from orchestration.conservation import check
from orchestration.database import connect
from orchestration.load import load_inbox
from tests.orchestration.ledger_state import findings
from tests.orchestration.traffic import NOON, Writer, event, object_bytes, reject


@pytest.fixture
def store(warehouse: str) -> MemoryStore:
    """Two segments of one writer, loaded in one batch of events and one of rejects."""
    store = MemoryStore()
    writer = Writer(store)
    writer.ship(events=[event(NOON)], rejects=[reject(NOON)])
    writer.ship(events=[event(NOON)])
    load(store, warehouse)
    return store


def load(store: MemoryStore, database_url: str) -> None:
    load_inbox(store=store, database_url=database_url, clock=lambda: NOON)


def test_nothing_is_found_where_everything_holds(warehouse: str, store: MemoryStore) -> None:
    assert findings(warehouse, store, NOON) == ()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("delete from raw.events where segment_row = 0 and segment_id = 'w1-000001'", "raw.events has 1 rows, 2 were"),
        ("insert into raw.events select * from raw.events limit 1", "raw.events has 3 rows, 2 were loaded"),
        ("drop table raw.rejects_20260310", "raw.rejects has 0 rows, 1 were loaded"),
        ("update ops.load_objects set row_count = 9 where dataset = 'events'", "object_rows 18, landed_rows 2"),
        ("update ops.load_counts set landed_rows = 5 where reason = ''", "counted_landed_rows 5"),
        ("update ops.load_counts set late_rows = 1 where reason = ''", "counted_late_rows 1"),
        ("delete from ops.load_counts", "counted_landed_rows 0"),
        ("delete from ops.load_objects where dataset = 'rejects'", "its 1 rows of rejects never arrived"),
        ("delete from ops.load_objects where segment_number = 0", "segments 0 never arrived, a later one did"),
    ],
)
def test_damage_is_found(warehouse: str, store: MemoryStore, damage: str, message: str) -> None:
    with connect(warehouse) as connection:
        connection.execute(damage)

    found = findings(warehouse, store, NOON)

    assert any(message in each.message and each.severity == "failure" for each in found), found


def test_a_missing_or_short_archive_object_is_found(warehouse: str, store: MemoryStore) -> None:
    events, rejects = [info.key for info in store.list("archive/")]
    store.delete(events)
    store.put(rejects, b"broken")

    found = findings(warehouse, store, NOON)

    assert [each.message.partition(":")[0] for each in found] == [
        f"archive object {events} is missing",
        f"archive object {rejects} is damaged",
    ]


def test_the_archive_object_of_another_batch_is_found(warehouse: str, store: MemoryStore) -> None:
    events = next(info.key for info in store.list("archive/"))
    with connect(warehouse) as connection:
        connection.execute("update ops.load_batches set landed_rows = 1, loaded_rows = 1 where dataset = 'events'")

    assert any("has 2 rows of it, 1 landed" in each.message for each in findings(warehouse, store, NOON)), events


def test_a_purged_day_has_no_rows_to_count(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        connection.execute(
            "drop table raw.events_20260310; insert into ops.purged_days values ('2026-03-10', 2, now())"
        )

    assert findings(warehouse, store, NOON) == ()


def test_a_hole_in_a_writers_segments_is_a_warning_at_first(warehouse: str) -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.ship(events=[event(NOON)])
    writer.number = 3
    writer.ship(events=[event(NOON)])
    load(store, warehouse)

    with connect(warehouse) as connection:
        early = check(connection, now=NOON + timedelta(minutes=59))
        late = check(connection, now=NOON + timedelta(minutes=60))

    message = "segments 1 to 2 never arrived, a later one did"
    assert [(each.severity, each.subject, each.message) for each in early] == [("warning", "w1", message)]
    assert [each.severity for each in late] == ["failure"]


def test_a_segment_whose_other_dataset_is_on_its_way_is_a_warning_at_first(warehouse: str) -> None:
    store = MemoryStore()
    origin = SegmentOrigin("w1-000000", "w1", 0, {"events": 1, "rejects": 4})
    store.put(str(InboxKey("events", NOON, "w1-000000")), object_bytes(EVENTS, [event(NOON)], origin))
    load(store, warehouse)

    with connect(warehouse) as connection:
        early = check(connection, now=NOON)

    assert [(each.severity, each.message) for each in early] == [("warning", "its 4 rows of rejects never arrived")]


def test_only_the_given_batches_are_counted(warehouse: str, store: MemoryStore) -> None:
    with connect(warehouse) as connection:
        connection.execute("delete from raw.events")
        (events,), (rejects,) = connection.execute("select batch_id from ops.load_batches order by dataset").fetchall()

        assert check(connection, now=NOON, batch_ids=[rejects], store=store) == ()
        assert [each.subject for each in check(connection, now=NOON, batch_ids=[events])] == [events]
        assert check(connection, now=NOON, batch_ids=[]) == ()
