"""The Measurement Protocol, GA4 and Webalytic under hostile requests: no 5xx; each line is one row; rows are valid."""

import base64
import json
import time
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, quote_plus, unquote_plus

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.columns import FITTERS
from collector.protocols.measurement_protocol import FAMILIES
from collector.protocols.measurement_protocol.parameters import TABLE
from collector.protocols.measurement_protocol.payload import unquote
from collector.redaction import kept_form
from tests.collector.conftest import LocalCollector

SITES = (Path(__file__).parent / "measurement_protocol" / "sites.yml").read_text()
UUID = "6fa459ea-ee8a-4ca4-894e-db77e160355e"
REMAPS = {family.protocol: family.remap for family in FAMILIES}

FORM_PATHS = ["/collect", "/r/collect", "/j/collect", "/batch", "/lc/collect", "/s/shop/batch", "/g/collect"]
JSON_PATHS = ["/mp/collect", "/debug/mp/collect", "/lc/mp/collect", "/s/shop/mp/collect"]
INDEXED = ["cd7", "cm5", "cm201", "cg10", "pr1id", "pr1pr", "pr2qt", "pr1cd1", "il1nm", "il2pi3pr", "il1pi1cm2", "pr1"]
NAMES = [*TABLE, *INDEXED, "dl", "dh", "dp", "dr", "p", "qt", "sc", "aip", "uip", "pa", "ti", "tr", "iq", "ip", "cu"]
NAMES += ["promo1id", "promoa", "sr", "vp", "gclid", "en", "_et", "sct", "ep.x", "epn.x", "up.x", "upn.x", "z", "ni"]
TYPES = ["pageview", "screenview", "event", "transaction", "item", "social", "exception", "timing", "pv"]
VALUES = ["1", "-1", "2.5", "9" * 30, "$1,0", "undefined", "{H_Cookie}", "{IP_ADDRESS}", "http://[", "/x", "//", "x:y"]
VALUES += ["1e400", "NaN", "1x2", "99999x99999", "https://shop.example/?utm_source=a", "198.51.100.9", "purchase", "\0"]

texts = st.sampled_from(VALUES) | st.text(st.characters(), max_size=12)
encoded = texts.map(lambda text: quote_plus(text.encode("utf-8", "surrogatepass"))) | st.binary(max_size=8).map(
    quote_from_bytes
)
pairs = st.builds(lambda name, value: f"{name}={value}", st.sampled_from(NAMES) | st.text(max_size=4), encoded)
heads = st.builds(
    "v={}&tid={}&cid=1&t={}&en=page_view".format,
    st.sampled_from(["1", "1", "2", ""]),
    st.sampled_from(["UA-1-1", "UA-2-1", "UA-9-9", "G-SHOP1", UUID, "x", ""]),
    st.sampled_from(TYPES),
)
complete = "&ec=a&ea=b&ti=1&in=c&dp=/&cd=s&sn=a&sa=b&st=c&utt=1&plt=1"
lines = st.builds(
    lambda head, rest, tail: "&".join([head, *rest]) + tail,
    heads,
    st.lists(pairs, max_size=6),
    st.sampled_from(["", complete, complete]),
)
bodies = st.lists(lines | st.text(max_size=6), max_size=4).map(
    lambda each: "\n".join(each).encode("utf-8", "surrogatepass")
) | st.binary(max_size=40)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "item_id", "price", "x"]), each, max_size=3)
    ),
    max_leaves=8,
)
params = st.dictionaries(
    st.sampled_from(
        ["items", "value", "page_location", "session_id", "engagement_time_msec", "content_group", "_x", "é"]
    )
    | st.text(max_size=4),
    values,
    max_size=5,
)
events = st.fixed_dictionaries(
    {"name": st.sampled_from(["purchase", "page_view", "campaign_details", "error", "1"]) | values},
    optional={"params": params | values, "timestamp_micros": values, "x": values},
)
documents = st.fixed_dictionaries(
    {"client_id": st.just("1") | values, "events": st.lists(events | values, max_size=4) | events | values},
    optional={
        "user_id": values,
        "user_properties": values | st.dictionaries(st.text(max_size=30), values, max_size=3),
        "timestamp_micros": values,
        "consent": values,
        "device": values,
        "ip_override": values,
        "user_agent": values,
        "other": values,
    },
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    """One collector for all examples: state left by one request must not hurt the next."""
    return LocalCollector(tmp_path_factory.mktemp("measurement_protocol"), SITES)


@settings(max_examples=350, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from([*FORM_PATHS, "/debug/collect"]),
    method=st.sampled_from(["GET", "POST", "POST", "HEAD", "OPTIONS", "PUT"]),
    query=lines | st.just("") | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
    body=bodies,
    header=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12),
)
def test_no_form_makes_it_fail(  # noqa: PLR0913, PLR0917  (the parts of a request)
    shared: LocalCollector, path: str, method: str, query: str, body: bytes, header: str
) -> None:
    answer = shared.client.open(
        path,
        method=method,
        query_string=query,
        data=body,
        headers={"User-Agent": header, "Origin": header, "Cookie": header},
        environ_base={"REMOTE_ADDR": "203.0.113.5"},
    )
    assert answer.status_code in {200, 204, 405}, answer.data
    assert all("\n" not in value and "\r" not in value for _, value in answer.headers)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(JSON_PATHS),
    query=st.sampled_from(["measurement_id=G-SHOP1&api_secret=s3cret"] * 3 + ["measurement_id=G-X&api_secret=y", ""]),
    body=documents.map(lambda each: json.dumps(each).encode("utf-8", "surrogatepass"))
    | values.map(lambda each: json.dumps(each).encode("utf-8", "surrogatepass"))
    | st.binary(max_size=40),
)
@example(path="/mp/collect", query="", body=b"[" * 100_000)
def test_no_document_makes_it_fail(shared: LocalCollector, path: str, query: str, body: bytes) -> None:
    answer = shared.client.post(path, query_string=query, data=body)
    assert answer.status_code == (200 if "debug" in path else 204), answer.data


def test_what_was_accepted_meanwhile_fits_the_contract_and_can_be_mapped_anew(shared: LocalCollector) -> None:
    shared.post("/collect", "v=1&tid=UA-1-1&cid=1&t=pageview&dp=/")
    landed = shared.landed()
    assert not list((Path(shared.settings.home) / "spool").glob("damaged/*"))
    kept = [row for row in landed.events if row["raw"] is not None]
    assert kept
    for row in kept:
        remap = REMAPS[row["protocol"]]
        assert remap is not None
        again = remap(msgspec.json.decode(row["raw"]), row)
        for name, value in again.columns.items():
            if name not in {"ip", "user_agent", "visitor_id", "visitor_id_kind", "props", "items", "metrics", "traits"}:
                assert FITTERS[name](value, []) == row[name] or _is_number(value), name


def _is_number(value: object) -> bool:
    """Money is kept as a decimal and numbers in the width of their column: equal, but not in their text."""
    return isinstance(value, (int, float, str))


def test_no_full_address_and_no_secret_is_kept(shared: LocalCollector) -> None:
    shared.post("/mp/collect?measurement_id=G-SHOP1&api_secret=wr0ng", json.dumps({"client_id": "1", "events": []}))
    shared.post("/collect?v=1&tid=UA-9-9&uip=198.51.100.9", "{}")
    landed = shared.landed()
    for row in [*landed.events, *landed.rejects]:
        text = json.dumps(row, default=str) + base64.b64decode(row.get("body") or "").decode("utf-8", "replace")
        assert "wr0ng" not in text
        assert "uip=198.51.100.9" not in text
        assert row["site_id"] == "blog" or row["ip"] is None or row["ip"].endswith((".0", "::"))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["%", "%2", "%2f", "%2F", "%7f", "%80", "%c3%A9", "%zz", "+", "%2B", "a", "é"])).map(
        "".join
    )
)
def test_whatever_is_encoded_is_decoded_as_the_standard_library_does(text: str) -> None:
    assert unquote(text) == unquote_plus(text)


@given(form=st.lists(pairs, max_size=8).map("&".join))
def test_a_form_without_secrets_and_addresses_stays_as_it_is(form: str) -> None:
    if "ip=" not in form:
        assert kept_form(form) == form
    assert kept_form(kept_form(form)) == kept_form(form)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/batch", b"a\n" * 524_000),
        ("/batch", b"%41=" * 262_000),
        ("/collect", b"&" * 1_048_576),
        ("/collect", b"tid=UA-1-1&uip=1" + b"&%75ip=1" * 100_000),
        ("/debug/collect", b"v=1&tid=UA-1-1&cid=1&t=event\n" * 36_000),
        ("/g/collect", b"v=2\n" * 262_000),
        ("/mp/collect?measurement_id=G-X", b'{"events":[' + b"1," * 500_000 + b"1]}"),
        ("/debug/mp/collect", b'{"events":[' + b'{"name":"a","params":{"ga_":1}},' * 4_000 + b"1]}"),
        ("/batch", zlib.compress(b"a\n" * 2_000_000, wbits=31)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_body_is_slow_or_multiplies(shared: LocalCollector, path: str, body: bytes) -> None:
    before = _rows(shared)
    started_s = time.perf_counter()
    answer = shared.post(path, body)
    assert time.perf_counter() - started_s < 2
    assert answer.status_code in {200, 204, 413}
    assert _rows(shared) - before <= 2_501


def _rows(collector: LocalCollector) -> int:
    landed: Any = collector.landed()
    return len(landed.events) + len(landed.rejects)
