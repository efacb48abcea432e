"""A collector in this process: the application's own code without a server, and a clock that stands still."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from collector.runtime import Collector
from collector.settings import CollectorSettings
from landing.store import MemoryStore
from tests.fixtures.collector import SITES, Landed, read_inbox

NOW = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"


class LocalCollector:
    """Requests in, rows of the landing zone out."""

    def __init__(self, home: Path, sites: str = SITES) -> None:
        self.now = NOW
        self.store = MemoryStore()
        (home / "sites.yml").write_text(sites)
        self.settings = CollectorSettings(home=home, sites=home / "sites.yml")
        self.collector = Collector(self.settings, clock=lambda: self.now, store=self.store)
        self.client = self.collector.app().test_client()

    def track(
        self, *events: Any, site: Any = "shop", headers: dict[str, str] | None = None, **body: Any
    ) -> TestResponse:
        """POST to /e."""
        document = {"v": 1, "site": site, "events": list(events), **body}
        return self.post("/e", json.dumps(document), headers)

    def call(self, body: Any, *, secret: str = "s3cret", path: str = "/v1/events") -> TestResponse:
        """POST to the server-side API."""
        return self.post(path, json.dumps(body), {"Authorization": f"Bearer {secret}"})

    def post(
        self, path: str, body: str | bytes, headers: dict[str, str] | None = None, *, peer: str = "203.0.113.77"
    ) -> TestResponse:
        """POST with a browser's user agent."""
        return self.client.post(
            path, data=body, headers={"User-Agent": CHROME, **(headers or {})}, environ_base={"REMOTE_ADDR": peer}
        )

    def landed(self) -> Landed:
        """Everything so far, by way of the spool and Parquet."""
        self.collector.spool.seal()
        self.collector.shipper.ship_sealed()
        return read_inbox(self.store)

    def only_event(self) -> dict[str, Any]:
        """The one event so far; columns without a value left out."""
        (row,) = self.landed().events
        return {name: value for name, value in row.items() if value is not None}

    def only_reject(self) -> dict[str, Any]:
        """The one reject so far; columns without a value left out."""
        (row,) = self.landed().rejects
        return {name: value for name, value in row.items() if value is not None}


@pytest.fixture
def local(tmp_path: Path) -> LocalCollector:
    return LocalCollector(tmp_path)
