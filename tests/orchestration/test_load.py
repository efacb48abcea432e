"""Inbox objects become rows of raw and a balanced ledger."""

from datetime import timedelta

from landing.store import MemoryStore
from orchestration.database import connect, migrate
from orchestration.load import load_inbox
from tests.orchestration.traffic import NOON, Writer, event, reject


def test_a_landed_event_is_in_raw_and_in_the_ledger(database_url: str) -> None:
    migrate(database_url)
    store = MemoryStore()
    Writer(store).ship(events=[event(NOON), event(NOON + timedelta(minutes=1))], rejects=[reject(NOON)])

    report = load_inbox(store=store, database_url=database_url, clock=lambda: NOON + timedelta(hours=1))

    assert report.loaded_rows == {"events": 2, "rejects": 1}
    with connect(database_url) as connection:
        assert connection.execute("select count(*), min(page_host), min(browser) from raw.events").fetchone() == (
            2,
            "shop.example",
            "Chrome",
        )
        assert connection.execute(
            "select dataset, state, landed_rows, loaded_rows, late_rows from ops.load_batches order by 1"
        ).fetchall() == [("events", "committed", 2, 2, 0), ("rejects", "committed", 1, 1, 0)]
