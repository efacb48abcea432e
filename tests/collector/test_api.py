"""The server-side API: secrets, columns as fields, refusals one by one."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.collector.conftest import NOW, LocalCollector


def test_fields_are_columns_and_the_rest_becomes_props(local: LocalCollector) -> None:
    answer = local.call(
        {
            "events": [
                {
                    "event_id": "order-7", "event_type": "transaction", "event_name": "Order", "visitor_id": "v1",
                    "user_id": "u1", "occurred_at": "2026-03-10T12:59:00+01:00", "order_id": "7",
                    "order_action": "purchase", "revenue": "10.5", "items": [{"sku": "a"}], "ip": "198.51.100.9",
                    "user_agent": "UA", "props": {"a": 1}, "colour": "red", "content_group": ["x", "y"],
                }
            ]
        }
    )  # fmt: skip

    assert (answer.status_code, answer.json) == (200, {"accepted": 1, "rejected": []})
    row = local.only_event()
    assert (row["visitor_id"], row["visitor_id_kind"], row["ip"]) == ("v1", "client", "198.51.100.0")
    assert (row["occurred_at"], row["time_flag"]) == (datetime(2026, 3, 10, 11, 59, tzinfo=UTC), "ok")
    assert json.loads(row["props"]) == {"a": 1, "colour": "red"}
    assert json.loads(row["items"]) == [{"sku": "a"}]
    assert (row["client_event_id"], row["protocol"], row["content_group"]) == ("order-7", "api", ["x", "y"])
    assert "198.51.100.9" not in row["raw"]
    assert (str(row["revenue"]), row["user_agent"]) == ("10.500000", "UA")


def test_one_event_needs_no_list(local: LocalCollector) -> None:
    assert local.call({"event_name": "x"}).json == {"accepted": 1, "rejected": []}
    row = local.only_event()
    assert (row["event_type"], row["visitor_id_kind"], row["time_flag"]) == ("event", "none", "no_client_time")
    assert "visitor_id" not in row
    assert "ip" not in row
    assert "user_agent" not in row


def test_a_visitor_without_an_id_is_hashed_from_the_address_and_user_agent_given(local: LocalCollector) -> None:
    local.call({"events": [{"event_name": "x", "ip": "198.51.100.9", "user_agent": "UA"}] * 2})
    local.call({"event_name": "x", "ip": "198.51.100.10", "user_agent": "UA"})
    first, same, other = local.landed().events
    assert first["visitor_id"] == same["visitor_id"] != other["visitor_id"]
    assert first["visitor_id_kind"] == "hashed"


@pytest.mark.parametrize(
    ("path", "secret", "body", "status", "reason"),
    [
        ("/v1/events", "", {"event_name": "x"}, 401, "wrong_secret"),
        ("/v1/events", "wrong", {"event_name": "x"}, 401, "wrong_secret"),
        ("/s/app/v1/events", "s3cret", {"event_name": "x"}, 401, "wrong_secret"),
        ("/s/nobody/v1/events", "s3cret", {"event_name": "x"}, 404, "unknown_site"),
        ("/v1/events", "s3cret", {"site": "nobody", "events": []}, 404, "unknown_site"),
        ("/v1/events", "s3cret", {"site": "app", "events": []}, 401, "wrong_secret"),
        ("/v1/events", "s3cret", [], 400, "invalid_body"),
        ("/v1/events", "s3cret", {"events": 3}, 400, "invalid_body"),
    ],
)
def test_requests_are_refused_with_a_status_and_a_reason(  # noqa: PLR0913, PLR0917  (a case of the table)
    local: LocalCollector, path: str, secret: str, body: Any, status: int, reason: str
) -> None:
    answer = local.call(body, secret=secret, path=path)
    assert (answer.status_code, answer.json["reason"], answer.headers["Tidemill-Reason"]) == (status, reason, reason)
    assert local.only_reject()["reason"] == reason
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_the_secret_alone_names_the_site(local: LocalCollector) -> None:
    local.call({"event_name": "x"}, secret="another")
    assert local.only_event()["site_id"] == "app"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (3, "invalid_event"),
        ({}, "invalid_event"),
        ({"user_id": "u"}, "invalid_event"),
        ({"event_type": "nonsense"}, "invalid_field"),
        ({"event_name": "x", "occurred_at": "yesterday"}, "invalid_field"),
        ({"event_name": "x", "revenue": "much"}, "invalid_field"),
        ({"event_name": "x", "screen_width": 2**40}, "invalid_field"),
        ({"event_name": "x", "props": [1]}, "invalid_field"),
        ({"event_name": "x", "is_interaction": "maybe"}, "invalid_field"),
        ({"event_name": "x", "ip": "nowhere"}, "invalid_field"),
        ({"event_name": "x", "order_action": "steal"}, "invalid_field"),
        ({"event_name": "x", "occurred_at": "2026-01-01T00:00:00Z"}, "event_too_old"),
    ],
)
def test_a_bad_event_is_refused_and_its_neighbours_are_kept(local: LocalCollector, event: Any, reason: str) -> None:
    answer = local.call({"events": [{"event_name": "first"}, event, {"event_name": "last"}]})
    assert answer.status_code == 200
    assert answer.json == {"accepted": 2, "rejected": [{"index": 1, "reason": reason}]}
    assert [row["event_name"] for row in local.landed().events] == ["first", "last"]
    assert (local.only_reject()["reason"], local.only_reject()["request_index"]) == (reason, 1)


def test_columns_that_the_collector_fills_cannot_be_set(local: LocalCollector) -> None:
    local.call({"event_name": "x", "site_id": "app", "collector_id": "c", "raw": 1, "time_flag": "imported"})
    row = local.only_event()
    assert (row["site_id"], row["time_flag"]) == ("shop", "no_client_time")
    assert json.loads(row["props"]) == {"site_id": "app", "collector_id": "c", "raw": 1, "time_flag": "imported"}


def test_times_may_be_milliseconds_and_a_wrong_clock_is_corrected(local: LocalCollector) -> None:
    day = timedelta(days=1)
    local.call(
        {
            "sent_at": round((NOW - day).timestamp() * 1000),
            "events": [{"event_name": "x", "occurred_at": round((NOW - day).timestamp() * 1000) - 60_000}],
        }
    )
    row = local.only_event()
    assert (row["occurred_at"], row["time_flag"]) == (NOW - timedelta(minutes=1), "corrected")
