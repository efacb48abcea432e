"""The disk fills, the store goes away: nothing acknowledged is lost, and nobody has to help."""

import contextlib
import resource
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.spool import list_segments
from landing.s3 import S3Store
from landing.store import DirectoryStore
from tests.fixtures.collector import CollectorProcess, Load, event, read_inbox, wait_until
from tidemill.ports import free_port

Make = Callable[..., CollectorProcess]

_DISK_BYTES = 4 * 2**20


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """Make `folder` a file system of four megabytes; False where this process may not mount one."""
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    try:
        yield mount.returncode == 0
    finally:
        if mount.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def _full(disk: Path) -> Iterator[None]:
    """The disk has no room: whatever is freed is taken at once."""
    ballast, is_over = disk / "ballast", threading.Event()

    def fill() -> None:
        with ballast.open("wb", buffering=0) as file:
            while not is_over.is_set():
                try:
                    file.write(bytes(4_096))
                except OSError:
                    is_over.wait(0.001)

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        yield
    finally:
        is_over.set()
        filling.join()
        ballast.unlink()


@contextlib.contextmanager
def _forbidden_to_write(collector: CollectorProcess) -> Iterator[None]:
    """The kernel fails every write to a file, as a quota would."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in collector.workers()}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for pid, limit in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


@pytest.mark.parametrize("is_mounted", [True, False], ids=["small disk", "quota"])
def test_a_disk_without_room_is_answered_503_and_recovers_by_itself(
    collector_process: Make,
    tmp_path: Path,
    is_mounted: bool,  # noqa: FBT001  (a case of the table)
) -> None:
    home, landing = tmp_path / "home", tmp_path / "landing"
    with _small_disk(home) if is_mounted else contextlib.nullcontext(enter_result=False) as has_small_disk:
        collector = collector_process(home, TIDEMILL_LANDING_URL=landing.as_uri()).start()
        with Load(collector.port) as load:
            wait_until(lambda: len(load.acknowledged) > 50)
            with _full(home) if has_small_disk else _forbidden_to_write(collector):
                refused = load.statuses.get(503, 0)
                wait_until(lambda: load.statuses.get(503, 0) > refused + 20)
                assert collector.request("GET", "/readyz")[0] == 503
                status, headers, _ = collector.request("POST", "/e", b'{"site":"shop","events":[{"n":"page"}]}')
                assert status == 503, collector.log()
                assert (headers["retry-after"], headers["tidemill-reason"]) == ("5", "disk_failed")
            acknowledged = len(load.acknowledged)
            wait_until(lambda: len(load.acknowledged) > acknowledged + 50)
            assert collector.request("GET", "/readyz")[0] == 200
        wait_until(lambda: any(landing.rglob("*.parquet")))  # the shipping process is at work
        assert collector.terminate() == 0
        assert collector.spool() == []

    landed = [row["event_id"] for row in read_inbox(DirectoryStore(landing)).events]
    assert load.acknowledged - set(landed) == set()
    assert len(set(landed)) == len(landed)


def test_a_store_that_is_away_at_the_start_fills_the_spool_and_gets_everything_once_it_is_back(
    collector_process: Make, s3_endpoint: str, s3_url: str, s3_store: S3Store
) -> None:
    port = free_port()
    collector = collector_process(
        TIDEMILL_LANDING_URL=s3_url,
        TIDEMILL_S3_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        TIDEMILL_SPOOL_LIMIT_BYTES="1048576",
        TIDEMILL_SEGMENT_MAX_BYTES="262144",
    ).start()
    with Load(collector.port) as load:
        wait_until(lambda: load.statuses.get(503, 0) > 20, timeout_s=60)
        status, _, body = collector.request("GET", "/readyz")
        assert (status, b"spool_full" in body) == (503, True)
        assert load.acknowledged
        assert collector.request("GET", "/healthz")[0] == 200
        kept = len(load.acknowledged)
        with _forward(port, s3_endpoint):
            wait_until(lambda: len(load.acknowledged) > kept + 200, timeout_s=90)
            load.stop()
            wait_until(lambda: not collector.spool(), timeout_s=90)
            assert collector.terminate() == 0

    landed = [row["event_id"] for row in read_inbox(s3_store).events]
    assert load.acknowledged - set(landed) == set()
    assert len(set(landed)) == len(landed)


@contextlib.contextmanager
def _forward(port: int, endpoint: str) -> Iterator[None]:
    """The store comes back: `port` leads to `endpoint`."""
    host, _, target_port = endpoint.removeprefix("http://").partition(":")

    class Forwarder(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(target_port))) as target:
                there = threading.Thread(target=_copy, args=(self.request, target))
                there.start()
                _copy(target, self.request)
                there.join()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", port), Forwarder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_segments_of_an_outage_are_sealed_by_size_not_by_age(collector_process: Make, tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("in the way")
    collector = collector_process(
        TIDEMILL_LANDING_URL=f"file://{tmp_path}/landing", TIDEMILL_SEGMENT_MAX_SECONDS="0.05"
    )
    collector.start()
    for _ in range(60):
        assert collector.send(event()) == 204
    wait_until(lambda: "store unavailable" in collector.log())
    before = len(list_segments(collector.home / "spool"))

    assert before < 30
    (tmp_path / "landing").unlink()
    wait_until(lambda: not collector.spool(), timeout_s=60)
    assert len(read_inbox(DirectoryStore(tmp_path / "landing")).events) == 60
