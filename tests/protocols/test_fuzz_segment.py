"""Segment's paths under hostile messages: no 5xx; what is accepted can be converted. And what is too big."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.protocols import segment
from collector.protocols.segment import context, messages
from tests.collector.conftest import LocalCollector

SITES = """
version: 1
sites:
  shop: {name: Shop, ids: {segment: [KEY]}, privacy: {visitor: client}}
  quiet: {name: Quiet, ids: {segment: [QUIET]}, privacy: {gpc: drop}}
"""
PATHS = [
    endpoint.path.replace("{type}", "track").replace("{write_key}", "KEY") for endpoint in segment.FAMILY.endpoints
]
WORDS = [
    "track",
    "page",
    "merge",
    "Order Completed",
    "$1,2.3",
    "2026-01-01T00:00:00Z",
    "198.51.100.7",
    "a\0b",
    "\ud800",
]
FIELDS = [
    *sorted(messages.FIELDS - {"type"} | context.FIELDS),
    "device", "traits", "products", "revenue", "total", "currency", "url", "id", "width", "active", "direct", "channel",
]  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=12)
    | st.sampled_from(WORDS)
)
values = st.recursive(
    scalars,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), each, max_size=6),
    max_leaves=20,
)
kinds = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["track", "page", "screen", "identify", "group", "alias", "merge"]),
        "anonymousId": scalars,
    },
    optional={"event": st.sampled_from(["Order Completed", "Product Viewed", "x"])},
)
typed = st.tuples(st.dictionaries(st.sampled_from(FIELDS), values, max_size=8), kinds).map(lambda two: two[0] | two[1])
documents = (
    st.dictionaries(st.sampled_from([*FIELDS, "batch"]), values, max_size=8)
    | typed
    | st.fixed_dictionaries(
        {"batch": st.lists(typed | values, max_size=3)}, optional={"context": values, "sentAt": values}
    )
    | values
)
bodies = documents.map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass")) | st.binary(max_size=80)
queries = st.dictionaries(
    st.sampled_from([*FIELDS, "context.page.url", "context", "properties.a.b", "properties.a", "."]),
    st.text(st.characters(codec="utf-8"), max_size=10),
    max_size=8,
)
credentials = st.sampled_from(["KEY:", "QUIET", "OTHER:", "", "\xff:"]).map(
    lambda key: "Basic " + base64.b64encode(key.encode("latin-1")).decode()
) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
headers = st.fixed_dictionaries({"Authorization": credentials}, optional={"Sec-GPC": st.just("1")})
requests = st.fixed_dictionaries({"path": st.sampled_from(PATHS), "body": bodies, "query": queries, "headers": headers})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    return LocalCollector(tmp_path_factory.mktemp("fuzz-segment"), SITES)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests)
def test_no_message_makes_the_application_fail(shared: LocalCollector, request: dict[str, Any]) -> None:
    is_get = "pixel" in request["path"] or "settings" in request["path"]
    answer = shared.client.open(
        request["path"],
        method="GET" if is_get else "POST",
        query_string=urlencode(request["query"]),
        data=None if is_get else request["body"],
        headers=request["headers"],
    )
    assert answer.status_code in {200, 400, 401, 404}, answer.data


def test_what_was_accepted_meanwhile_fits_the_contract(shared: LocalCollector) -> None:
    shared.post("/s/shop/v1/track", json.dumps({"anonymousId": "a", "event": "e"}))
    assert shared.landed().events
    assert list((Path(shared.settings.home) / "spool").glob("damaged/*")) == []


@pytest.fixture
def local(tmp_path: Path) -> LocalCollector:
    return LocalCollector(tmp_path, SITES)


def send(local: LocalCollector, path: str, document: Any) -> tuple[int, str | None]:
    answer = local.post(f"/s/shop{path}", document if isinstance(document, str) else json.dumps(document))
    return answer.status_code, answer.headers.get("Tidemill-Reason")


def test_a_message_of_32_kb_and_a_batch_of_2500_pass(local: LocalCollector) -> None:
    long = {"anonymousId": "a", "event": "e", "properties": {"text": ["x" * 8_000] * 4}}
    assert send(local, "/v1/track", long) == (200, None)
    small = {"type": "track", "anonymousId": "a", "event": "e"}
    assert send(local, "/v1/batch", {"batch": [small] * 2_500}) == (200, None)
    assert len(local.landed().events) == 2_501


def test_what_is_too_large_is_refused_so_that_no_client_repeats_it(local: LocalCollector) -> None:
    long = {"type": "track", "anonymousId": "a", "event": "e", "properties": {"text": ["x" * 8_000] * 9}}
    small = {"type": "track", "anonymousId": "a", "event": "small"}
    assert send(local, "/v1/batch", {"batch": [long, small]}) == (200, "event_too_large")
    assert send(local, "/v1/batch", {"batch": [small] * 2_501}) == (400, "too_many_events")
    assert send(local, "/v1/batch", " " * 1_048_577) == (400, "body_too_large")
    landed = local.landed()
    assert [row["event_name"] for row in landed.events] == ["small"]
    assert len(landed.rejects) == 3
