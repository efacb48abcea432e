"""A migrated warehouse, and a process that starts others to be killed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.database import migrate


@pytest.fixture
def warehouse(database_url: str) -> str:
    """URL of a database with empty `ops` and `raw`."""
    migrate(database_url)
    return database_url


@pytest.fixture(scope="module")
def killer() -> Iterator[subprocess.Popen[str]]:
    """Forks work that kills itself for each line."""
    command = [sys.executable, "-m", "tests.orchestration.crashing_loads"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forker:
        yield forker
        assert forker.stdin
        forker.stdin.close()
