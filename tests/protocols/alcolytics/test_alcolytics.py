"""Alcolytics beyond its vectors: statistics, addresses that are not its own, and mapping kept messages anew."""

import json
from pathlib import Path

import pytest

from collector.columns import FITTERS
from collector.protocols.alcolytics import FAMILY
from collector.protocols.alcolytics.visitor import new_uid
from collector.protocols.alcolytics.wire import read_brackets
from tests.collector.conftest import NOW, LocalCollector
from tests.protocols.vectors import read_vectors, run

FOLDER = Path(__file__).parent
SITES = (
    (FOLDER / "sites.yml")
    .read_text()
    .replace("    name: Shop\n", '    name: Shop\n    secrets: [{name: dev, plain: "s3cret"}]\n')
)
UID = "6543210987654321098"


@pytest.fixture
def local(tmp_path: Path) -> LocalCollector:
    return LocalCollector(tmp_path, SITES)


def test_statistics_are_told_to_who_has_a_secret(local: LocalCollector) -> None:
    before = local.client.get("/stat?key=s3cret").json["counters"]
    local.post(f"/track?uid={UID}", json.dumps({"name": "pageview", "projectId": 1}))
    local.post(f"/track?uid={UID}", json.dumps({"name": "log", "lvl": "warn"}))
    local.client.get("/img")
    local.client.get("/lib.js")
    local.post("/webhook/1/pay/done", b"{}")
    answer = local.client.get("/stat?key=s3cret")
    assert answer.status_code == 200
    after = answer.json["counters"]
    told = {name: after[name] - before[name] for name in after if after[name] > before[name]}
    assert told == {"request": 5, "track": 2, "gif": 1, "lib": 1, "webhook": 1, "frontend.error": 1}
    assert answer.json["histograms"]["handled_seconds"]["+Inf"] >= 5


@pytest.mark.parametrize("query", ["", "?key=", "?key=wrong"])
def test_statistics_are_told_to_nobody_else(local: LocalCollector, query: str) -> None:
    answer = local.client.get(f"/stat{query}")
    assert (answer.status_code, answer.json) == (403, {"error": "wrong secret"})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/chat/opened", b'{"data":{}}'),
        ("POST", "/s/shop/chat/opened", b'{"data":{}}'),
        ("GET", "/some/page/here", b""),
        ("PUT", "/some/page", b""),
        ("POST", "/track", b"data=eyJ9"),
        ("POST", "/track", b'{"site_id":"1","type":"pageview"}'),
        ("GET", "/track?data=eyJ9", b""),
    ],
)
def test_an_address_that_is_not_of_the_family_is_left_alone(
    local: LocalCollector, method: str, path: str, body: bytes
) -> None:
    assert local.client.open(path, method=method, data=body).status_code == 404
    assert local.landed().events == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/version"])
def test_the_collectors_own_pages_stay_on_a_virtual_host_of_the_family(local: LocalCollector, path: str) -> None:
    assert local.client.get(path, headers={"Host": "stats.example"}).status_code == 200


def test_a_marker_makes_an_address_of_the_family_anywhere(local: LocalCollector) -> None:
    answer = local.client.post("/chat/band/opened/1", data=b'{"data":{}}')
    assert set(answer.json) == {"statusCode", "type__", "data"}
    assert [row["event_name"] for row in local.landed().events] == ["chat/opened"]


def test_new_ids_grow_with_time_and_fit_64_bits() -> None:
    ids = {new_uid(NOW) for _ in range(100)}
    assert len(ids) > 90
    assert {int(each) >> 22 for each in ids} == {int(NOW.timestamp() * 1_000)}
    assert all(int(each) < 2**64 for each in ids)


def test_brackets_nest_and_what_contradicts_is_left_out() -> None:
    assert read_brackets({"a[b]": "1", "a[c][d]": "2", "e": "3", "e[f]": "4", "a[b][g]": "5", "x[": "6"}) == {
        "a": {"b": "1", "c": {"d": "2"}},
        "e": "3",
        "x[": "6",
    }


def test_a_kept_message_is_mapped_anew_to_what_it_was() -> None:
    """Every row of the vectors: today's mapping of its `raw` gives the same columns."""
    assert FAMILY.remap is not None
    mapped = 0
    for vector in read_vectors(FOLDER):
        for row in run(vector)[1].rows.get("events", []):
            if "raw" not in row:
                continue
            candidate = FAMILY.remap(json.loads(row["raw"]), row)
            for column, value in candidate.columns.items():
                assert FITTERS[column](value, []) == row.get(column), (vector.name, column)
            assert candidate.client_time_us == row.get("client_time")
            mapped += 1
    assert mapped > 30
