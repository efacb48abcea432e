"""Fixtures shared by all tests: real servers, started once a worker process, handed out clean."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures.collector", "tests.fixtures.postgres", "tests.fixtures.s3"]

# How long an example takes says something of the machine, nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: one that came last would keep its worker busy while the other has nothing left."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
