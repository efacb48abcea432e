"""What vectors cannot say of the Measurement Protocol: sockets, the root of other hosts, replay, mapping anew."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from collector.protocols.measurement_protocol import FAMILIES
from collector.remap import remap_events
from landing.contract import EVENTS
from landing.schema import landed_schema
from landing.store import DirectoryStore
from orchestration.rejects import KeptReject
from tests.collector.conftest import LocalCollector
from tests.fixtures.collector import CollectorProcess, read_inbox, wait_until
from tidemill.commands.rejects import _delivery

SITES = (Path(__file__).parent / "measurement_protocol" / "sites.yml").read_text()
UUID = "6fa459ea-ee8a-4ca4-894e-db77e160355e"
HIT = "v=1&tid=UA-1-1&cid=555&t=pageview&dl=https%3A%2F%2Fshop.example%2Fa"


@pytest.fixture
def server(collector_process: Callable[..., CollectorProcess], tmp_path: Path) -> CollectorProcess:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "sites.yml").write_text(SITES)
    return collector_process().start()


def exchange(port: int, *parts: bytes) -> bytes:
    """What a server answers to bytes sent in several packets."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            connection.sendall(part)
        answer = b""
        while received := connection.recv(65_536):
            answer += received
    return answer


def test_a_real_server_takes_chunked_bodies_and_request_lines_of_8_kb(server: CollectorProcess) -> None:
    head = b"POST /batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    body = f"{HIT}&dt=one\n{HIT}&dt=two\n{HIT}&dt=three".encode()
    chunks = [body[at : at + 50] for at in range(0, len(body), 50)]
    sent = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    assert exchange(server.port, head, *sent, b"0\r\n\r\n").startswith(b"HTTP/1.1 200 OK")

    long = f"/collect?{HIT}&dt=four&x="
    long += "x" * (8_000 - len(long))
    answer = exchange(server.port, f"GET {long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\x00;")

    head_only = exchange(server.port, f"HEAD /collect?{HIT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert head_only.startswith(b"HTTP/1.1 200 OK")
    assert head_only.endswith(b"\r\n\r\n")

    store = DirectoryStore(server.home / "landing")
    wait_until(lambda: len(read_inbox(store).events) >= 4)
    landed = read_inbox(store)
    assert sorted(row["page_title"] for row in landed.events) == ["four", "one", "three", "two"]
    assert not landed.rejects


def test_the_root_of_another_familys_host_is_not_ours(tmp_path: Path) -> None:
    hosts = SITES + "  other.example.org: {protocol: snowplow, site: shop}\n"
    local = LocalCollector(tmp_path, hosts)
    assert local.client.get("/", headers={"Host": "other.example.org"}).data != b"OK"
    assert local.client.get("/", headers={"Host": "stats.example.org"}).data == b"OK"


def replayed(local: LocalCollector, reject: dict[str, Any]) -> dict[str, Any]:
    """The one event that a reject becomes when it is sent again as it was kept."""
    fields = {name: reject.get(name) for name in KeptReject.__dataclass_fields__}
    fields |= {"headers": json.loads(reject["headers"]), "replayed_at": None}
    response = local.collector.intake.take(_delivery(KeptReject(**fields)))
    assert response is not None
    assert (response.accepted, response.rejected) == (1, 0)
    return next(
        row for row in local.landed().events if row["request_id"] and row["received_at"] == reject["received_at"]
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/collect?v=1&tid=UA-1-7&cid=5&t=pageview&dp=/a&uip=198.51.100.9", ""),
        ("POST", "/collect?v=1&tid=UA-1-7&cid=5&t=pageview&dp=/a", "{}"),
        ("POST", "/collect?v=1&tid=UA-1-7&uip=198.51.100.9", "cid=5&t=pageview&dp=/a"),
        ("POST", "/batch", "v=1&tid=UA-1-7&cid=5&t=pageview&dp=/a"),
        ("GET", "/g/collect?v=2&tid=UA-1-7&cid=5&en=page_view&dl=/a", ""),
        ("POST", "/g/collect?v=2&tid=UA-1-7&cid=5", "en=page_view&dl=/a"),
    ],
)
def test_a_reject_is_accepted_once_its_site_is_known(tmp_path: Path, method: str, path: str, body: str) -> None:
    local = LocalCollector(tmp_path, SITES)
    local.client.open(path, method=method, data=body, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    reject = local.only_reject()
    assert reject["reason"] == "unknown_tid"
    (tmp_path / "known").mkdir()
    text = SITES.replace("UA-1-1,", "UA-1-1, UA-1-7,").replace("measurement_id: G-SHOP1", "measurement_id: UA-1-7")
    event = replayed(LocalCollector(tmp_path / "known", text), reject)
    assert (event["visitor_id"], event["event_type"]) == ("5", "page_view")


def test_a_reject_of_ga4_is_accepted_without_its_secret(tmp_path: Path) -> None:
    local = LocalCollector(tmp_path, SITES)
    document = {"client_id": "7", "events": [{"name": "a"}, {"name": "b", "params": {"x": 1}}]}
    local.post("/mp/collect?measurement_id=G-NEW&api_secret=t0ken", json.dumps(document))
    rejects = local.landed().rejects
    assert [row["reason"] for row in rejects] == ["unknown_measurement_id"] * 2
    (tmp_path / "known").mkdir()
    known = LocalCollector(tmp_path / "known", SITES.replace("G-SHOP1", "G-NEW"))
    event = replayed(known, rejects[1])
    assert (event["visitor_id"], event["event_name"], event["props"]) == ("7", "b", '{"x":1}')


@pytest.mark.parametrize(
    ("path", "body", "header"),
    [
        ("/collect", "v=1&tid=UA-1-1&cid=555&t=pageview&dp=/x&cm5=12.5&cm6=3.7&qt=5&uip=1.2.3.4", ""),
        (f"/collect?t=pageview&dp=/&tid={UUID}&cid=1&cd1={{H_X-Plan}}&cd2={{USER_AGENT}}", "{}", "gold"),
        ("/mp/collect?measurement_id=G-SHOP1&api_secret=s3cret", json.dumps(
            {"client_id": "1", "user_properties": {"a": {"value": 1}}, "device": {"x": 1},
             "events": [{"name": "purchase", "params": {"value": 5, "items": [{"item_id": "a"}]}}]}), ""),
        ("/g/collect?v=2&tid=G-SHOP1&cid=1&en=purchase&epn.value=5&up.a=b&gcs=G1&pr1=idA~pr1", "{}", ""),
    ],
    ids=["hit", "macros", "events", "web"],
)  # fmt: skip
def test_an_event_mapped_anew_is_the_same(tmp_path: Path, path: str, body: str, header: str) -> None:
    local = LocalCollector(tmp_path, SITES)
    local.post(path, body, {"X-Plan": header})
    (row,) = local.landed().events
    family = next(each for each in FAMILIES if each.protocol == row["protocol"])
    table = pa.Table.from_pylist([row], schema=landed_schema(EVENTS))
    remapped = remap_events(table, family)
    assert (remapped.mapped, remapped.failed) == (1, 0)
    assert remapped.rows.to_pylist() == [row]
