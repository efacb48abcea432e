"""kill -9 of a compaction before and after each step: the old or the new objects are in effect, never both."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from landing.store import DirectoryStore
from orchestration.database import connect, migrate
from tests.orchestration.compactable import archived, compact, contents, fill, rebuild
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


@pytest.fixture(scope="module")
def filled(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A filled landing zone, and its ledger in database `compaction_template`."""
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute("create database compaction_template template template0")
        url = postgres_server.replace("/postgres?", "/compaction_template?")
        migrate(url)
        folder = tmp_path_factory.mktemp("filled")
        fill(DirectoryStore(folder), url)
        yield folder
        server.execute("drop database compaction_template with (force)")


@pytest.mark.xdist_group("killed_compactions")
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_a_killed_compaction_leaves_the_old_or_the_new_objects_in_effect(
    case: tuple[str, str, int, str],
    postgres_server: str,
    killer: subprocess.Popen[str],
    filled: Path,
    tmp_path: Path,
) -> None:
    step, moment, call, then = case
    store = DirectoryStore(tmp_path)
    for info in DirectoryStore(filled).list("archive/"):
        store.put(info.key, DirectoryStore(filled).get(info.key))
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute("drop database if exists killed_compaction with (force)")
        server.execute("create database killed_compaction template compaction_template")
    url = postgres_server.replace("/postgres?", "/killed_compaction?")
    before = contents(url)
    order = {"step": step, "moment": moment, "call": call, "database_url": url, "store": str(tmp_path)}
    assert killer.stdin
    assert killer.stdout
    killer.stdin.write(json.dumps(order) + "\n")
    killer.stdin.flush()
    assert int(killer.stdout.readline()) == signal.SIGKILL

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
