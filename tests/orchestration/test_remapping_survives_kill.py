"""kill -9 of a replay from the archive before and after each step: running it again ends where one run would have."""

import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from landing.store import DirectoryStore
from orchestration.database import connect
from orchestration.remapping import RemapReport, remap_archive
from tests.orchestration.compactable import Filled, contents, rebuild
from tests.orchestration.crashing_loads import REMAP_STEPS
from tests.orchestration.ledger_state import findings
from tests.orchestration.remappable import mapping, renamed
from tests.orchestration.traffic import NOON

CASES = [(step, moment) for step in REMAP_STEPS for moment in ("before", "after")]


def remap(store: DirectoryStore, database_url: str) -> RemapReport:
    days = {"first": NOON.date(), "last": NOON.date() + timedelta(days=1)}
    return remap_archive(store=store, database_url=database_url, remap=mapping(renamed), **days)


@pytest.mark.xdist_group("killed_remaps")
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_killed_replay_is_finished_by_running_it_again(
    case: tuple[str, str], filled: Filled, killer: Callable[..., int], tmp_path: Path
) -> None:
    store, warehouse = filled.write_objects(tmp_path), filled.database_url
    order = {"step": case[0], "moment": case[1], "call": 2, "database_url": warehouse, "store": tmp_path}
    assert killer(order) == signal.SIGKILL
    assert findings(warehouse, store, NOON) == ()

    remap(store, warehouse)

    assert findings(warehouse, store, NOON) == ()
    with connect(warehouse) as connection:
        assert connection.execute("select count(*) from ops.begun_remaps").fetchone() == (0,)
    assert remap(store, warehouse).changed == 0
    before = contents(warehouse)
    rebuild(store, warehouse)
    assert contents(warehouse) == before
