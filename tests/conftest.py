"""Fixtures shared by all tests: real servers, started once a worker process, handed out clean."""

import signal

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures.collector", "tests.fixtures.postgres", "tests.fixtures.s3"]

# A shell that runs the suite in its background has it ignore Ctrl-C. After a job in this process Dagster treats SIGTERM
# alike, and so would every program that is started from then on.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says something of the machine, nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: one that came last would keep its worker busy while the other has nothing left."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
