"""A migrated warehouse."""

import pytest

from orchestration.database import migrate


@pytest.fixture
def warehouse(database_url: str) -> str:
    """URL of a database with empty `ops` and `raw`."""
    migrate(database_url)
    return database_url
