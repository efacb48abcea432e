"""Servers under measurement, as processes of their own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tidemill.ports import free_port

ROOT = Path(__file__).parent.parent
WORKERS = 2
_START_TIMEOUT_S = 60.0


@contextlib.contextmanager
def collector(home: Path, *, sites: Path = ROOT / "sites.example.yml") -> Iterator[tuple[int, int]]:
    """A collector with its state in `home`; yields its port and the id of its parent process."""
    environment = {
        "TIDEMILL_HOME": str(home),
        "TIDEMILL_SITES": str(sites),
        "TIDEMILL_COLLECTOR_WORKERS": str(WORKERS),
        "TIDEMILL_SPOOL_LIMIT_BYTES": str(16 * 2**30),
    }
    with _server([sys.executable, "-m", "collector"], "TIDEMILL_COLLECTOR_PORT", environment) as found:
        yield found


@contextlib.contextmanager
def bare_flask(threads: int) -> Iterator[tuple[int, int]]:
    """Flask answering 204 on the same server with the same number of workers and threads."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", str(WORKERS)]
    command += ["--blocking-threads", str(threads), "--log-level", "warning", "benchmarks.bare:app"]
    with _server(command, "GRANIAN_PORT", {}) as found:
        yield found


def worker_rss_bytes(parent: int) -> list[int]:
    """Resident memory of each child of `parent` that serves requests."""
    sizes = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # a process may end while it is read
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            if int(fields["PPid"]) == parent and "VmRSS" in fields:
                sizes.append(int(fields["VmRSS"].split()[0]) * 1024)
    return sizes


@contextlib.contextmanager
def _server(command: list[str], port_variable: str, environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    port = free_port()
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment, port_variable: str(port)})
    try:
        _wait_for(port, process)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode} before it listened")
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port} after {_START_TIMEOUT_S} s")
