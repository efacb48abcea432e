"""Replay: recorded requests through the application's code, with their own time and address."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.replay import ReplayReport, replay_file
from tests.collector.conftest import CHROME, NOW, LocalCollector
from tests.fixtures.collector import read_inbox

EVENT = {"id": "018f0000-0000-7000-8000-000000000001", "n": "page"}


def line(at: datetime = NOW, body: Any = None, **fields: Any) -> str:
    document = {"site": "shop", "events": [EVENT]} if body is None else body
    return json.dumps(
        {
            "received_at": at.isoformat(),
            "method": "POST",
            "path": "/e",
            "query": "",
            "headers": {"User-Agent": CHROME},
            "body_base64": base64.b64encode(json.dumps(document).encode()).decode(),
            "remote_addr": "203.0.113.77",
            **fields,
        }
    )


def replay(local: LocalCollector, tmp_path: Path, *lines: str) -> ReplayReport:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return replay_file(path, local.settings, clock=lambda: NOW, store=local.store)


def test_a_recorded_request_becomes_the_rows_that_http_makes_of_it(local: LocalCollector, tmp_path: Path) -> None:
    local.track(EVENT)
    by_http = local.only_event()
    for info in list(local.store.list("inbox/")):
        local.store.delete(info.key)

    report = replay(local, tmp_path, line())

    (row,) = read_inbox(local.store).events
    assert report == ReplayReport(requests=1, accepted=1, statuses={204: 1})
    replayed = {name: value for name, value in row.items() if value is not None}
    ours = {"request_id", "collector_id", "segment_id", "protocol_version", "raw"}
    assert {k: v for k, v in replayed.items() if k not in ours} == {k: v for k, v in by_http.items() if k not in ours}


def test_time_and_address_are_those_of_the_record(local: LocalCollector, tmp_path: Path) -> None:
    past = datetime(2025, 7, 1, 23, 30, tzinfo=UTC)
    replay(local, tmp_path, line(past), line(past + timedelta(hours=1), remote_addr="198.51.100.1"), line(past))
    rows = read_inbox(local.store).events
    assert sorted({row["received_at"] for row in rows}) == [past, past + timedelta(hours=1)]
    assert {row["ip"] for row in rows} == {"203.0.113.0", "198.51.100.0"}
    assert len({row["visitor_id"] for row in rows if row["received_at"] == past}) == 1


def test_lines_that_are_no_requests_and_paths_that_nobody_owns_are_reported(
    local: LocalCollector, tmp_path: Path
) -> None:
    report = replay(
        local,
        tmp_path,
        "garbage",
        "",
        line(received_at="2026-01-01T00:00:00"),
        line(body_base64="%"),
        line(path="/nothing"),
        line(body={"site": "shop", "events": [3]}),
        line(body=[1]),
        line(method="GET"),
    )
    assert report == ReplayReport(
        requests=4, accepted=0, rejected=2, statuses={204: 1, 400: 1, 404: 1, 405: 1}, invalid_lines=[1, 3, 4]
    )


def test_a_full_spool_is_shipped_and_the_replay_goes_on(local: LocalCollector, tmp_path: Path) -> None:
    local.settings = local.settings.model_copy(update={"spool_limit_bytes": 3_000})
    report = replay(local, tmp_path, *[line()] * 20)
    assert (report.accepted, report.statuses, report.is_shipped) == (20, {204: 20}, True)
    assert len(read_inbox(local.store).events) == 20
