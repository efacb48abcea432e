"""Homes near the root, each with its sites file; what was started in them is stopped afterwards."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.mill import Mill


@pytest.fixture(scope="session")
def make_mill() -> Iterator[Callable[[str], Mill]]:
    """A function that makes a mill from the text of its sites file."""
    folders: list[Path] = []

    def make(sites: str) -> Mill:
        folder = Path(tempfile.mkdtemp(prefix="tm-e2e-", dir="/tmp"))
        folders.append(folder)
        (folder / "sites.yml").write_text(sites)
        return Mill(folder / "home", folder / "sites.yml")

    yield make
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
