"""A migrated warehouse, and a process that starts others to be killed."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from landing.store import MemoryStore
from tests.fixtures.postgres import new_database
from tests.orchestration.compactable import Filled, fill


@pytest.fixture
def warehouse(postgres_server: str, migrated_url: str) -> Iterator[str]:
    """URL of a database with empty `ops` and `raw`."""
    with new_database(postgres_server, like=migrated_url) as url:
        yield url


@pytest.fixture(scope="session")
def filled_once(postgres_server: str, migrated_url: str) -> Iterator[Filled]:
    """What `fill` makes, to be copied."""
    with new_database(postgres_server, like=migrated_url) as url:
        filled = Filled(url, MemoryStore())
        fill(filled.store, url)
        yield filled


@pytest.fixture
def filled(postgres_server: str, filled_once: Filled) -> Iterator[Filled]:
    """A warehouse and a landing zone as `fill` makes them."""
    with new_database(postgres_server, like=filled_once.database_url) as url:
        copy = Filled(url, MemoryStore())
        filled_once.copy_objects(copy.store)
        yield copy


@pytest.fixture(scope="module")
def killer() -> Iterator[Callable[..., int]]:
    """Does the work of one case of `crashing_loads`, which kills itself; gives the signal that ended it, or 0."""
    command = [sys.executable, "-m", "tests.orchestration.crashing_loads"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forker:
        assert forker.stdin
        assert forker.stdout
        cases, signals = forker.stdin, forker.stdout

        def kill(case: dict[str, object]) -> int:
            cases.write(json.dumps(case, default=str) + "\n")
            cases.flush()
            return int(signals.readline())

        yield kill
        cases.close()
