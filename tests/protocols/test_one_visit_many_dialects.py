"""One visit told in four dialects gives the same sessions and page views, down to the second."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from werkzeug.test import Client

from collector.runtime import Collector, utc_now
from collector.settings import CollectorSettings
from orchestration.database import connect
from orchestration.load import load_inbox
from orchestration.sites_table import sync_sites
from tests.fixtures.postgres import new_database
from tests.fixtures.transform import transform

pytestmark = pytest.mark.xdist_group("dialects")  # all tests share what is built once

SITE = """
    name: Shop
    url: https://shop.example/
    timezone: Europe/Berlin
    privacy: {visitor: client}
    secrets: [{name: test, plain: s3cret}]
"""
SITES = f"""
version: 1
sites:
  native:{SITE}
  mp:{SITE}    ids: {{measurement_protocol: [UA-1-1]}}
  segment:{SITE}    ids: {{segment: [KEY]}}
  snowplow:{SITE}    ids: {{snowplow: [shop-web]}}
"""

START = datetime(2026, 3, 10, 9, 0, 0, tzinfo=UTC)
DELAY = timedelta(seconds=3)
"""Between what happens and its sending."""
CLOCK_IS_OFF = timedelta(hours=-1, seconds=-7)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
ADDRESS = "203.0.113.77"


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that a visitor does.

    Attributes:
        after_s: Seconds since the visit began.
        visitor: Who.
        url: Of the page.
        title: Likewise.
        referrer: Likewise.
        event: What happened on the page; None for the view of the page itself.
        order: What was bought; None for nothing.
    """

    after_s: int
    visitor: str = "anna"
    url: str
    title: str = "Shop"
    referrer: str | None = None
    event: str | None = None
    order: dict[str, Any] = field(default_factory=dict)


SHOP = "https://shop.example"
LANDING = f"{SHOP}/sale?utm_source=letter&utm_medium=mail&utm_campaign=spring&utm_term=shoes&utm_content=top"
ORDER = {"id": "o-1", "total": "27.5", "tax": "2", "shipping": "3", "currency": "EUR"}
VISIT = [
    Step(after_s=0, url=LANDING, title="Sale", referrer="https://mail.example/"),
    Step(after_s=20, visitor="berta", url=f"{SHOP}/", referrer="https://www.google.com/"),
    Step(after_s=40, url=f"{SHOP}/product?id=7", title="Shoe", referrer=LANDING),
    Step(after_s=70, url=f"{SHOP}/product?id=7", title="Shoe", event="Video Played"),
    Step(after_s=120, url=f"{SHOP}/checkout", referrer=f"{SHOP}/product?id=7"),
    Step(after_s=150, url=f"{SHOP}/checkout", event="Order Completed", order=ORDER),
    Step(after_s=7_200, url=f"{SHOP}/?from=blog", referrer="https://partner.example/review"),
    Step(after_s=7_260, url=f"{SHOP}/help", referrer=f"{SHOP}/?from=blog"),
    # Without a source, and after midnight in Berlin.
    Step(after_s=57_600, url=f"{SHOP}/again"),
]

Send = Callable[[Client, Step, datetime, datetime], int]
"""Sends a step, told when it happened and when it is sent by the client's clock; returns the status."""


def post(client: Client, path: str, body: str, headers: dict[str, str] | None = None) -> int:
    answer = client.post(
        path, data=body, headers={"User-Agent": BROWSER, **(headers or {})}, environ_base={"REMOTE_ADDR": ADDRESS}
    )
    return answer.status_code


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def send_native(client: Client, step: Step, happened: datetime, sent: datetime) -> int:
    event: dict[str, Any] = {
        "event_type": "page_view",
        "visitor_id": step.visitor,
        "page_url": step.url,
        "page_title": step.title,
        "page_referrer": step.referrer,
        "occurred_at": stamp(happened),
        "user_agent": BROWSER,
        "ip": ADDRESS,
    }
    if step.order:
        order = step.order
        event |= {"event_type": "transaction", "order_action": "purchase", "order_id": order["id"]}
        event |= {"revenue": order["total"]} | {key: order[key] for key in ("tax", "shipping", "currency")}
    elif step.event:
        event |= {"event_type": "event", "event_name": step.event}
    body = {"sent_at": stamp(sent), "events": [event]}
    return post(client, "/s/native/v1/events", json.dumps(body), {"Authorization": "Bearer s3cret"})


def send_mp(client: Client, step: Step, happened: datetime, sent: datetime) -> int:
    hit = {"v": "1", "tid": "UA-1-1", "cid": step.visitor, "t": "pageview", "dl": step.url, "dt": step.title}
    hit |= {"qt": str(round((sent - happened).total_seconds() * 1_000))} | (
        {"dr": step.referrer} if step.referrer else {}
    )
    if step.order:
        order = step.order
        hit |= {
            "t": "transaction",
            "ti": order["id"],
            "tr": order["total"],
            "tt": order["tax"],
            "ts": order["shipping"],
        }
        hit["cu"] = order["currency"]
    elif step.event:
        hit |= {"t": "event", "ec": "video", "ea": step.event}
    return post(client, "/collect", urlencode(hit))


def send_segment(client: Client, step: Step, happened: datetime, sent: datetime) -> int:
    page = {"url": step.url, "title": step.title, "referrer": step.referrer or ""}
    message: dict[str, Any] = {"type": "page", "anonymousId": step.visitor, "messageId": f"m-{step.after_s}"}
    message |= {"timestamp": stamp(happened), "context": {"page": page}}
    if step.order:
        order = step.order
        properties = {"order_id": order["id"], **{key: order[key] for key in ("total", "tax", "shipping", "currency")}}
        message |= {"type": "track", "event": step.event, "properties": properties}
    elif step.event:
        message |= {"type": "track", "event": step.event}
    body = {"batch": [message], "sentAt": stamp(sent)}
    return post(client, "/v1/batch", json.dumps(body), {"Authorization": "Basic " + base64.b64encode(b"KEY:").decode()})


def send_snowplow(client: Client, step: Step, happened: datetime, sent: datetime) -> int:
    event = {"e": "pv", "p": "web", "tv": "js-4", "aid": "shop-web", "duid": step.visitor, "url": step.url}
    event |= {"page": step.title} | ({"refr": step.referrer} if step.referrer else {})
    event |= {key: str(round(moment.timestamp() * 1_000)) for key, moment in (("dtm", happened), ("stm", sent))}
    if step.order:
        order = step.order
        event |= {"e": "tr", "tr_id": order["id"], "tr_tt": order["total"], "tr_tx": order["tax"]}
        event |= {"tr_sh": order["shipping"], "tr_cu": order["currency"]}
    elif step.event:
        event |= {"e": "se", "se_ca": "video", "se_ac": step.event}
    schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
    return post(client, "/com.snowplowanalytics.snowplow/tp2", json.dumps({"schema": schema, "data": [event]}))


DIALECTS: dict[str, Send] = {
    "native": send_native,
    "mp": send_mp,
    "segment": send_segment,
    "snowplow": send_snowplow,
}

IDS = {"site_id", "session_id", "event_id", "first_event_id"}
"""Columns that hold or are made of ids of a site or of an event; the Measurement Protocol's events have none."""

Marts = dict[str, dict[str, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def marts(postgres_server: str, migrated_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marts]:
    """Rows of each mart by dialect, in order of time, loaded and transformed on a real Postgres."""
    home = tmp_path_factory.mktemp("dialects")
    settings = CollectorSettings(home=home, sites=home / "sites.yml")
    settings.sites.write_text(SITES)
    deliver(settings)
    with new_database(postgres_server, like=migrated_url) as url:
        with connect(url) as connection:
            sync_sites(connection, settings.sites, clock=utc_now)
        load_inbox(store=settings.open_store(), database_url=url, clock=utc_now)
        transform(url, home)
        with psycopg.connect(url, row_factory=dict_row) as rows:
            rows.execute("set time zone 'UTC'")
            yield {name: read_mart(rows, name, order) for name, order in ORDER_OF.items()}


ORDER_OF = {
    "fct_sessions": "session_start_at",
    "fct_page_views": "occurred_at",
    "dim_visitors": "visitor_id",
    "fct_daily_summary": "session_date",
    "fct_daily_sources": "session_date",
    "fct_daily_pages": "session_date",
}


def deliver(settings: CollectorSettings) -> None:
    """Send every step in every dialect through one collector, at its time."""
    now = START
    collector = Collector(settings, clock=lambda: now)
    client = collector.app().test_client()
    for step in VISIT:
        happened = START + timedelta(seconds=step.after_s)
        now = happened + DELAY
        for name, send in DIALECTS.items():
            assert send(client, step, happened + CLOCK_IS_OFF, now + CLOCK_IS_OFF) in {200, 204}, name
    assert collector.close(60)


def read_mart(connection: psycopg.Connection[dict[str, Any]], name: str, order: str) -> dict[str, list[dict[str, Any]]]:
    query = sql.SQL("select * from {} order by {}, to_jsonb({})::text").format(
        sql.Identifier("marts", name), sql.Identifier(order), sql.Identifier(name)
    )
    rows: dict[str, list[dict[str, Any]]] = {dialect: [] for dialect in DIALECTS}
    for row in connection.execute(query):
        rows[row["site_id"]].append({key: value for key, value in row.items() if key not in IDS})
    return {dialect: sorted(each, key=lambda row: (str(row[order]), repr(row))) for dialect, each in rows.items()}


def test_the_visit_is_what_it_was(marts: Marts) -> None:
    sessions = marts["fct_sessions"]["native"]
    assert [(each["visitor_id"], each["page_view_count"], each["event_count"]) for each in sessions] == [
        ("anna", 3, 5),
        ("berta", 1, 1),
        ("anna", 2, 2),
        ("anna", 1, 1),
    ]
    first, _, referred, direct = sessions
    assert (first["source"], first["medium"], first["campaign"]) == ("letter", "mail", "spring")
    assert (first["transaction_count"], float(first["revenue"])) == (1, 27.5)
    assert (referred["source"], referred["medium"]) == ("partner.example", "referral")
    assert (direct["own_source"], direct["source"]) == ("(direct)", "partner.example")
    assert [each["occurred_at"] for each in marts["fct_page_views"]["native"]] == [
        START + timedelta(seconds=step.after_s) for step in VISIT if step.event is None
    ]


@pytest.mark.parametrize("mart", ORDER_OF)
@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "native"])
def test_a_dialect_gives_the_marts_of_the_native_api(marts: Marts, dialect: str, mart: str) -> None:
    assert marts[mart]["native"]
    assert marts[mart][dialect] == marts[mart]["native"]
