"""Snowplow's paths under hostile events: no 5xx; what is accepted can be converted. And whose `/i` it is."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.protocols.snowplow import commerce, contexts
from collector.protocols.snowplow.events import FIELDS
from collector.redirect import may_lead_to
from tests.collector.conftest import LocalCollector

SITES = """
version: 1
sites:
  shop: {name: Shop, ids: {snowplow: [shop-web]}, privacy: {visitor: cookie}}
  quiet: {name: Quiet, ids: {snowplow: [quiet-web]}, privacy: {gpc: drop}}
redirects: [partner.example]
"""
SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
ENVELOPES = [f"{SNOWPLOW}/{name}/jsonschema/1-0-0" for name in ("unstruct_event", "contexts", "payload_data")]
SCHEMAS = [f"iglu:{name}/jsonschema/1-0-0" for name in sorted(contexts.HELD | {commerce.ACTION, "com.acme/x"})]
KEYS = [
    "id",
    "userId",
    "sessionId",
    "type",
    "name",
    "transaction_id",
    "revenue",
    "price",
    "sku",
    "unitPrice",
    "currency",
]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12)
values = st.recursive(
    scalars | st.sampled_from(["transaction", "1920x1080", "x", "1e999", "a\0b", "\ud800"]),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(KEYS), each, max_size=5),
    max_leaves=12,
)
described = st.fixed_dictionaries({"schema": st.sampled_from(SCHEMAS) | values, "data": values})
envelopes = st.fixed_dictionaries(
    {"schema": st.sampled_from(ENVELOPES), "data": described | st.lists(described, max_size=3) | values}
)
documents = (envelopes | values).map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass"))
encoded = (documents | st.binary(max_size=20)).map(lambda body: base64.b64encode(body).decode())
plain = documents.map(lambda body: body.decode("utf-8", "replace"))
texts = st.sampled_from(["1", "1773144000000", "800x600", "x", "9" * 400, "shop-web", "srv"]) | st.text(max_size=10)
described_fields = st.fixed_dictionaries(
    {
        "e": st.sampled_from(["pv", "pp", "ue", "se", "tr", "ti", "ad"]),
        "p": st.sampled_from(["web", "srv"]),
        "tv": texts,
        "aid": st.sampled_from(["shop-web", "quiet-web", "nobody"]),
    },
    optional={"ue_px": encoded, "ue_pr": plain, "cx": encoded, "co": plain},
)
events = st.tuples(st.dictionaries(st.sampled_from(sorted(FIELDS)), texts | values, max_size=6), described_fields).map(
    lambda two: two[0] | two[1]
)
payloads = st.fixed_dictionaries(
    {"schema": st.just(f"{SNOWPLOW}/payload_data/jsonschema/1-0-4"), "data": st.lists(events | values, max_size=3)}
)
bodies = (payloads | values).map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass"))
queries = st.dictionaries(
    st.sampled_from([*sorted(FIELDS), "u"]), texts | encoded | st.just("https://partner.example/"), max_size=8
)
requests = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["/com.snowplowanalytics.snowplow/tp2", "/s/shop/a/b", "/i", "/ice.png", "/r/tp2"]),
        "body": bodies | st.binary(max_size=60),
        "query": queries | events.map(lambda event: {key: str(value) for key, value in event.items()}),
        "headers": st.dictionaries(
            st.sampled_from(["SP-Anonymous", "Cookie", "Sec-GPC", "User-Agent"]),
            st.sampled_from(["*", "1", "sp=a; sp=b", 'sp="; x=y', "sp=2f9c1e50"]),
        ),
    }
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    return LocalCollector(tmp_path_factory.mktemp("fuzz-snowplow"), SITES)


@pytest.fixture
def local(tmp_path: Path) -> LocalCollector:
    return LocalCollector(tmp_path, SITES)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests)
def test_no_event_makes_the_application_fail(shared: LocalCollector, request: dict[str, Any]) -> None:
    is_post = request["path"].count("/") in {2, 4} and not request["path"].startswith("/r/")
    answer = shared.client.open(
        request["path"],
        method="POST" if is_post else "GET",
        query_string=urlencode(request["query"], errors="replace"),
        data=request["body"] if is_post else None,
        headers=request["headers"],
    )
    assert answer.status_code in {200, 302, 400, 403, 404}, answer.data
    assert answer.headers.get("Location", "https://partner.example/") == "https://partner.example/"


def test_what_was_accepted_meanwhile_fits_the_contract(shared: LocalCollector) -> None:
    assert shared.client.get("/s/shop/i?e=pv&p=web&tv=t").status_code == 200
    assert shared.landed().events
    assert list((Path(shared.settings.home) / "spool").glob("damaged/*")) == []


@example(url="https://evil.example@partner.example/")
@example(url="https://evil.example/\\partner.example")
@example(url="https://evil.example\\.partner.example/")
@given(url=st.text(max_size=30) | st.text(max_size=10).map(lambda text: f"https://partner.example{text}"))
def test_a_redirect_leads_to_listed_hosts_alone(url: str) -> None:
    if may_lead_to(url, ["partner.example"]):
        assert url.lower().startswith(("https://partner.example", "http://partner.example"))
        assert url.partition("://")[2].lower()[len("partner.example") :][:1] in {"", "/", "?", "#", ":", "."}


def test_a_query_without_a_kind_of_event_is_not_snowplows(local: LocalCollector) -> None:
    assert local.client.get("/s/shop/i?app_key=k&device_id=d").status_code == 404
    assert local.client.get("/s/shop/i?re=pv").status_code == 404


def test_a_path_of_the_trackers_choice_needs_the_sites_prefix_and_snowplows_body(local: LocalCollector) -> None:
    body = json.dumps({"schema": ENVELOPES[2], "data": [{"e": "pv", "p": "web", "tv": "t", "aid": "shop-web"}]})
    assert local.post("/com.acme/collect", body).status_code == 404
    assert local.post("/s/shop/com.acme/collect", '{"events": []}').status_code == 404
    assert local.client.get("/com.acme/collect").status_code == 404
    assert local.post("/s/shop/com.acme/collect", body).status_code == 200
    assert len(local.landed().events) == 1


def test_an_event_that_is_too_large_is_refused_alone_with_a_success(local: LocalCollector) -> None:
    event = {"e": "pv", "p": "web", "tv": "t", "aid": "shop-web"}
    long = {f"field{number}": "x" * 8_000 for number in range(9)}
    body = json.dumps({"schema": ENVELOPES[2], "data": [{**event, **long}, event]})
    assert local.post("/com.snowplowanalytics.snowplow/tp2", body).status_code == 200
    assert len(local.landed().events) == 1
    assert local.only_reject()["reason"] == "event_too_large"


def test_a_body_that_is_too_large_is_answered_413_and_a_url_400(local: LocalCollector) -> None:
    assert local.post("/com.snowplowanalytics.snowplow/tp2", " " * 1_048_577).status_code == 413
    assert local.client.get("/i?e=pv&page=" + "x" * 16_400).status_code == 400
