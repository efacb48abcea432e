"""kill -9 of a compaction before and after each step: the old or the new objects are in effect, never both."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.database import connect
from tests.orchestration.compactable import Filled, archived, compact, contents, rebuild
from tests.orchestration.crashing_loads import COMPACTION_STEPS
from tests.orchestration.ledger_state import findings
from tests.orchestration.traffic import NOON

CASES = [
    (step, moment, call, then)
    for step, calls in zip(COMPACTION_STEPS, [(1, 2), (1,), (1, 2), (1, 2)], strict=True)
    for moment in ("before", "after")
    for call in calls
    for then in ("compact", "rebuild")
]
"""The kill, and what comes first afterwards."""


@pytest.mark.xdist_group("killed_compactions")
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_a_killed_compaction_leaves_the_old_or_the_new_objects_in_effect(
    case: tuple[str, str, int, str], filled: Filled, killer: Callable[..., int], tmp_path: Path
) -> None:
    step, moment, call, then = case
    store, url = filled.write_objects(tmp_path), filled.database_url
    before = contents(url)
    order = {"step": step, "moment": moment, "call": call, "database_url": url, "store": tmp_path}
    assert killer(order) == signal.SIGKILL

    assert findings(url, store, NOON) == (), "whichever is in effect is complete"
    if then == "rebuild":
        rebuild(store, url)
        assert contents(url) == before
    compact(store, url)

    with connect(url) as connection:
        named = {key for (key,) in connection.execute("select distinct archive_key from ops.load_batches")}
    assert {str(key) for key in archived(store)} == named
    assert sum(key.is_compacted for key in archived(store)) == 2
    assert findings(url, store, NOON) == ()
    rebuild(store, url)
    assert contents(url) == before
