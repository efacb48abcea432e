"""A home near the root, because the socket of the embedded Postgres needs a short path, and clean settings."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

OURS = ("TIDEMILL_", "DAGSTER_", "DBT_")


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tm-home-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
