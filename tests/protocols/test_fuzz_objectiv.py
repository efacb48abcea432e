"""Objectiv under hostile requests: no 5xx, no exception; what is accepted can be converted."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landing.taxonomy import base_taxonomy
from tests.collector.conftest import NOW, LocalCollector

SITES = (Path(__file__).parent / "objectiv" / "sites.yml").read_text()
NOW_MS = int(NOW.timestamp() * 1_000)
ID = "0b1e7f52-4a55-4c0b-9d3e-6d1c2f3a4b5c"
TYPES = [*base_taxonomy().events, *base_taxonomy().contexts, "RatedEvent", "ScoreContext"]
KEYS = ["_type", "_types", "id", "href", "value", "message", "referrer", "user_agent", "remote_address", "cookie_id"]
KEYS += ["source", "medium", "campaign", "score", "hit_number", "language_code", "_schema_version"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from([*TYPES, ID, "https://[", "https://x/?utm_source=a&utm_medium=%ff&utm_campaign=c"])
)
values = st.recursive(
    scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(KEYS), each, max_size=4)
)
texts = st.sampled_from(["home", "\0", "\ud800", "a" * 9_000, "https://x/?utm_source=a&utm_medium=b&utm_campaign=c"])
named = st.fixed_dictionaries(
    {"_type": st.sampled_from(TYPES), "id": texts}, optional=dict.fromkeys(KEYS[3:], texts | values)
)
whole = st.fixed_dictionaries(
    {
        "_type": st.sampled_from(list(base_taxonomy().events)),
        "id": st.just(ID) | values,
        "time": st.sampled_from([NOW_MS, NOW_MS - 5, 0, -1, 1e300, 10**300]) | values,
        "location_stack": st.lists(named, max_size=3) | values,
        "global_contexts": st.lists(named, max_size=4).map(
            lambda found: [
                {"_type": "ApplicationContext", "id": "shop-app"},
                {"_type": "PathContext", "id": "/"},
                *found,
            ]
        )
        | values,
    },
    optional={"message": texts, "_types": values, "extra": values},
)
documents = st.fixed_dictionaries(
    {
        "events": st.lists(whole | values, max_size=3) | values,
        "transport_time": st.sampled_from([NOW_MS, 0, 10**30]) | values,
    },
    optional={"client_session_id": texts | values},
)
bodies = documents.map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass")) | st.binary(max_size=80)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    return LocalCollector(tmp_path_factory.mktemp("objectiv"), SITES)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(["/s/shop/", "/s/app/anonymous", "/s/quiet", "/anonymous", "/schema", "/s/none/"]),
    method=st.sampled_from(["POST", "POST", "POST", "GET", "OPTIONS", "PUT"]),
    body=bodies,
    headers=st.dictionaries(
        st.sampled_from(["Cookie", "Origin", "Referer", "User-Agent", "Sec-GPC"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
        | st.just(f"obj_user_id={ID}"),
        max_size=3,
    ),
)
def test_no_request_makes_the_family_fail(
    shared: LocalCollector, path: str, method: str, body: bytes, headers: dict[str, Any]
) -> None:
    answer = shared.client.open(
        path, method=method, data=body, headers=headers, environ_base={"REMOTE_ADDR": "203.0.113.5"}
    )
    assert answer.status_code < 500, answer.data
    if method == "POST" and path != "/schema":
        assert answer.status_code == 200


def test_what_was_accepted_meanwhile_fits_the_contract(shared: LocalCollector) -> None:
    event = {
        "_type": "ApplicationLoadedEvent",
        "id": ID,
        "time": NOW_MS,
        "location_stack": [],
        "global_contexts": [{"_type": "ApplicationContext", "id": "shop-app"}],
    }
    shared.post("/s/shop/", json.dumps({"events": [event], "transport_time": NOW_MS}))
    assert shared.landed().events
    assert list((Path(shared.settings.home) / "spool").glob("damaged/*")) == []
