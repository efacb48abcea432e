"""Every endpoint under arbitrary requests: no 5xx, no crash; what is accepted can be converted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.protocols import FAMILIES
from collector.protocols.api import FIELDS as API_FIELDS
from collector.protocols.tracker import FIELDS as WIRE_FIELDS
from tests.collector.conftest import LocalCollector
from tests.fixtures.collector import SECRET, CollectorProcess

PATHS = [
    endpoint.path.translate({ord("{"): "", ord("}"): ""}) for family in FAMILIES for endpoint in family.endpoints
] + ["/healthz", "/readyz", "/metrics", "/version", "/", "/nothing"]
KEYS = [*WIRE_FIELDS, "seq", "ts", "p", "e", "sd", "gpc", "event_id", "occurred_at", *sorted(API_FIELDS)]
NAMES = ["page", "engage", "identify", "alias", "purchase", "consent", "page_view", "transaction"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from([*NAMES, "https://shop.example/", "http://[", "2026-01-01T00:00:00Z", "203.0.113.9"])
)
values = st.recursive(
    scalars,
    lambda each: (
        st.lists(each, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), each, max_size=6)
    ),
    max_leaves=25,
)
events = st.dictionaries(st.sampled_from(KEYS), values, max_size=8) | values
documents = st.fixed_dictionaries(
    {
        "site": st.sampled_from(["shop", "app", "quiet", "nobody"]) | values,
        "events": st.lists(events, max_size=4) | values,
    },
    optional={"v": values, "sent_at": values, "lib": values, "gpc": values, "w": values, "id": values},
)
bodies = (
    documents.map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass"))
    | values.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
    | st.binary(max_size=200)
    | st.binary(max_size=50).map(lambda tail: b"\x1f\x8b\x08" + tail)
)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]),
        "path": st.sampled_from(PATHS) | st.sampled_from(PATHS).map(lambda path: f"/s/shop{path}") | st.just("/s/ü/e"),
        "query": st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40) | st.just("d=eyJ9"),
        "body": bodies,
    },
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    """One collector for all examples: state left by one request must not hurt the next."""
    return LocalCollector(tmp_path_factory.mktemp("fuzz"))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests, headers=st.dictionaries(st.sampled_from(
    ["User-Agent", "Origin", "Sec-GPC", "DNT", "X-Forwarded-For", "Content-Type", "Content-Encoding", "Cookie"]
), header_text, max_size=4), secret=st.sampled_from([SECRET, "another", ""]))  # fmt: skip
def test_no_request_makes_the_application_fail(
    shared: LocalCollector, request: dict[str, Any], headers: dict[str, str], secret: str
) -> None:
    answer = shared.client.open(
        request["path"],
        method=request["method"],
        query_string=request["query"],
        data=request["body"],
        headers={**headers, "Authorization": f"Bearer {secret}"},
        environ_base={"REMOTE_ADDR": "203.0.113.5"},
    )
    assert answer.status_code < 500, answer.data


def test_what_was_accepted_meanwhile_fits_the_contract(shared: LocalCollector) -> None:
    shared.track({"n": "page"})
    landed = shared.landed()
    assert landed.events
    assert list((Path(shared.settings.home) / "spool").glob("damaged/*")) == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests)
def test_no_request_makes_the_server_fail_or_hang(server: CollectorProcess, request: dict[str, Any]) -> None:
    path = request["path"].replace("ü", "%C3%BC") + "?" + request["query"].replace(" ", "+")
    status, _, _ = server.request(
        request["method"], path, request["body"], {"Authorization": f"Bearer {SECRET}", "Content-Type": "text/plain"}
    )
    assert status < 500 or status == 503


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path_factory.mktemp("fuzzed")).start()
    yield process
    assert process.terminate() == 0
    assert '"level": "error"' not in process.log()
    process.stop()
