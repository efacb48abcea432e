"""Fixtures shared by all tests: real servers, started once a worker process, handed out clean."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures.collector", "tests.fixtures.postgres", "tests.fixtures.s3"]

# How long an example takes says something of the machine, nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
