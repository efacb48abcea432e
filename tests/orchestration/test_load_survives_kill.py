"""kill -9 of a loader before and after each step: the next load completes it, nothing is lost or counted twice."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from landing.store import DirectoryStore
from orchestration.database import connect
from orchestration.load import load_inbox
from tests.orchestration.crashing_loads import STEPS
from tests.orchestration.ledger_state import batch_states, event_ids, findings
from tests.orchestration.traffic import NOON, Writer, app_row, event, reject

CASES = [
    (step, moment, call)
    for step in STEPS
    for moment in ("before", "after")
    for call in ((1,) if step == "file" else (1, 2))  # of the first two batches only one is an app's
]
OBJECTS = 5
SITES = """
version: 1
tables: {clicks: {columns: [{name: n, type: i32}]}}
apps: {game: {secret_key: k, tables: [clicks]}}
"""

pytestmark = pytest.mark.xdist_group("killed_loaders")


class Crashed(NamedTuple):
    """What a killed loader left behind."""

    database_url: str
    store: DirectoryStore
    sites: Path
    ids: list[str]
    signal: int


def crash(killer: Callable[..., int], case: tuple[str, str, int], database_url: str, folder: Path) -> Crashed:
    store = DirectoryStore(folder)
    writer, rows = Writer(store), [event(NOON) for _ in range(OBJECTS)]
    for row in rows:
        writer.ship(events=[row], rejects=[reject(NOON)])
    writer.ship(app_rows=[app_row(NOON, "clicks", {"n": n}) for n in range(OBJECTS)])
    sites = folder / "sites.yml"
    sites.write_text(SITES)
    order = dict(zip(("step", "moment", "call"), case, strict=True))
    order |= {"database_url": database_url, "store": folder, "sites": sites}
    ids = sorted(row["event_id"] for row in rows)
    return Crashed(database_url, store, sites, ids, killer(order))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_what_a_killed_loader_left_is_completed_by_the_next(
    case: tuple[str, str, int], warehouse: str, killer: Callable[..., int], tmp_path: Path
) -> None:
    crashed = crash(killer, case, warehouse, tmp_path)
    assert crashed.signal == signal.SIGKILL
    with connect(crashed.database_url) as connection:
        committed_before = connection.execute(
            "select batch_id from ops.load_batches where state = 'committed' order by 1"
        ).fetchall()
        left = connection.execute("select count(*) from ops.load_batches where state = 'planned'").fetchone()

    report = load_inbox(
        store=crashed.store, database_url=crashed.database_url, clock=lambda: NOON, sites_file=crashed.sites
    )

    assert event_ids(crashed.database_url) == crashed.ids
    assert [state for state, _ in batch_states(crashed.database_url)] == ["committed"]
    assert findings(crashed.database_url, crashed.store, NOON) == ()
    assert (len(report.repeated_batch_ids),) == left
    assert set(report.batch_ids).isdisjoint(batch_id for (batch_id,) in committed_before)
    archived = {info.key for info in crashed.store.list("archive/")}
    with connect(crashed.database_url) as connection:
        rows = connection.execute("select n from apps.clicks order by 1").fetchall()
        assert rows == [(n,) for n in range(OBJECTS)]
        assert archived == {key for (key,) in connection.execute("select archive_key from ops.load_batches")}
