"""The tracker's wire format: each field to its column, nothing dropped silently."""

import base64
import json
import uuid
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.collector.conftest import CHROME, NOW, LocalCollector

ID = "018f0000-0000-7000-8000-000000000001"


def test_every_field_of_the_wire_format_has_its_place(local: LocalCollector) -> None:
    ts = round(NOW.timestamp() * 1000) - 1_000
    original = {
        "id": ID, "n": "page", "ts": ts, "u": "https://shop.example/a?b=1", "r": "https://other.example/", "ti": "A",
        "pv": "pv-1", "seq": 1, "p": {"plan": "pro"}, "st": 404, "w": 1200, "h": 800, "sw": 1920, "sh": 1080,
        "dpr": 2, "l": "de-DE", "tz": "Europe/Berlin", "b": "webdriver",
    }  # fmt: skip
    answer = local.track(original, sent_at=round(NOW.timestamp() * 1000), lib="1.2.3")

    assert (answer.status_code, answer.data, answer.headers.get("Tidemill-Reason")) == (204, b"", None)
    row = local.only_event()
    assert {name: row.pop(name) for name in ("visitor_id", "request_id", "collector_id", "segment_id")}
    raw = row.pop("raw")
    assert json.loads(raw) == original
    assert row.pop("content_hash") % 2**32 == zlib.crc32(raw.encode())
    assert json.loads(row.pop("props")) == {"plan": "pro"}
    assert json.loads(row.pop("contexts")) == {"seq": 1, "dpr": 2}
    assert row == {
        "event_id": ID, "client_event_id": ID, "site_id": "shop", "protocol": "tracker", "protocol_version": "1",
        "tracking_key": "shop", "event_type": "page_view", "event_name": "page", "is_interaction": True,
        "occurred_at": NOW - timedelta(seconds=1), "received_at": NOW, "client_time": NOW - timedelta(seconds=1),
        "sent_at": NOW, "time_flag": "ok", "visitor_id_kind": "hashed", "page_view_id": "pv-1",
        "page_url": "https://shop.example/a?b=1", "page_title": "A", "page_referrer": "https://other.example/",
        "http_status": 404, "user_agent": CHROME, "language": "de-DE", "screen_width": 1920, "screen_height": 1080,
        "viewport_width": 1200, "viewport_height": 800, "time_zone": "Europe/Berlin", "library": "tidemill",
        "library_version": "1.2.3", "automation": "webdriver", "ip": "203.0.113.0", "request_index": 0,
        "segment_row": 0,
    }  # fmt: skip


def test_fields_beside_the_events_hold_for_all_and_an_events_own_wins(local: LocalCollector) -> None:
    local.track({"n": "page"}, {"n": "page", "w": 2, "seq": 2}, w=1, l="en", dpr=3)
    first, second = local.landed().events
    assert (first["viewport_width"], second["viewport_width"], second["language"]) == (1, 2, "en")
    assert (json.loads(first["contexts"]), json.loads(second["contexts"])) == ({"dpr": 3}, {"dpr": 3, "seq": 2})


@pytest.mark.parametrize(
    ("event", "columns"),
    [
        ({"n": "page"}, {"event_type": "page_view", "is_interaction": True}),
        (
            {"n": "engage", "pv": "p", "e": 12_000, "sd": 80, "sy": 5},
            {"event_type": "engagement", "engaged_ms": 12_000, "scroll_percent": 80, "is_interaction": False},
        ),
        ({"n": "outbound", "p": {"url": "x"}}, {"event_type": "link_click", "is_interaction": True}),
        ({"n": "download"}, {"event_type": "link_click"}),
        ({"n": "contact"}, {"event_type": "link_click"}),
        ({"n": "form_submit"}, {"event_type": "form"}),
        ({"n": "form_abandon"}, {"event_type": "form"}),
        ({"n": "identify", "p": {"id": "u1", "traits": {"a": 1}}}, {"event_type": "identify", "user_id": "u1"}),
        ({"n": "alias", "p": {"id": "new", "previous": "old"}}, {"user_id": "new", "previous_id": "old"}),
        ({"n": "vitals", "p": {"lcp": 1.5}}, {"event_type": "vitals", "is_interaction": False}),
        ({"n": "error", "p": {"message": "m"}}, {"event_type": "exception", "is_interaction": False}),
        (
            {"n": "purchase", "p": {"order_id": 7, "value": "12.30", "currency": "EUR", "items": [{"sku": "a"}]}},
            {"event_type": "transaction", "order_action": "purchase", "order_id": "7", "currency": "EUR"},
        ),
        ({"n": "cart_add", "p": {"value": 3}}, {"order_action": "add"}),
        ({"n": "product_view"}, {"order_action": "detail"}),
        ({"n": "checkout"}, {"order_action": "checkout"}),
        ({"n": "Signed up", "p": {"plan": "pro"}}, {"event_type": "event", "event_name": "Signed up"}),
    ],
)
def test_names_decide_the_kind_of_event(local: LocalCollector, event: dict[str, Any], columns: dict[str, Any]) -> None:
    assert local.track(event).status_code == 204
    row = local.only_event()
    assert {name: row.get(name) for name in columns} == columns
    assert row["event_name"] == event["n"]


def test_money_keeps_every_digit(local: LocalCollector) -> None:
    local.track({"n": "purchase", "p": {"value": "19.999999", "tax": 0.1}})
    row = local.only_event()
    assert (str(row["revenue"]), str(row["tax"])) == ("19.999999", "0.100000")


def test_a_pixel_carries_the_same_document_as_base64url(local: LocalCollector) -> None:
    document = json.dumps({"v": 1, "site": "shop", "events": [{"n": "page", "u": "https://shop.example/?ü"}]})
    for padding in ("", "=="):
        data = base64.urlsafe_b64encode(document.encode()).decode().rstrip("=") + padding
        answer = local.client.get(f"/e.gif?d={data}")
        if padding == "":
            assert (answer.status_code, answer.mimetype, answer.data[:6]) == (200, "image/gif", b"GIF89a")
            assert answer.headers["Cache-Control"] == "no-store"
    assert local.landed().events[0]["page_url"] == "https://shop.example/?ü"


def test_an_unknown_site_is_answered_204_and_kept_as_a_reject(local: LocalCollector) -> None:
    answer = local.track({"n": "page"}, site="nobody")
    assert (answer.status_code, answer.headers["Tidemill-Reason"]) == (204, "unknown_site")
    reject = local.only_reject()
    assert (reject["reason"], reject["tracking_key"], reject.get("site_id")) == ("unknown_site", "nobody", None)
    assert json.loads(base64.b64decode(reject["body"]))["events"] == [{"n": "page"}]
    assert (reject["method"], reject["path"], reject["ip"]) == ("POST", "/e", "203.0.113.0")
    assert local.landed().events == []


def test_the_path_names_the_site_and_wins_over_the_body(local: LocalCollector) -> None:
    local.post("/s/shop/e", json.dumps({"site": "nobody", "events": [{"n": "page"}]}))
    row = local.only_event()
    assert (row["site_id"], row["tracking_key"]) == ("shop", "nobody")
    assert local.post("/s/nobody/e", json.dumps({"events": []})).headers["Tidemill-Reason"] == "unknown_site"


@pytest.mark.parametrize("bad", [3, None, [], "x", {}, {"n": ""}, {"n": None}, {"n": 5}])
def test_a_bad_event_is_rejected_alone(local: LocalCollector, bad: object) -> None:
    answer = local.track(bad, {"n": "page"})
    assert (answer.status_code, answer.headers["Tidemill-Reason"]) == (204, "invalid_event")
    reject = local.only_reject()
    assert (reject["reason"], reject["request_index"], reject["site_id"]) == ("invalid_event", 0, "shop")
    assert json.loads(base64.b64decode(reject["body"])) == {"v": 1, "site": "shop", "events": [bad]}
    assert local.only_event()["request_index"] == 1


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"[]", 400, "invalid_body"),
        (b"3", 400, "invalid_body"),
        (b'{"site":"shop"}', 400, "invalid_body"),
        (b'{"site":"shop","events":{}}', 400, "invalid_body"),
        (b"\x1f\x8bnot gzip", 400, "invalid_gzip"),
        (b'{"site":["a"],"events":[]}', 204, "unknown_site"),
    ],
)
def test_a_body_of_another_shape_is_refused_with_a_reason(
    local: LocalCollector, body: bytes, status: int, reason: str
) -> None:
    answer = local.post("/e", body)
    assert (answer.status_code, answer.headers["Tidemill-Reason"]) == (status, reason)
    assert local.only_reject()["reason"] == reason


def test_an_id_that_is_no_uuid_gives_the_same_event_id_at_each_delivery(local: LocalCollector) -> None:
    for _ in range(2):
        local.track({"n": "page", "id": "ajs-next-1"}, {"n": "page"})
    derived, made, again, other = [row["event_id"] for row in local.landed().events]
    assert derived == again != made != other
    assert {str(uuid.UUID(each)) for each in (derived, made, other)} == {derived, made, other}


def test_rejects_keep_no_cookie_and_no_secret(local: LocalCollector) -> None:
    local.track("bad", headers={"Cookie": "session=1", "Authorization": "Bearer x", "Origin": "https://a.example"})
    headers = json.loads(local.only_reject()["headers"])
    assert headers == {"host": "localhost", "user-agent": CHROME, "origin": "https://a.example"}


def test_a_page_written_for_another_library_names_its_site_by_family_and_key(tmp_path: Path) -> None:
    sites = 'version: 1\nsites:\n  shop: {name: Shop, ids: {alcolytics: ["7"], measurement_protocol: [UA-1-1]}}\n'
    local = LocalCollector(tmp_path, sites)
    for key in ("alcolytics:7", "measurement_protocol:UA-1-1", "alcolytics:8", "alcolytics", ":7"):
        local.track({"n": "page"}, site=key)

    landed = local.landed()
    assert [(row["site_id"], row["tracking_key"]) for row in landed.events] == [
        ("shop", "alcolytics:7"),
        ("shop", "measurement_protocol:UA-1-1"),
    ]
    assert [row["reason"] for row in landed.rejects] == ["unknown_site"] * 3
