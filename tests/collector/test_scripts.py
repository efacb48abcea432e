"""The tracker's scripts: found, fresh or for ever, compressed as the client takes it."""

import gzip
import json
from pathlib import Path

import pytest

from collector.runtime import Collector
from collector.scripts import ScriptsUnusable, read_scripts
from collector.settings import CollectorSettings
from landing.store import MemoryStore
from tests.collector.conftest import NOW
from tests.fixtures.collector import SITES

PLAIN = b"(()=>{/* the tracker */})()"


def build(folder: Path, *names: str) -> None:
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(PLAIN + name.encode())
        (folder / f"{name}.gz").write_bytes(gzip.compress(PLAIN + name.encode()))
        (folder / f"{name}.br").write_bytes(b"brotli of " + name.encode())
    (folder / "manifest.json").write_text(json.dumps({"release": "abc123", "files": {name: {} for name in names}}))


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    build(tmp_path / "dist", "t.js", "more.js", "lib.js", "webalytic.js", "sdk.js")
    (tmp_path / "sites.yml").write_text(SITES)
    settings = CollectorSettings(
        home=tmp_path, sites=tmp_path / "sites.yml", tracker_folder=tmp_path / "dist", tracker_path="/assets/s.js"
    )
    return Collector(settings, clock=lambda: NOW, store=MemoryStore())


@pytest.mark.parametrize(
    ("path", "name", "cache_control"),
    [
        ("/assets/s.js", "t.js", "public, max-age=3600"),
        ("/assets/more.js", "more.js", "public, max-age=3600"),
        ("/assets/abc123/s.js", "t.js", "public, max-age=31536000, immutable"),
        ("/webalytic.js", "webalytic.js", "public, max-age=7200"),
        ("/sdk.js", "sdk.js", "public, max-age=7200"),
    ],
)
def test_a_script_is_served_where_it_belongs(collector: Collector, path: str, name: str, cache_control: str) -> None:
    answer = collector.app().test_client().get(path)

    assert (answer.status_code, answer.data) == (200, PLAIN + name.encode())
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == cache_control
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/assets/other.js", "/assets/zzz/s.js", "/assets/manifest.json", "/p/t.js"])
def test_nothing_else_is(collector: Collector, path: str) -> None:
    assert collector.app().test_client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "coding", "content"),
    [
        ("gzip, deflate, br", "br", b"brotli of t.js"),
        ("gzip", "gzip", PLAIN + b"t.js"),
        ("gzip;q=0, br;q=0", None, PLAIN + b"t.js"),
        ("", None, PLAIN + b"t.js"),
    ],
)
def test_the_smallest_form_that_the_client_takes_is_sent(
    collector: Collector, accepted: str, coding: str | None, content: bytes
) -> None:
    answer = collector.app().test_client().get("/assets/s.js", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == coding
    assert answer.vary.as_set() == {"accept-encoding"}
    assert (gzip.decompress(answer.data) if coding == "gzip" else answer.data) == content


def test_who_has_the_script_is_told_so(collector: Collector) -> None:
    client = collector.app().test_client()
    etag = client.get("/assets/s.js").headers["ETag"]

    assert client.get("/assets/s.js", headers={"If-None-Match": etag}).status_code == 304
    assert client.get("/assets/s.js", headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.get("/assets/s.js", headers={"Accept-Encoding": "br"}).headers["ETag"] != etag


def test_the_library_of_old_pages_follows_the_statement_that_configures_them(collector: Collector) -> None:
    answer = collector.app().test_client().get("/lib.js")

    assert answer.status_code == 200
    assert answer.data.endswith(PLAIN + b"lib.js")


def test_a_build_that_lacks_a_file_is_told_by_name(tmp_path: Path) -> None:
    build(tmp_path / "dist", "t.js")
    (tmp_path / "dist" / "t.js.br").unlink()
    with pytest.raises(ScriptsUnusable, match=r"t\.js\.br cannot be read: build the tracker again"):
        read_scripts(tmp_path / "dist")
    (tmp_path / "dist" / "manifest.json").write_text("{")
    with pytest.raises(ScriptsUnusable, match=r"manifest\.json: .*: build the tracker again"):
        read_scripts(tmp_path / "dist")


def test_without_a_build_the_collector_serves_events_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "sites.yml").write_text(SITES)
    settings = CollectorSettings(home=tmp_path, sites=tmp_path / "sites.yml", tracker_folder=tmp_path / "none")
    client = Collector(settings, clock=lambda: NOW, store=MemoryStore()).app().test_client()

    assert client.get("/p/t.js").status_code == 404
    assert client.post("/e", json={"v": 1, "site": "shop", "events": [{"n": "page"}]}).status_code == 204
