"""`tidemill replay`: recorded requests from a file into the landing zone, and an exit code that tells of every line."""

import base64
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from landing.store import DirectoryStore
from tests.fixtures.collector import read_inbox

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def request(received_at: datetime) -> str:
    body = {"site": "shop", "events": [{"id": str(uuid.uuid4()), "n": "page", "u": "https://shop.example/"}]}
    return json.dumps(
        {
            "received_at": received_at.isoformat(),
            "method": "POST",
            "path": "/e",
            "query": "",
            "headers": {"User-Agent": "Mozilla/5.0"},
            "body_base64": base64.b64encode(json.dumps(body).encode()).decode(),
            "remote_addr": "203.0.113.7",
        }
    )


def replay(home: Path, *lines: str, options: tuple[str, ...] = ("--json",)) -> subprocess.CompletedProcess[str]:
    (home / "sites.yml").write_text("version: 1\nsites:\n  shop: {name: Shop, url: 'https://shop.example/'}\n")
    (home / "requests.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return subprocess.run(
        [sys.executable, "-m", "tidemill", "replay", str(home / "requests.jsonl"), *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"TIDEMILL_HOME": str(home), "TIDEMILL_SITES": str(home / "sites.yml")},
        check=False,
    )


def test_recorded_requests_are_events_in_the_landing_zone(home: Path) -> None:
    times = [NOON, NOON + timedelta(hours=1)]

    done = replay(home, *map(request, times))

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["accepted"] == 2
    landed = read_inbox(DirectoryStore(home / "landing"))
    assert sorted(row["received_at"] for row in landed.events) == times
    assert list((home / "spool").glob("**/*.segment")) == []


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_line_that_is_no_request_fails_the_command_and_the_others_arrive(
    home: Path, options: tuple[str, ...]
) -> None:
    done = replay(home, "garbage", request(NOON), options=options)

    assert (done.returncode, done.stderr) == (1, "tidemill: 1 lines are no recorded requests\n")
    assert len(read_inbox(DirectoryStore(home / "landing")).events) == 1
