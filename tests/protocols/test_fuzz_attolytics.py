"""Attolytics' endpoint under hostile requests: no 5xx; what is accepted can be converted, and Postgres takes it."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.database import connect, migrate
from orchestration.load import load_inbox
from tests.collector.conftest import LocalCollector

SITES = (Path(__file__).parent / "attolytics" / "sites.yml").read_text()
COLUMNS = ["b", "i", "l", "f", "d", "s", "t", "ms", "userId", "order", "_x", "at", "button", "_id", "_t"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**31) - 1, max_value=2**31)
    | st.sampled_from([2**63 - 1, 2**63, -(2**63), 10**309, 253402300799, -62135596800])
    | st.floats()
    | st.floats(width=32)
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["a\0", "\ud800", "2026-03-10T12:00:60.9999999999-23:59"])
    | st.sampled_from(["9999-12-31T23:59:60Z", "0001-01-01T00:00:00+23:59"])
)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=3), scalars, max_size=2)
events = st.builds(
    lambda table, fields: {**fields, "_t": table},
    st.sampled_from(["types", "odd", "clicks", "hidden"]) | values,
    st.dictionaries(st.sampled_from(COLUMNS), values, max_size=6),
)
documents = (
    st.builds(lambda each: {"secret_key": "s3cret", "events": each}, st.lists(events | values, max_size=3))
    | st.builds(lambda each: ["s3cret", each], st.lists(events, max_size=2))
    | st.builds(lambda event: {"secret_key": "s3cret", "events": [event]}, events)
    | values
)
bodies = documents.map(lambda each: json.dumps(each).encode("utf-8", "surrogatepass")) | st.binary(max_size=60)
headers = st.dictionaries(
    st.sampled_from(["Origin", "Referer", "User-Agent", "X-Token", "Access-Control-Request-Method", "Content-Type"]),
    st.sampled_from(["https://shop.example", "null", "post", "http://[::1]:99999", "http://a:0080"])
    | st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12),
    max_size=3,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    return LocalCollector(tmp_path_factory.mktemp("attolytics"), SITES)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=bodies,
    sent=headers,
    path=st.sampled_from(["game", "strict", "several", "closed", "ü", "%2F", "no"]).map("/apps/{}/events".format),
    method=st.sampled_from(["POST", "POST", "POST", "OPTIONS", "GET"]),
)
def test_no_request_makes_it_fail(
    shared: LocalCollector, body: bytes, sent: dict[str, str], path: str, method: str
) -> None:
    answer = shared.client.open(path, method=method, data=body, headers={"Content-Type": "application/json", **sent})
    # 204: an address without an app is a preflight of whoever takes addresses of two parts.
    assert answer.status_code in {200, 204, 400, 403, 404, 405, 413, 415, 422}
    assert all("\n" not in value and "\r" not in value for _, value in answer.headers)


def test_what_was_accepted_meanwhile_is_in_its_tables(shared: LocalCollector, database_url: str) -> None:
    body = {"secret_key": "s3cret", "events": [{"_t": "types", "f": 1e300, "t": 253402300799, "x": "a\0", "y": 2**70}]}
    assert shared.post("/apps/game/events", json.dumps(body), {"Content-Type": "application/json"}).status_code == 200
    sent = len(shared.landed().rows["app_rows"])
    migrate(database_url)
    load_inbox(
        store=shared.store, database_url=database_url, clock=lambda: shared.now, sites_file=shared.settings.sites
    )

    with connect(database_url) as connection:
        problems = connection.execute("select table_name, problem from ops.app_loads where problem is not null")
        assert problems.fetchall() == []
        assert connection.execute("select count(*) from raw.app_rows").fetchone() == (sent,)
    assert list((Path(shared.settings.home) / "spool").glob("damaged/*")) == []
