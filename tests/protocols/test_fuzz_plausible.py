"""Plausible's path under hostile events: no 5xx; what is accepted can be converted."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collector.conftest import LocalCollector

SITES = """
version: 1
sites:
  shop: {name: Shop, ids: {plausible: [shop.example]}}
  blog: {name: Blog, ids: {plausible: [blog.example]}, privacy: {gpc: drop}}
"""
KEYS = [
    "n",
    "name",
    "u",
    "url",
    "d",
    "domain",
    "r",
    "referrer",
    "p",
    "m",
    "props",
    "$",
    "revenue",
    "i",
    "h",
    "v",
    "sd",
    "e",
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12)
values = st.recursive(
    scalars
    | st.sampled_from(["shop.example,blog.example", '{"a": 1e999}', "{", "http://[", "data:,", "12.5", "\ud800"]),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(["amount", "currency", "x"]), each),
    max_leaves=8,
)
needed = st.fixed_dictionaries(
    {
        "n": st.sampled_from(["pageview", "engagement", "Signup"]),
        "u": st.sampled_from(["https://shop.example/#/a", "x", "http://["]),
        "d": st.sampled_from(["shop.example", "blog.example,shop.example,nobody", ",".join(map(str, range(40)))]),
    }
)
loose = st.dictionaries(st.sampled_from(KEYS), values, max_size=8)
bodies = st.tuples(needed, loose).map(lambda two: two[0] | two[1]) | st.tuples(loose, needed).map(
    lambda two: two[0] | two[1]
)
requests = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["/api/event", "/s/shop/api/event", "/s/nobody/api/event"]),
        "body": (bodies | values).map(lambda event: json.dumps(event).encode("utf-8", "surrogatepass"))
        | st.binary(max_size=40),
        "headers": st.dictionaries(st.sampled_from(["Sec-GPC", "X-Debug-Request"]), st.sampled_from(["1", "true"])),
    }
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    return LocalCollector(tmp_path_factory.mktemp("fuzz-plausible"), SITES)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests)
def test_no_event_makes_the_application_fail(shared: LocalCollector, request: dict[str, Any]) -> None:
    answer = shared.client.post(request["path"], data=request["body"], headers=request["headers"])
    assert answer.status_code in {200, 202, 400}, answer.data


def test_what_was_accepted_meanwhile_fits_the_contract(shared: LocalCollector) -> None:
    shared.post("/api/event", json.dumps({"n": "pageview", "u": "https://shop.example/", "d": "shop.example"}))
    assert shared.landed().events
    assert list((Path(shared.settings.home) / "spool").glob("damaged/*")) == []
