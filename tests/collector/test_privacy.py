"""Who a visitor is, what is kept of an address, and what a wish not to be tracked does, by the site's settings."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.identity import kept_address
from tests.collector.conftest import LocalCollector

ORDER = {"n": "page", "u": "https://app.example/", "vid": "v1", "sid": "s1"}


def test_without_cookies_a_visitor_is_a_hash_of_site_address_and_user_agent(local: LocalCollector) -> None:
    body = json.dumps({"site": "shop", "events": [{"n": "page"}]})
    local.post("/e", body)
    local.post("/e", body)
    local.post("/e", body, peer="203.0.113.78")
    local.post("/e", body, {"User-Agent": "other"})
    local.post("/e", body.replace("shop", "quiet"))
    first, same, *others = [row["visitor_id"] for row in local.landed().events]
    assert first == same
    assert len({first, *others}) == 4
    assert "203.0.113" not in first


def test_the_hash_changes_at_the_sites_own_midnight(local: LocalCollector) -> None:
    moments = [timedelta(hours=10, minutes=59), timedelta(hours=11), timedelta(hours=12)]
    start = local.now
    for moment in moments:
        local.now = start + moment  # Berlin is an hour ahead: its midnight is 23:00 UTC
        local.track({"n": "page"})
    before, after, later = [row["visitor_id"] for row in local.landed().events]
    assert before != after == later


@pytest.mark.parametrize(
    ("site", "headers", "flags", "expected"),
    [
        ("shop", {}, {}, "hashed"),
        ("app", {}, {}, "client"),
        ("app", {"Sec-GPC": "1"}, {}, "gpc_drop"),
        ("app", {}, {"gpc": True}, "gpc_drop"),
        ("app", {"DNT": "1"}, {}, "hashed"),
        ("app", {}, {"dnt": 1}, "hashed"),
        ("shop", {"Sec-GPC": "1"}, {}, "hashed"),
        ("quiet", {"Sec-GPC": "1"}, {}, "hashed"),
        ("quiet", {"DNT": "1"}, {}, "dnt_drop"),
        ("shop", {"DNT": "1"}, {}, "hashed"),
    ],
)
def test_signals_do_what_the_site_says(
    local: LocalCollector, site: str, headers: dict[str, str], flags: dict[str, Any], expected: str
) -> None:
    assert local.track(ORDER, site=site, headers=headers, **flags).status_code == 204
    if expected.endswith("drop"):
        assert local.only_reject()["reason"] == expected
        assert local.landed().events == []
        return
    row = local.only_event()
    assert row["visitor_id_kind"] == expected
    assert (row["visitor_id"] == "v1") == (expected == "client")
    assert row.get("gpc") == (True if "Sec-GPC" in headers else None)


def test_a_dropped_event_leaves_a_count_and_nothing_personal(local: LocalCollector) -> None:
    local.track({**ORDER, "id": "secret-id"}, site="app", headers={"Sec-GPC": "1"})
    assert local.only_reject().keys() == {
        "reject_id", "received_at", "protocol", "site_id", "tracking_key", "reason", "request_id", "request_index",
        "collector_id", "segment_id", "segment_row",
    }  # fmt: skip


def test_who_wishes_not_to_be_tracked_leaves_no_id_of_any_kind(local: LocalCollector) -> None:
    identify = {"n": "identify", "p": {"id": "u1", "traits": {"mail": "a@b"}}}
    session = {"n": "page", "sid": "u1"}
    visitor = {"n": "page", "vid": "u1"}
    local.track(identify, session, visitor, site="app", headers={"DNT": "1"})
    rows = local.landed().events
    assert len(rows) == 3
    assert {row["visitor_id_kind"] for row in rows} == {"hashed"}
    assert "u1" not in json.dumps(rows, default=str)
    assert "a@b" not in json.dumps(rows, default=str)


def test_an_id_sent_to_a_site_without_cookies_is_not_kept_anywhere(local: LocalCollector) -> None:
    local.track(ORDER)
    row = local.only_event()
    assert "v1" not in json.dumps(row, default=str)


@pytest.mark.parametrize(
    ("address", "truncated"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("203.0.113.77:4711", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("[2001:db8:1:2::1]:80", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("nonsense", None),
        ("", None),
    ],
)
def test_addresses_lose_their_last_parts(address: str, truncated: str | None) -> None:
    assert kept_address(address, "truncate") == truncated
    assert kept_address(address, "drop") is None


def test_the_site_decides_what_is_kept_of_an_address_and_of_the_event(local: LocalCollector) -> None:
    local.track({"n": "page", "u": "https://app.example/"}, site="app")
    local.track({"n": "page"}, site="quiet")
    full, dropped = local.landed().events
    assert (full["ip"], dropped["ip"]) == ("203.0.113.77", None)
    assert (full["raw"] is None, dropped["raw"]) == (False, None)


@pytest.mark.parametrize(
    ("peer", "forwarded", "kept"),
    [
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "192.0.2.1, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "192.0.2.1, 198.51.100.7, 127.0.0.1", "198.51.100.7"),
        ("203.0.113.77", "198.51.100.7", "203.0.113.77"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(local: LocalCollector, peer: str, forwarded: str, kept: str) -> None:
    body = json.dumps({"site": "app", "events": [{"n": "page"}]})
    local.post("/e", body, {"X-Forwarded-For": forwarded}, peer=peer)
    assert local.only_event()["ip"] == kept


@pytest.mark.parametrize(
    ("url", "is_counted"),
    [
        ("https://app.example/x", True),
        ("https://APP.example:8443/x", True),
        ("https://app.example./", True),
        ("/relative", True),
        ("https://evil.example/", False),
        ("https://sub.app.example/", False),
    ],
)
def test_only_pages_of_counted_hosts_count(local: LocalCollector, url: str, is_counted: bool) -> None:  # noqa: FBT001
    local.track({"n": "page", "u": url}, site="app")
    landed = local.landed()
    assert bool(landed.events) == is_counted
    assert [row["reason"] for row in landed.rejects] == ([] if is_counted else ["host_not_counted"])


@pytest.mark.parametrize(
    ("path", "origin", "is_allowed"),
    [
        ("/e", "https://app.example", True),
        ("/s/app/e", "https://app.example", True),
        ("/s/app/e", "https://evil.example", False),
        ("/s/shop/e", "https://evil.example", True),
        ("/v1/events", "https://evil.example", True),
    ],
)
def test_a_preflight_is_answered_by_the_sites_origins(
    local: LocalCollector,
    path: str,
    origin: str,
    is_allowed: bool,  # noqa: FBT001
) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = local.client.options(path, headers=headers)
    assert answer.status_code == 204
    assert (answer.headers.get("Access-Control-Allow-Origin") == origin) == is_allowed
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_an_answer_can_be_read_by_allowed_origins_only(local: LocalCollector) -> None:
    def allowed(origin: str) -> str | None:
        return local.track({"n": "page"}, site="app", headers={"Origin": origin}).headers.get(
            "Access-Control-Allow-Origin"
        )

    assert (allowed("https://app.example"), allowed("https://evil.example")) == ("https://app.example", None)


COOKIE_SITES = """
version: 1
sites:
  shop: {name: Shop, origins: ["https://shop.example"], privacy: {visitor: cookie}}
  other: {name: Other, privacy: {visitor: client}}
"""


def test_a_site_with_cookies_repeats_the_id_that_the_tracker_sends_and_mints_none(tmp_path: Path) -> None:
    local = LocalCollector(tmp_path, COOKIE_SITES)
    headers = {"Origin": "https://shop.example", "X-Forwarded-Proto": "https"}
    answer = local.track({"n": "page"}, vid="v-1", headers=headers)
    without = local.track({"n": "page"}, headers=headers)
    asked_not_to = local.track({"n": "page"}, vid="v-1", headers={**headers, "Sec-GPC": "1"})
    elsewhere = local.track({"n": "page"}, vid="v-1", site="other", headers=headers)

    assert answer.headers["Set-Cookie"] == "tm_vid=v-1; Path=/; Max-Age=34128000; SameSite=Lax"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    for each in (without, asked_not_to, elsewhere):
        assert "Set-Cookie" not in each.headers
    assert "Access-Control-Allow-Credentials" not in elsewhere.headers


def test_a_cookie_is_secure_where_a_trusted_proxy_says_that_the_visitor_came_by_https(tmp_path: Path) -> None:
    local = LocalCollector(tmp_path, COOKIE_SITES)
    body = json.dumps({"v": 1, "site": "shop", "vid": "v-1", "events": [{"n": "page"}]})
    told = local.post("/e", body, {"X-Forwarded-Proto": "https"}, peer="127.0.0.1")
    untrusted = local.post("/e", body, {"X-Forwarded-Proto": "https"})

    assert told.headers["Set-Cookie"].endswith("; Secure")
    assert "Secure" not in untrusted.headers["Set-Cookie"]


@pytest.mark.parametrize("forged", ["a; Domain=evil.example", "a\r\nX: y", "", 5, ["a"], "ü", "a" * 129])
def test_what_is_no_plain_id_is_never_set_as_a_cookie(tmp_path: Path, forged: object) -> None:
    local = LocalCollector(tmp_path, COOKIE_SITES)
    assert "Set-Cookie" not in local.track({"n": "page"}, vid=forged).headers
