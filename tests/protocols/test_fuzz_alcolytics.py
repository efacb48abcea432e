"""Alcolytics under hostile requests: no 5xx, no exception; what is accepted can be converted."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collector.conftest import LocalCollector

SITES = (Path(__file__).parent / "alcolytics" / "sites.yml").read_text()
UID = "6543210987654321098"
PARTS = ["user", "page", "session", "sess", "lib", "library", "client", "browser", "char", "cf", "perf", "scroll"]
KEYS = ["id", "traits", "gaId", "url", "ref", "referrer", "num", "type", "refHost", "pageNum", "ts", "tz", "tzo"]
KEYS += ["v", "libver", "wh", "sr", "tot", "w", "h", "docHeight", "clientHeight", "topOffset", "maxScroll", "dh", "ch"]
NAMES = ["pageview", "Activity", "Scroll", "Link click", "Page loaded", "identify", "log", "session", "ä\0"]
PATHS = ["/track", "/img", "/lib.js", "/stat", "/webhook/1/a/b", "/webhook/9/a/b", "/redir/1/a/b", "/away/b"]
PATHS += ["/band/t4k.json", "/band/t4k.gif", "/track/1/page", "/wh/1/track/page", "/img/1/track/page", "/track/x"]
PATHS += ["/s/quiet/track", "/s/app/img", "/t4k.json", "/band/band", "/chat/a/1", "/pixel.gif"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from([*NAMES, "http://[", "1e400", "9" * 30, UID, "not present"])
)
values = st.recursive(
    scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(KEYS), each, max_size=4)
)
messages = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES) | values, "projectId": st.sampled_from([1, 2, "3", 4]) | values},
    optional={
        **{part: st.dictionaries(st.sampled_from(KEYS), values, max_size=5) | values for part in PARTS},
        "data": st.dictionaries(st.sampled_from(["active", "interval", "a"]), values, max_size=3) | values,
        "uid": st.just(UID) | values,
        "error": values,
        "service": values,
    },
)
bodies = messages.map(lambda message: json.dumps(message).encode("utf-8", "surrogatepass")) | st.binary(max_size=60)
brackets = st.dictionaries(
    st.sampled_from(
        [f"{part}[{key}]" for part in PARTS for key in KEYS] + ["data[a][b]", "name", "channel", "service"]
    ),
    st.sampled_from([*NAMES, "1", "pixel", "1e9", "-1", ""]),
    max_size=8,
).map(urlencode)
queries = st.one_of(
    brackets,
    bodies.map(lambda body: f"uid={UID}&j={quote(body)}"),
    bodies.map(lambda body: f"b64={quote(base64.b64encode(body).decode())}"),
    st.sampled_from(
        ["to=https://partner.example/", "to=//evil.example", "to=https://partner.example%0d%0aX:1", "key=x"]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    return LocalCollector(tmp_path_factory.mktemp("alcolytics"), SITES)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(PATHS),
    method=st.sampled_from(["POST", "POST", "GET", "GET", "OPTIONS", "PUT"]),
    query=queries,
    body=bodies,
    headers=st.dictionaries(
        st.sampled_from(["Cookie", "Origin", "Referer", "User-Agent", "Sec-GPC", "Host"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
        | st.sampled_from([f"uid={UID}", "stats.example"]),
        max_size=3,
    ),
)
def test_no_request_makes_the_family_fail(  # noqa: PLR0913, PLR0917  (what a request is made of)
    shared: LocalCollector, path: str, method: str, query: str, body: bytes, headers: dict[str, Any]
) -> None:
    answer = shared.client.open(
        path,
        method=method,
        query_string=query,
        data=body if method in {"POST", "PUT"} else b"",
        headers=headers,
        environ_base={"REMOTE_ADDR": "203.0.113.5"},
    )
    assert answer.status_code < 500, answer.data
    assert answer.headers.get("Location") in {None, "https://partner.example/"}
    if method == "GET" and path in {"/img", "/band/t4k.gif", "/img/1/track/page"}:
        assert (answer.status_code, answer.mimetype) == (200, "image/gif")


def test_what_was_accepted_meanwhile_fits_the_contract(shared: LocalCollector) -> None:
    shared.post(f"/track?uid={UID}", json.dumps({"name": "pageview", "projectId": 1}))
    assert shared.landed().events
    assert list((Path(shared.settings.home) / "spool").glob("damaged/*")) == []
