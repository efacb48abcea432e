"""Fleets under hostile messages: no 5xx; what is accepted can be converted, and Postgres takes it."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.protocols.pulp.pulp_checkin_pb2 import Checkin
from orchestration.database import connect, migrate
from orchestration.load import load_inbox
from tests.collector.conftest import LocalCollector

SITES = (Path(__file__).parent / "pulp" / "sites.yml").read_text()
ID = "019aa0f6-1c6f-7e9a-8f57-0123456789ab"

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from([ID, "a\0", "\ud800", "urn:uuid:", "1" * 400, "-0.5", 2**31, 10**400])
)
names = st.sampled_from(
    ["install", "id", "modules", "release", "number", "load", "average", "jobs", "licence", "seats"]
)
values = st.recursive(
    scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=4), max_leaves=12
)
documents = st.fixed_dictionaries(
    {"install": st.just({"id": "x"}) | values},
    optional={"modules": st.lists(values, max_size=3), "load": values, "jobs": scalars, "licence": values},
)
texts = st.binary(max_size=6) | st.sampled_from([b"core", b"3.21.0", b"\0", ID.encode()])
numbers = st.integers(min_value=0, max_value=2**32 - 1)
processes = st.dictionaries(st.sampled_from(["processes", "hosts"]), numbers)
messages = st.builds(
    lambda fields, tail: Checkin(**fields).SerializeToString() + tail,
    st.fixed_dictionaries(
        {"system_id": st.just(ID.encode()) | texts},
        optional={
            "components": st.lists(st.fixed_dictionaries({}, optional={"name": texts, "version": texts}), max_size=3),
            "online_workers": processes,
            "postgresql_version": numbers,
            "rbac_stats": st.dictionaries(st.sampled_from(["users", "groups", "domains"]), numbers),
        },
    ),
    st.just(b"") | st.binary(max_size=12),
)
queries = st.dictionaries(
    st.sampled_from(["id", "c", "ui.windows", "ui", "channel", "channel.a", "...", "a" * 300]),
    st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from([ID, "a:1,b", "\0"]),
    max_size=6,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalCollector:
    return LocalCollector(tmp_path_factory.mktemp("pulp"), SITES)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=messages | st.binary(max_size=60), host=st.sampled_from(["analytics.example.org", "dev.analytics.example.org"])
)
def test_no_message_makes_it_fail(shared: LocalCollector, body: bytes, host: str) -> None:
    assert shared.client.post("/", data=body, headers={"Host": host}).status_code in {200, 400}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=documents | values)
def test_no_json_makes_it_fail(shared: LocalCollector, document: object) -> None:
    body = json.dumps(document).encode("utf-8", "surrogatepass")
    assert shared.client.post("/agents/checkin", data=body).status_code in {202, 400}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries.map(urlencode) | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_no_query_makes_it_fail(shared: LocalCollector, query: str) -> None:
    assert shared.client.get("/pixel.gif", query_string=query).status_code in {200, 400}


def test_what_was_accepted_meanwhile_is_loaded(shared: LocalCollector, database_url: str) -> None:
    message = Checkin(system_id=ID.encode(), postgresql_version=130011).SerializeToString()
    headers = {"Host": "analytics.example.org"}
    assert shared.client.post("/", data=message, headers=headers).status_code == 200
    sent = len(shared.landed().rows["checkins"])
    migrate(database_url)
    report = load_inbox(store=shared.store, database_url=database_url, clock=lambda: shared.now)

    assert report.quarantined == []
    with connect(database_url) as connection:
        assert connection.execute("select count(*) from raw.checkins").fetchone() == (sent,)
        assert (130011,) in connection.execute("select (codes ->> 'database')::int from raw.checkins").fetchall()
