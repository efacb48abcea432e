"""Fixtures shared by all tests: real servers, started once a worker process, handed out clean."""

pytest_plugins = ["tests.fixtures.collector", "tests.fixtures.postgres", "tests.fixtures.s3"]
