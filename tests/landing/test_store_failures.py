"""What a store does when the disk or the server fails: StoreUnavailable, naming operation, key and cause."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from landing import s3
from landing.errors import ObjectMissing, StoreUnavailable
from landing.s3 import S3Store
from landing.store import DirectoryStore, Store, open_store

VERBS: dict[str, Callable[[Store], object]] = {
    "putting": lambda store: store.put("inbox/a", b"data"),
    "putting new": lambda store: store.put_new("inbox/a", b"data"),
    "getting": lambda store: store.get("inbox/a"),
    "listing": lambda store: list(store.list("inbox/a")),
    "deleting": lambda store: store.delete("inbox/a"),
}


class Faulty(BaseHTTPRequestHandler):
    """Answers every request with the status, headers and body of its server."""

    status = 500
    headers_sent: dict[str, str] = {}  # noqa: RUF012  (replaced as a whole by each test)
    body = b""
    protocol_version = "HTTP/1.1"
    requests: list[str] = []  # noqa: RUF012  (replaced as a whole by each test)

    def answer(self) -> None:
        self.requests.append(self.command)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.status)
        # Told to close, a client does not send its next attempt on a connection that is about to be closed.
        for name, value in {"connection": "close", "content-length": str(len(self.body)), **self.headers_sent}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815  (the names that http.server looks for)

    def log_message(self, *_: object) -> None:
        """Tests need no log."""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[S3Store, list[str]]]]:
    """Starts a server of canned answers; returns a store on it and the list of requests that arrive."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    # boto3 pauses up to a second before its second try; the tries are counted, the pauses are its own matter.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    servers = []

    def start(**answer: object) -> tuple[S3Store, list[str]]:
        requests: list[str] = []
        handler = type("Handler", (Faulty,), {**answer, "requests": requests})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        servers.append(server)
        return S3Store("bucket", "prefix", endpoint_url=f"http://127.0.0.1:{server.server_port}"), requests

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("verb", VERBS)
def test_a_server_that_is_not_there_is_unavailable(
    verb: str, serve: Callable[..., tuple[S3Store, list[str]]], unused_port: int
) -> None:
    del serve  # for its credentials and its patience
    store = S3Store("bucket", "prefix", endpoint_url=f"http://127.0.0.1:{unused_port}")

    with pytest.raises(
        StoreUnavailable, match=f"{verb} inbox/a in s3://bucket/prefix/ at http://127.0.0.1:.*Could not"
    ):
        VERBS[verb](store)


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that refuses: bound, but nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", [500, 503, 403, 404])
def test_an_answer_that_is_no_success_is_unavailable_and_names_the_cause(
    verb: str, status: int, serve: Callable[..., tuple[S3Store, list[str]]]
) -> None:
    store, requests = serve(status=status, body=b"<Error><Code>Strange</Code><Message>odd</Message></Error>")

    with pytest.raises(StoreUnavailable, match=f"{verb} inbox/a in s3://bucket/prefix/ at http.*Strange"):
        VERBS[verb](store)
    assert len(requests) == (3 if status >= 500 else 1)


def test_a_server_that_hangs_is_given_up(
    serve: Callable[..., tuple[S3Store, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_READ_TIMEOUT_S", 0.05)
    hang = threading.Event()
    store, requests = serve(answer=None, do_GET=lambda handler: (handler.requests.append("GET"), hang.wait(10)))

    with pytest.raises(StoreUnavailable, match=r"getting inbox/a.*Read timeout"):
        store.get("inbox/a")
    hang.set()
    assert len(requests) == 3


def test_a_body_that_ends_early_is_unavailable(serve: Callable[..., tuple[S3Store, list[str]]]) -> None:
    store, _ = serve(status=200, headers_sent={"content-length": "100"}, body=b"only this")

    with pytest.raises(StoreUnavailable, match="getting inbox/a"):
        store.get("inbox/a")


def test_put_new_does_not_claim_that_another_took_the_key_when_an_answer_was_lost(
    serve: Callable[..., tuple[S3Store, list[str]]],
) -> None:
    answers = iter([500, 412])
    store, requests = serve(do_PUT=lambda handler: (setattr(handler, "status", next(answers)), Faulty.answer(handler)))

    with pytest.raises(StoreUnavailable, match="an answer was lost"):
        store.put_new("salts/2026-01-01", b"salt")
    assert requests == ["PUT", "PUT"]


def test_an_upload_damaged_on_the_way_is_refused_by_the_server(
    s3_store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OtherDigest:
        def __init__(self, *_: object, **__: object) -> None:
            """Of other data."""

        def digest(self) -> bytes:
            return bytes(16)

    monkeypatch.setattr(s3.hashlib, "md5", OtherDigest)
    with pytest.raises(StoreUnavailable, match="putting inbox/a"):
        s3_store.put("inbox/a", b"data")
    with pytest.raises(ObjectMissing):
        s3_store.get("inbox/a")


def test_files_of_a_writer_that_died_are_never_listed(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    store.put("inbox/a", b"whole")
    (tmp_path / "inbox" / ".tmp-half").write_bytes(b"ha")

    assert [info.key for info in store.list("")] == ["inbox/a"]
    assert [info.key for info in store.list("inbox/.tmp")] == []


def test_a_failed_write_leaves_neither_object_nor_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryStore(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("landing.store.os.fsync", full)
    with pytest.raises(StoreUnavailable, match=f"writing inbox/a in {tmp_path}: No space left on device"):
        store.put("inbox/a", b"data")

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("a file where the folder should be")
    store = DirectoryStore(tmp_path / "landing")

    with pytest.raises(StoreUnavailable, match="writing inbox/a"):
        store.put("inbox/a", b"")
    with pytest.raises(StoreUnavailable, match="writing inbox/a"):
        store.put_new("inbox/a", b"")


def test_an_object_is_synced_before_it_gets_its_name_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        "landing.store.os.fsync", lambda fd: (acts.append(Path(f"/proc/self/fd/{fd}").resolve()), fsync(fd))
    )
    monkeypatch.setattr("landing.store.os.replace", lambda a, b: (acts.append("named"), replace(a, b)))
    store = DirectoryStore(tmp_path)

    store.put("inbox/events/a", b"data")

    named = acts.index("named")
    assert ".tmp-" in acts[named - 1].name
    assert acts[named + 1] == tmp_path / "inbox" / "events"
    assert {tmp_path, tmp_path / "inbox"} <= set(acts[: named - 1])


def test_times_of_a_folder_are_utc(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    store.put("a", b"")

    (info,) = store.list("")

    assert info.stored_at == datetime.fromtimestamp((tmp_path / "a").stat().st_mtime, UTC)


@pytest.mark.parametrize("url", ["", "s3://", "file://host/folder", "file:relative", "http://x/y", "/folder"])
def test_what_is_no_url_of_a_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="neither file:///folder nor s3://bucket/prefix"):
        open_store(url)
