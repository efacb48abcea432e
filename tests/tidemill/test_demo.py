"""`make demo` from an empty folder: traffic in over HTTP, summaries out, the UI up; and once more on top."""

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tidemill.ports import free_port

pytestmark = pytest.mark.long

EVENTS = 300
ASSETS = """
{ repositoriesOrError {
    ... on RepositoryConnection {
      nodes { jobs { name } schedules { name scheduleState { status } } assetNodes { assetKey { path } } } }
    ... on PythonError { message } } }
"""


def environment(home: Path) -> dict[str, str]:
    return os.environ | {"TIDEMILL_HOME": str(home), "TIDEMILL_COLLECTOR_PORT": str(free_port())}


def demo(home: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tidemill", "demo", "--events", str(EVENTS), "--ui-port", str(free_port())]
    return subprocess.Popen(
        [*command, *arguments],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What the process has printed when a line holds `text`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    pytest.fail(f"{text!r} never came:\n{''.join(lines)}")


def ask(address: str, query: str) -> Any:
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["data"]


def get(address: str) -> tuple[str, Any]:
    """Text and headers of the answer."""
    with urllib.request.urlopen(address, timeout=60) as response:
        return response.read().decode(), response.headers


def assert_open(shop: str) -> None:
    """The shop's first page carries the tracker that the collector serves, from the shop's own origin."""
    page, headers = get(shop)
    assert headers["Content-Security-Policy"] == "default-src 'self'"
    source, settings, integrity = re.findall(r'<script defer src="(/p/[^"]+)"([^>]*) integrity="([^"]+)"', page)[0]
    assert ' data-id="user"' in settings
    script, _ = get(shop.rstrip("/") + source)
    assert f"sha384-{base64.b64encode(hashlib.sha384(script.encode()).digest()).decode()}" == integrity


def status(home: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tidemill", "status", "--json", "--days", "100"],
        env=environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def processes_of(home: Path) -> list[str]:
    """Command lines of running processes that name the home or were started for it."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                names_home = str(home).encode() in (folder / "environ").read_bytes()
            except OSError:
                continue
            if command and (names_home or str(home) in command):
                found.append(command)
    return found


def nothing_is_left_of(home: Path) -> bool:
    """Whether every process of the home is gone; the kernel takes a moment after the last signal."""
    deadline_s = time.monotonic() + 60
    while processes_of(home) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return processes_of(home) == []


@pytest.fixture
def running(home: Path) -> Iterator[subprocess.Popen[str]]:
    process = demo(home)
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(120)


def test_the_demo_counts_what_it_sends_shows_it_in_the_ui_and_adds_when_it_runs_again(
    home: Path, running: subprocess.Popen[str]
) -> None:
    printed = read_until(running, "Ctrl-C stops everything")
    ui = next(line.split()[1] for line in printed.splitlines() if line.startswith("dagster "))
    for title in ("In the mill", "By day", "Top pages", "Top sources", "Weekly retention"):
        assert title in printed

    (repository,) = ask(ui, ASSETS)["repositoriesOrError"]["nodes"]
    assets = {"/".join(node["assetKey"]["path"]) for node in repository["assetNodes"]}
    assert {"raw/events", "marts/fct_daily_summary", "ops/closed_days", "ops/purge"} <= assets
    assert {"load", "transform", "daily", "purge"} <= {job["name"] for job in repository["jobs"]}
    assert {schedule["scheduleState"]["status"] for schedule in repository["schedules"]} == {"RUNNING"}

    assert_open(next(line.split()[1] for line in printed.splitlines() if line.startswith("shop ")))

    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=120)
    assert running.returncode == 0, output
    assert nothing_is_left_of(home), processes_of(home)

    first = status(home)
    assert first["ledger"]["landed"] >= EVENTS
    assert first["ledger"]["landed"] == first["ledger"]["loaded"]
    counted = sum(day["events"] for day in first["days"])
    assert 0 < counted <= first["ledger"]["loaded"] - first["ledger"]["duplicates"]

    again = demo(home, "--exit")
    output, _ = again.communicate(timeout=300)
    assert again.returncode == 0, output
    second = status(home)
    assert second["ledger"]["landed"] >= first["ledger"]["landed"] + EVENTS
    assert sum(day["events"] for day in second["days"]) > counted
    assert nothing_is_left_of(home), processes_of(home)
