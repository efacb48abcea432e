"""kill -9 of the whole collector under load: what was acknowledged reaches the models exactly once."""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.runtime import utc_now
from landing.codec import SegmentOrigin
from landing.store import DirectoryStore
from orchestration import conservation
from orchestration.database import connect, migrate
from orchestration.load import load_inbox
from tests.dbt_project.warehouse import Warehouse
from tests.fixtures.collector import CollectorProcess, Load, read_inbox, wait_until


def _crash_and_recover(make: Callable[..., CollectorProcess], warehouse: Warehouse, times: int) -> None:
    collector = make(TIDEMILL_SEGMENT_MAX_BYTES="65536")
    acknowledged: set[str] = set()
    sent: set[str] = set()
    for _ in range(times):
        collector.start()
        with Load(collector.port) as load:
            enough = random.randint(1, 800)
            wait_until(lambda load=load, enough=enough: len(load.acknowledged) >= enough)
            collector.kill()
        acknowledged |= load.acknowledged
        sent |= load.sent
    collector.start()
    wait_until(lambda: not collector.spool())
    assert collector.terminate() == 0

    landed = read_inbox(DirectoryStore(collector.home / "landing"))
    ids = Counter(row["event_id"] for row in landed.events)
    assert acknowledged - ids.keys() == set()
    assert ids.keys() - sent == set()
    assert set(ids.values()) == {1}
    _assert_no_segment_is_missing(landed.origins)
    _assert_the_models_hold_each_once(warehouse, collector, set(ids))


def _assert_the_models_hold_each_once(warehouse: Warehouse, collector: CollectorProcess, ids: set[str]) -> None:
    """Load and transform what landed: the source of all marts has every id, and the ledger balances."""
    store = DirectoryStore(collector.home / "landing")
    migrate(warehouse.url)
    load_inbox(store=store, database_url=warehouse.url, clock=utc_now)
    assert warehouse.transform("--select", "+int_events").success
    with connect(warehouse.url) as connection:
        events = connection.execute("select event_id::text from intermediate.int_events").fetchall()
        findings = conservation.check(connection, now=utc_now(), store=store)
    assert Counter(event_id for (event_id,) in events) == Counter(ids)
    assert findings == ()


def _assert_no_segment_is_missing(origins: list[SegmentOrigin]) -> None:
    numbers: dict[str, set[int]] = {}
    for origin in origins:
        numbers.setdefault(origin.writer_id, set()).add(origin.segment_number)
    for found in numbers.values():
        assert found == set(range(len(found)))


@pytest.mark.long
def test_thirty_crashes_under_load_lose_and_repeat_nothing(
    collector_process: Callable[..., CollectorProcess], database_url: str, tmp_path: Path
) -> None:
    _crash_and_recover(collector_process, Warehouse(database_url, tmp_path / "target"), 30)


@pytest.mark.soak
def test_three_hundred_crashes_under_load_lose_and_repeat_nothing(
    collector_process: Callable[..., CollectorProcess], database_url: str, tmp_path: Path
) -> None:
    _crash_and_recover(collector_process, Warehouse(database_url, tmp_path / "target"), 300)


def test_a_killed_worker_is_replaced_and_its_segment_adopted(
    collector_process: Callable[..., CollectorProcess],
) -> None:
    collector = collector_process(TIDEMILL_SEGMENT_MAX_SECONDS="3600").start()
    with Load(collector.port) as load:
        wait_until(lambda: len(load.acknowledged) > 100)
        os.kill(collector.workers()[0], signal.SIGKILL)
        wait_until(lambda: collector.log().count("collector ready") == 3)
        before = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > before + 100)

    assert collector.terminate() == 0

    landed = Counter(row["event_id"] for row in read_inbox(DirectoryStore(collector.home / "landing")).events)
    assert load.acknowledged - landed.keys() == set()
    assert set(landed.values()) == {1}
