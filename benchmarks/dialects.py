"""How many events a second the collector takes from each family of clients, beside its own server-side API."""

import base64
import json
import tempfile
import timeit
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from benchmarks.http_load import drive, post
from benchmarks.report import Result, at_least, at_most
from benchmarks.servers import ROOT, collector
from collector.protocols.objectiv.checks import Checker
from landing.taxonomy import extended

CONNECTIONS = 32
SECONDS = 1.5
REPETITIONS = 3
REQUESTS = 1_000
BATCH = 20
SITES = ROOT / "benchmarks" / "sites.yml"
NOW_MS = int(datetime.now(UTC).timestamp() * 1000)

Maker = Callable[[int, int], bytes]
"""From the request's number and its number of events to the request."""


def measure() -> list[Result]:
    """The rate of each dialect over that of the native API, with one event a request and with twenty."""
    rates: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as home, collector(Path(home), sites=SITES) as (port, _):
        supplies = {
            (name, events): [make(number, events) for number in range(REQUESTS // events)]
            for name, (make, sizes, _) in DIALECTS.items()
            for events in sizes
        }
        for _ in range(REPETITIONS):
            for (name, events), requests in supplies.items():
                rates.setdefault((name, events), []).append(events * _rate(name, port, requests))
    found = [_result(name, events, rates) for name, events in supplies if name != NATIVE]
    return [*found, _checking()]


def _rate(name: str, port: int, requests: Sequence[bytes]) -> float:
    load = drive(port, requests, connections=CONNECTIONS, seconds=SECONDS)
    if not set(load.statuses) <= {200, 202, 204}:
        raise RuntimeError(f"{name} was answered {load.statuses}")
    return load.requests_per_s


def _result(name: str, events: int, rates: dict[tuple[str, int], list[float]]) -> Result:
    ours, native = rates[name, events], rates[NATIVE, events]
    return at_least(
        f"{name}, {events} a request : native API, events/s",
        median(one / other for one, other in zip(ours, native, strict=True)),
        DIALECTS[name][2],
        f"{median(ours):.0f} : {median(native):.0f} events/s",
    )


def _checking() -> Result:
    """What checking one event of Objectiv's costs, without reading or mapping it."""
    checker = Checker(extended(()), takes_either=True)
    event = json.loads(_objectiv_event(1))
    runs = 2_000
    seconds = min(timeit.repeat(lambda: checker.check(event, transport_ms=NOW_MS), number=runs, repeat=5)) / runs
    return at_most("Objectiv, checking an event, ms", seconds * 1_000, 0.2, "the taxonomy is compiled once")


def _json(path: str, document: Any, **headers: str) -> bytes:  # noqa: ANN401  (any JSON value)
    return post(path, json.dumps(document, separators=(",", ":")).encode(), "application/json", headers=headers)


def _url(number: int) -> str:
    return f"https://shop.example/product/{number}"


def _native(number: int, events: int) -> bytes:
    batch = [
        {
            "event_id": str(uuid.uuid4()),
            "event_type": "page_view",
            "event_name": "page",
            "occurred_at": NOW_MS,
            "visitor_id": f"visitor-{number}",
            "page_url": _url(index),
            "page_title": "A product",
            "page_referrer": "https://www.google.com/",
            "screen_width": 1920,
            "screen_height": 1080,
            "language": "de-DE",
        }
        for index in range(events)
    ]
    return _json("/v1/events", {"events": batch}, Authorization="Bearer benchmark-secret")


def _measurement_protocol(number: int, events: int) -> bytes:
    lines = [
        urlencode(
            {
                "v": "1",
                "tid": "UA-1-1",
                "cid": f"visitor-{number}",
                "t": "pageview",
                "dl": _url(index),
                "dt": "A product",
                "dr": "https://www.google.com/",
                "sr": "1920x1080",
                "ul": "de-de",
                "qt": "200",
                "cd1": "blue",
                "z": str(index),
            }
        )
        for index in range(events)
    ]
    return post("/collect" if events == 1 else "/batch", "\n".join(lines).encode())


def _ga4(number: int, events: int) -> bytes:
    batch = [
        {
            "name": "page_view",
            "params": {
                "page_location": _url(index),
                "page_title": "A product",
                "page_referrer": "https://www.google.com/",
                "session_id": "1",
                "engagement_time_msec": 100,
            },
        }
        for index in range(events)
    ]
    document = {"client_id": f"visitor-{number}", "events": batch}
    return _json("/mp/collect?measurement_id=G-1&api_secret=benchmark-secret", document)


def _objectiv_event(number: int) -> str:
    return json.dumps(
        {
            "_type": "PressEvent",
            "id": str(uuid.uuid4()),
            "time": NOW_MS,
            "location_stack": [
                {"_type": "RootLocationContext", "id": "home"},
                {"_type": "NavigationContext", "id": "main"},
                {"_type": "PressableContext", "id": "buy"},
            ],
            "global_contexts": [
                {"_type": "ApplicationContext", "id": "shop-app"},
                {"_type": "PathContext", "id": _url(number)},
                {"_type": "HttpContext", "id": "http_context", "referrer": "", "user_agent": "x"},
            ],
        },
        separators=(",", ":"),
    )


def _objectiv(number: int, events: int) -> bytes:
    batch = ",".join(_objectiv_event(number) for _ in range(events))
    return post("/s/shop/", f'{{"transport_time":{NOW_MS},"events":[{batch}]}}'.encode())


def _segment(number: int, events: int) -> bytes:
    batch = [
        {
            "type": "page",
            "messageId": str(uuid.uuid4()),
            "anonymousId": f"visitor-{number}",
            "timestamp": "2026-03-10T12:00:00.000Z",
            "context": {"library": {"name": "analytics.js", "version": "1"}, "locale": "de-DE"},
            "properties": {"url": _url(index), "title": "A product", "referrer": "https://www.google.com/"},
        }
        for index in range(events)
    ]
    for each in batch:
        each["timestamp"] = datetime.now(UTC).isoformat()
    return _json("/v1/batch", {"writeKey": "WRITE_KEY", "sentAt": datetime.now(UTC).isoformat(), "batch": batch})


def _snowplow(number: int, events: int) -> bytes:
    batch = [
        {
            "e": "pv",
            "eid": str(uuid.uuid4()),
            "p": "web",
            "tv": "js-4",
            "aid": "shop-web",
            "dtm": str(NOW_MS),
            "stm": str(NOW_MS + 10),
            "duid": f"visitor-{number}",
            "url": _url(index),
            "page": "A product",
            "refr": "https://www.google.com/",
            "res": "1920x1080",
            "vp": "1280x720",
            "lang": "de-DE",
            "cx": _WEB_PAGE,
        }
        for index in range(events)
    ]
    schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
    return _json("/com.snowplowanalytics.snowplow/tp2", {"schema": schema, "data": batch})


_WEB_PAGE = base64.urlsafe_b64encode(
    json.dumps(
        {
            "schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0",
            "data": [
                {
                    "schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0",
                    "data": {"id": "6c1f2c6e-0000-4000-8000-000000000001"},
                }
            ],
        }
    ).encode()
).decode()


def _attolytics(number: int, events: int) -> bytes:
    batch = [{"_t": "clicks", "at": NOW_MS / 1000, "page": _url(index), "number": number} for index in range(events)]
    return _json("/apps/game/events", {"secret_key": "benchmark-secret", "events": batch})


def _alcolytics(number: int, _events: int) -> bytes:
    message = {
        "name": "pageview",
        "data": {},
        "projectId": 1,
        "page": {"url": _url(number), "referrer": "https://www.google.com/", "title": "A product"},
        "session": {"num": 1, "start": NOW_MS, "type": "organic", "pageNum": 1, "eventNum": 1},
        "lib": {"name": "alco.js", "libver": 213, "snippet": 3},
        "client": {"ts": NOW_MS, "tz": "Europe/Berlin", "tzOffset": 60_000, "platform": "Linux", "product": "Gecko"},
        "browser": {"wh": {"w": 1280, "h": 720}, "sr": {"tot": {"w": 1920, "h": 1080}}},
    }
    return post(f"/track?uid={10**15 + number}", json.dumps(message, separators=(",", ":")).encode())


def _pulp(number: int, _events: int) -> bytes:
    # system_id, workers {processes, hosts}, one component {name, version}: the wire format of protocol buffers.
    system_id = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))).encode()
    component = b"\x0a\x04core\x12\x063.22.2"
    body = b"\x0a" + bytes([len(system_id)]) + system_id + b"\x1a\x04\x08\x04\x10\x02"
    body += b"\x22" + bytes([len(component)]) + component
    return post("/", body, "application/octet-stream", headers={"Host": "telemetry.example"})


NATIVE = "native API"
DIALECTS: dict[str, tuple[Maker, tuple[int, ...], float]] = {
    NATIVE: (_native, (1, BATCH), 1.0),
    "Measurement Protocol": (_measurement_protocol, (1, BATCH), 0.4),
    "GA4": (_ga4, (1, BATCH), 0.4),
    "Objectiv": (_objectiv, (1, BATCH), 0.5),
    "Segment": (_segment, (1, BATCH), 0.5),
    "Snowplow": (_snowplow, (1, BATCH), 0.4),
    "Attolytics": (_attolytics, (1, BATCH), 0.5),
    "Alcolytics": (_alcolytics, (1,), 0.5),
    "Pulp": (_pulp, (1,), 0.5),
}
"""What makes a request of each dialect, with how many events, and the least ratio. Two send one event a request."""
