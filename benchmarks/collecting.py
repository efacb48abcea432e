"""How many events a second the collector makes durable, beside a server that does nothing."""

import json
import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.http_load import Load, drive, post
from benchmarks.report import Result, at_least, at_most
from benchmarks.servers import bare_flask, collector, shipping_rss_bytes, worker_rss_bytes
from collector.serve import THREADS

CONNECTIONS = 32
SECONDS = 3.0
REPETITIONS = 5
EVENTS_A_BATCH = 50
REQUESTS = 5_000
_MEGABYTE = 1_000_000


def measure() -> list[Result]:
    """Bare Flask, one event a request and fifty events a request, in turn."""
    single, batch = requests(1), requests(EVENTS_A_BATCH, count=REQUESTS // EVENTS_A_BATCH)
    bare_rates, single_rates, batch_rates = [], [], []
    with (
        tempfile.TemporaryDirectory() as home,
        bare_flask(THREADS) as (bare_port, _),
        collector(Path(home)) as (port, parent),
    ):
        for each in (bare_port, port):
            drive(each, single, connections=CONNECTIONS, seconds=1.0)
        for _ in range(REPETITIONS):
            bare_rates.append(_rate(drive(bare_port, single, connections=CONNECTIONS, seconds=SECONDS)))
            single_rates.append(_rate(drive(port, single, connections=CONNECTIONS, seconds=SECONDS)))
            batch_rates.append(EVENTS_A_BATCH * _rate(drive(port, batch, connections=CONNECTIONS, seconds=SECONDS)))
        rss, shipping = max(worker_rss_bytes(parent)), shipping_rss_bytes(parent)
    to_bare = median(one / bare for one, bare in zip(single_rates, bare_rates, strict=True))
    to_single = median(many / one for many, one in zip(batch_rates, single_rates, strict=True))
    return [
        at_least(
            "collector, 1 event a request : bare Flask 204",
            to_bare,
            0.6,
            f"{median(single_rates):.0f} : {median(bare_rates):.0f} requests/s at {CONNECTIONS} connections; "
            "limited by the processor: over half is the server's own, the rest mapping, syncing and shipping alike",
        ),
        at_least(
            "collector, 50 events a request : 1 event a request, events/s",
            to_single,
            8,
            f"{median(batch_rates):.0f} : {median(single_rates):.0f} events/s; limited by the mapping of each event",
        ),
        at_most(
            "collector RSS per worker under load, MB",
            rss / _MEGABYTE,
            150,
            f"the process that ships, one for all workers, has {shipping / _MEGABYTE:.0f} MB: it alone needs Arrow",
        ),
    ]


def requests(events: int, count: int = REQUESTS) -> list[bytes]:
    """Requests of the tracker with `events` page views each."""
    return [post("/e", _body(number, events)) for number in range(count)]


def _body(number: int, events: int) -> bytes:
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    document = {
        "v": 1,
        "site": "shop",
        "sent_at": now_ms,
        "lib": "1.0.0",
        "vid": f"visitor-{number}",
        "w": 1280,
        "h": 720,
        "sw": 1920,
        "sh": 1080,
        "l": "de-DE",
        "tz": "Europe/Berlin",
        "events": [
            {
                "id": str(uuid.uuid4()),
                "n": "page",
                "ts": now_ms - 1000,
                "u": f"https://shop.example/product/{number}-{index}",
                "r": "https://www.google.com/",
                "ti": f"Product {number}",
                "pv": f"pv-{number}-{index}",
                "seq": 0,
            }
            for index in range(events)
        ],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _rate(load: Load) -> float:
    if set(load.statuses) != {204}:
        raise RuntimeError(f"answers were {load.statuses}, expected 204 only")
    return load.requests_per_s
