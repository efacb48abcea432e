"""The disk fills, the store goes away: nothing acknowledged is lost, and nobody has to help."""

import contextlib
import resource
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from collector.spool import list_segments
from landing.s3 import S3Store
from landing.store import DirectoryStore
from tests.fixtures.collector import CollectorProcess, Load, event, free_port, read_inbox, wait_until

Make = Callable[..., CollectorProcess]

_DISK_BYTES = 4 * 2**20


@contextlib.contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A folder on a file system of four megabytes; None where this process may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="tm-disk-", dir="/tmp"))
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    try:
        yield folder if mount.returncode == 0 else None
    finally:
        if mount.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def test_a_full_disk_is_answered_503_and_recovers_by_itself(collector_process: Make, tmp_path: Path) -> None:
    with _small_disk() as disk:
        if disk is None:
            # No right to mount: the kernel's limit on the size of a file fails writes in the same place.
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            disk = tmp_path / "home"
            disk.mkdir()
            resource.setrlimit(resource.RLIMIT_FSIZE, (_DISK_BYTES, hard))
            limits = (soft, hard)
        else:
            limits = None
        try:
            _fill_and_recover(collector_process(disk, TIDEMILL_LANDING_URL=f"file://{tmp_path}/landing"), disk, tmp_path)
        finally:
            if limits is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def _fill_and_recover(collector: CollectorProcess, disk: Path, tmp_path: Path) -> None:
    # A landing zone that is a file cannot be written: what is accepted stays on the small disk.
    (tmp_path / "landing").write_text("in the way")
    collector.environment |= {"TIDEMILL_SPOOL_LIMIT_BYTES": "1000000000", "TIDEMILL_SEGMENT_MAX_BYTES": "67108864"}
    collector.start()
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(_DISK_BYTES - 2**20))
    with Load(collector.port) as load:
        wait_until(lambda: load.statuses.get(503, 0) > 20)
        assert collector.request("GET", "/readyz")[0] == 503
        status, headers, _ = collector.request("POST", "/e", b'{"site":"shop","events":[{"n":"page"}]}' + b" " * 9_000)
        assert (status, headers["retry-after"], headers["tidemill-reason"]) == (503, "5", "disk_failed")
        ballast.unlink()
        acknowledged = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > acknowledged + 50)
        assert collector.request("GET", "/readyz")[0] == 200
    (tmp_path / "landing").unlink()
    wait_until(lambda: not collector.spool(), timeout_s=90)
    assert collector.terminate() == 0

    landed = [row["event_id"] for row in read_inbox(DirectoryStore(tmp_path / "landing")).events]
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
    collector = collector_process(TIDEMILL_LANDING_URL=f"file://{tmp_path}/landing", TIDEMILL_SEGMENT_MAX_SECONDS="0.05")
    collector.start()
    for _ in range(60):
        assert collector.send(event()) == 204
    wait_until(lambda: "store unavailable" in collector.log())
    before = len(list_segments(collector.home / "spool"))

    assert before < 30
    (tmp_path / "landing").unlink()
    wait_until(lambda: not collector.spool(), timeout_s=60)
    assert len(read_inbox(DirectoryStore(tmp_path / "landing")).events) == 60
