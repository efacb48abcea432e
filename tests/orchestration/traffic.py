"""Generated inbox objects: believable visits, every row deterministic for its seed."""

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from landing.codec import SegmentOrigin, encode
from landing.contract import DATASETS, Dataset
from landing.keys import InboxKey
from landing.schema import landed_schema
from landing.store import Store

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 {mobile}Safari/537.36"
    for version in range(100, 130)
    for system, mobile in (
        ("Windows NT 10.0; Win64; x64", ""),
        ("Macintosh; Intel Mac OS X 10_15_7", ""),
        ("Linux; Android 10; K", "Mobile "),
    )
]


def event(at: datetime, /, **changes: Any) -> dict[str, Any]:
    """The smallest acceptable event, which happened and was received at `at`, with changes."""
    row = {
        "event_id": str(uuid.uuid4()),
        "site_id": "shop",
        "protocol": "tracker",
        "event_type": "page_view",
        "is_interaction": True,
        "occurred_at": at,
        "received_at": at,
        "time_flag": "ok",
        "visitor_id": "v1",
        "visitor_id_kind": "cookie",
        "page_url": "https://shop.example/",
        "user_agent": AGENTS[0],
        "request_id": "r1",
        "request_index": 0,
        "collector_id": "c1",
    }
    return row | changes


def reject(received_at: datetime, /, **changes: Any) -> dict[str, Any]:
    """The smallest reject, with changes."""
    row = {
        "reject_id": str(uuid.uuid4()),
        "received_at": received_at,
        "protocol": "tracker",
        "reason": "unknown_site",
        "request_id": "r1",
        "request_index": 0,
        "collector_id": "c1",
    }
    return row | changes


def checkin(received_at: datetime, /, **changes: Any) -> dict[str, Any]:
    """The smallest check-in, with changes."""
    row = {
        "checkin_id": str(uuid.uuid4()),
        "fleet": "pulp",
        "received_at": received_at,
        "protocol": "pulp",
        "install_id": str(uuid.uuid4()),
        "request_id": "r1",
        "request_index": 0,
        "collector_id": "c1",
    }
    return row | changes


def app_row(received_at: datetime, table_name: str, fields: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    """A row of a declared table, with changes."""
    row = {
        "row_id": str(uuid.uuid4()),
        "app": "game",
        "table_name": table_name,
        "received_at": received_at,
        "protocol": "attolytics",
        "fields": json.dumps(fields),
        "request_id": "r1",
        "request_index": 0,
        "collector_id": "c1",
    }
    return row | changes


class Writer:
    """Stands for one collector worker: numbers its segments and puts their objects into the inbox."""

    def __init__(self, store: Store, writer_id: str = "w1") -> None:
        self.store = store
        self.writer_id = writer_id
        self.number = 0

    def ship(self, **rows: Sequence[dict[str, Any]]) -> list[str]:
        """One segment of these rows by dataset; returns the keys of its objects."""
        segment_id = f"{self.writer_id}-{self.number:06d}"
        counts = {name: len(found) for name, found in rows.items() if found}
        origin = SegmentOrigin(segment_id, self.writer_id, self.number, counts)
        self.number += 1
        keys = []
        for dataset in DATASETS:
            if found := rows.get(dataset.name):
                hour = found[0]["received_at"].replace(minute=0, second=0, microsecond=0)
                key = str(InboxKey(dataset.name, hour, segment_id))
                self.store.put(key, object_bytes(dataset, found, origin))
                keys.append(key)
        return keys


def object_bytes(dataset: Dataset, rows: Sequence[dict[str, Any]], origin: SegmentOrigin) -> bytes:
    """Rows as the bytes of an inbox object."""
    schema = landed_schema(dataset)
    numbered = [{"segment_id": origin.segment_id, "segment_row": n, **row} for n, row in enumerate(rows)]
    return encode(pa.Table.from_pylist(numbered, schema=schema), schema, origin)


def visits(*, seed: int, start: datetime, seconds: float, rows: int) -> Iterator[dict[str, Any]]:
    """About `rows` events of visits spread over `seconds`, in order of receipt.

    A visit is one to twenty events some seconds apart, by one visitor of two sites, as the tracker would send them.
    """
    rng = random.Random(seed)
    happened = []
    while len(happened) < rows:
        happened.extend(
            _visit(rng, start + timedelta(seconds=rng.random() * seconds), start + timedelta(seconds=seconds))
        )
    happened.sort(key=lambda row: row["received_at"])
    for number, row in enumerate(happened[:rows]):
        yield row | {"request_id": f"{seed:08x}-{number // 3}", "request_index": number % 3}


def _visit(rng: random.Random, at: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    site = rng.choice(["shop", "blog"])
    visitor, agent = f"{rng.getrandbits(128):032x}", rng.choice(AGENTS)
    language, address = rng.choice(["en-US", "de-DE", "fr-FR"]), f"10.{rng.randrange(256)}.{rng.randrange(256)}.0"
    referrer = rng.choice([None, "https://www.google.com/", "https://t.co/x"])
    campaign = "?utm_source=newsletter&utm_medium=email&utm_campaign=spring" if rng.random() < 0.1 else ""
    for seq in range(1 + min(19, int(rng.expovariate(0.25)))):
        path = f"/products/{int(rng.paretovariate(1)) % 500}"
        url, title = f"https://{site}.example{path}{campaign}", f"Product {path.rpartition('/')[2]} of {site}"
        view, ms = f"{rng.getrandbits(64):016x}", int(at.timestamp() * 1000)
        identity = str(
            uuid.UUID(int=(ms << 80) | (7 << 76) | (rng.getrandbits(12) << 64) | (2 << 62) | rng.getrandbits(62))
        )
        sent = {
            "id": identity,
            "n": "page_view",
            "ts": ms,
            "u": url,
            "r": referrer,
            "ti": title,
            "pv": view,
            "seq": seq,
        }
        client_time = at.replace(microsecond=at.microsecond // 1000 * 1000)
        yield event(
            client_time,
            event_id=identity,
            client_event_id=identity,
            site_id=site,
            protocol_version="1",
            tracking_key=site,
            event_name="page_view",
            received_at=min(at + timedelta(milliseconds=rng.randrange(20, 400)), end - timedelta(microseconds=1)),
            client_time=client_time,
            sent_at=client_time + timedelta(milliseconds=5),
            visitor_id=visitor,
            visitor_id_kind="hashed",
            page_view_id=view,
            page_url=url,
            page_title=title,
            page_referrer=referrer,
            user_agent=agent,
            language=language,
            screen_width=1920,
            screen_height=1080,
            viewport_width=rng.choice([1200, 1400, 1900]),
            viewport_height=800,
            time_zone="Europe/Berlin",
            library="tidemill.js",
            library_version="0.1.0",
            ip=address,
            props='{"plan":"pro"}',
            raw=json.dumps(sent, separators=(",", ":")),
        )
        campaign, referrer = "", f"https://{site}.example{path}"
        at += timedelta(seconds=rng.expovariate(1 / 25))
        if at >= end:
            return
