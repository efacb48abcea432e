"""Apps and fleets over time: limits, changes of the sites file, what was refused sent again."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.intake import Delivery
from collector.protocols.pulp.pulp_checkin_pb2 import Checkin
from collector.spool import SpoolUnavailable
from landing.credentials import digest_of, hash_secret, is_one_of
from tests.collector.conftest import NOW, LocalCollector

ID = "019aa0f6-1c6f-7e9a-8f57-0123456789ab"
SITES = """
version: 1
tables:
  clicks: {columns: [{name: at, type: timestamp, required: true}, {name: agent, header: User-Agent}]}
apps:
  game: {secret_key: s3cret, tables: [clicks], events_per_minute: 2}
  other: {secrets: [{name: one, hash: "HASH"}], tables: [clicks], events_per_minute: 2}
fleets:
  pulp:
    receive: {host: pulp.example, codec: protobuf, descriptor: pulp_checkin}
    install_id: {from: system_id}
    components: {from: components}
    drop_if: {any_component_version_not: '[0-9.]+'}
"""


@pytest.fixture
def local(tmp_path: Path) -> LocalCollector:
    return LocalCollector(tmp_path, SITES.replace("HASH", hash_secret("long secret")))


def post(local: LocalCollector, *events: Any, app: str = "game", key: str = "s3cret") -> int:
    body = json.dumps({"secret_key": key, "events": events})
    return local.post(f"/apps/{app}/events", body, {"Content-Type": "application/json"}).status_code


def replay(local: LocalCollector, reject: dict[str, Any]) -> int:
    """Send a reject as it was kept, as `tidemill rejects replay` does."""
    response = local.collector.intake.take(
        Delivery(
            method=reject["method"],
            path=reject["path"],
            query=reject.get("query", ""),
            headers=json.loads(reject["headers"]),
            body=base64.b64decode(reject["body"]),
            received_at=NOW + timedelta(days=1),
            peer="127.0.0.1",
            replay_of=reject["reject_id"],
        )
    )
    assert response is not None
    return response.accepted


def change(local: LocalCollector, old: str, new: str) -> None:
    """Edit the sites file, and let the collector look at it twice."""
    path = Path(local.settings.sites)
    path.write_text(path.read_text().replace(old, new))
    sites = local.collector.sites
    sites._poll_s = 0  # noqa: SLF001  (a test waits for nothing)
    sites.current()
    sites.current()


def test_an_app_has_a_limit_of_its_own(local: LocalCollector) -> None:
    event = {"_t": "clicks", "at": 0}
    assert [post(local, event, event), post(local, event)] == [200, 429]
    assert post(local, event, app="other", key="long secret") == 200
    assert len(local.landed().rows["app_rows"]) == 3


def test_a_refused_batch_is_sent_again_without_its_key_and_becomes_the_same_rows(local: LocalCollector) -> None:
    assert post(local, {"_t": "clicks", "at": 0}, {"_t": "clicks", "at": 0, "_id": "a"}, {"_t": "taps"}) == 404
    reject = local.only_reject()
    assert b"s3cret" not in base64.b64decode(reject["body"])
    change(local, "  clicks:", "  taps: {columns: []}\n  clicks:")
    change(local, "tables: [clicks], events_per_minute: 2}\n  other", "tables: [clicks, taps]}\n  other")

    assert [replay(local, reject), replay(local, reject)] == [3, 3]
    rows = local.landed().rows["app_rows"]
    assert len({row["row_id"] for row in rows}) == 3
    assert {json.loads(row["fields"]).get("agent") for row in rows if row["table_name"] == "clicks"} != {None}


def test_a_dropped_check_in_is_sent_again_after_its_rule_is_gone(local: LocalCollector) -> None:
    message = Checkin(system_id=ID.encode(), components=[{"name": b"core", "version": b"3.dev"}]).SerializeToString()
    assert local.client.post("/", data=message, headers={"Host": "pulp.example"}).status_code == 200
    reject = local.only_reject()
    assert replay(local, reject) == 0
    change(local, "drop_if: {any_component_version_not: '[0-9.]+'}", "drop_if: {}")

    assert [replay(local, reject), replay(local, reject)] == [1, 1]
    rows = local.landed().rows["checkins"]
    assert [row["install_id"] for row in rows] == [ID, ID]
    assert len({row["checkin_id"] for row in rows}) == 1


def test_a_new_fleet_is_an_endpoint_without_a_restart(local: LocalCollector) -> None:
    headers = {"Host": "agents.example"}
    assert local.client.post("/checkin", data='{"id": "x"}', headers=headers).status_code == 404
    change(local, "fleets:", "fleets:\n  agents: {receive: {path: /checkin}, install_id: {from: id, type: text}}")

    assert local.client.post("/checkin", data='{"id": "x"}', headers=headers).status_code == 200
    assert local.landed().rows["checkins"][0]["fleet"] == "agents"


def test_other_hosts_keep_their_root(local: LocalCollector) -> None:
    message = Checkin(system_id=ID.encode()).SerializeToString()
    assert local.client.post("/", data=message, headers={"Host": "shop.example"}).status_code != 200
    assert "checkins" not in local.landed().rows


def test_nothing_is_acknowledged_that_is_not_durable(local: LocalCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SpoolUnavailable("spool_full", "nothing fits")

    monkeypatch.setattr(local.collector.spool, "append", fail)
    message = Checkin(system_id=ID.encode()).SerializeToString()
    assert post(local, {"_t": "clicks", "at": 0}) == 503
    assert local.client.post("/", data=message, headers={"Host": "pulp.example"}).status_code == 503


def test_a_key_is_compared_by_its_digest_with_every_other() -> None:
    digests = (digest_of("a"), digest_of("b"))
    assert [is_one_of(key, digests) for key in ("a", "b", "c", "")] == [True, True, False, False]
    assert not is_one_of("a", ())
