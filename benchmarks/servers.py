"""Servers under measurement, as processes of their own."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tidemill.ports import free_port

ROOT = Path(__file__).parent.parent
WORKERS = 2
_START_TIMEOUT_S = 60.0
_SHIPPING = b"collector.shipping"


@contextlib.contextmanager
def collector(home: Path, *, sites: Path = ROOT / "sites.example.yml") -> Iterator[tuple[int, int]]:
    """A collector with its state in `home`; yields its port and the id of its parent process."""
    environment = {
        "TIDEMILL_HOME": str(home),
        "TIDEMILL_SITES": str(sites),
        "TIDEMILL_COLLECTOR_WORKERS": str(WORKERS),
        "TIDEMILL_SPOOL_LIMIT_BYTES": str(16 * 2**30),
    }
    with _server([sys.executable, "-m", "collector"], "TIDEMILL_COLLECTOR_PORT", environment, b"collector ready") as at:
        yield at


@contextlib.contextmanager
def bare_flask(threads: int) -> Iterator[tuple[int, int]]:
    """Flask answering 204 on the same server with the same number of workers and threads."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", str(WORKERS)]
    command += ["--blocking-threads", str(threads), "--log-level", "info", "benchmarks.bare:app"]
    with _server(command, "GRANIAN_PORT", {}, b"Started worker") as at:
        yield at


def worker_rss_bytes(parent: int) -> list[int]:
    """Resident memory of each child of `parent` that serves requests."""
    return [size_bytes for command, size_bytes in _children(parent) if _SHIPPING not in command]


def shipping_rss_bytes(parent: int) -> int:
    """Resident memory of the child of `parent` that ships; 0 without one."""
    return sum(size_bytes for command, size_bytes in _children(parent) if _SHIPPING in command)


def _children(parent: int) -> Iterator[tuple[bytes, int]]:
    """Command line and resident bytes of each child process."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # a process may end while it is read
            status = (process / "status").read_text()
            fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            if int(fields["PPid"]) == parent and "VmRSS" in fields:
                yield (process / "cmdline").read_bytes(), int(fields["VmRSS"].split()[0]) * 1024


@contextlib.contextmanager
def _server(
    command: list[str], port_variable: str, environment: dict[str, str], ready: bytes
) -> Iterator[tuple[int, int]]:
    """A server that writes a line with `ready` for each worker that serves."""
    port, is_decided = free_port(), threading.Event()
    lines: list[bytes] = []
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment, port_variable: str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )

    def is_ready() -> bool:
        return sum(ready in line for line in lines) >= WORKERS

    def read() -> None:
        for line in process.stdout or ():
            lines.append(line)
            if is_ready():
                is_decided.set()
        is_decided.set()  # it ended

    reader = threading.Thread(target=read)
    reader.start()
    try:
        if not is_decided.wait(_START_TIMEOUT_S) or not is_ready():
            raise RuntimeError(f"{command[1:3]} does not serve: {b''.join(lines).decode(errors='replace')}")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)
        reader.join()
        if process.stdout is not None:
            process.stdout.close()
