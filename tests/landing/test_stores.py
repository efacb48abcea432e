"""Every store keeps the same promises: one suite over memory, a folder and a real S3 server."""

import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from landing.errors import ObjectExists, ObjectMissing
from landing.store import DirectoryStore, MemoryStore, Store


@pytest.fixture(params=["memory", "directory", "s3"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "directory":
        return DirectoryStore(request.getfixturevalue("tmp_path") / "landing")
    return request.getfixturevalue("s3_store")


def keys(store: Store, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


def test_what_was_put_is_got_back(store: Store) -> None:
    store.put("inbox/a", bytes(range(256)))

    assert store.get("inbox/a") == bytes(range(256))


def test_an_empty_object_is_an_object(store: Store) -> None:
    store.put("inbox/empty", b"")

    assert store.get("inbox/empty") == b""
    assert [(info.key, info.size_bytes) for info in store.list("")] == [("inbox/empty", 0)]


def test_put_replaces(store: Store) -> None:
    store.put("a", b"old and longer")
    store.put("a", b"new")

    assert store.get("a") == b"new"
    assert [info.size_bytes for info in store.list("a")] == [3]


def test_put_new_refuses_a_taken_key_and_leaves_its_object(store: Store) -> None:
    store.put_new("salts/2026-01-01", b"first")

    with pytest.raises(ObjectExists, match="salts/2026-01-01"):
        store.put_new("salts/2026-01-01", b"second")
    assert store.get("salts/2026-01-01") == b"first"


def test_put_new_takes_a_key_that_was_deleted(store: Store) -> None:
    store.put_new("a", b"first")
    store.delete("a")
    store.put_new("a", b"second")

    assert store.get("a") == b"second"


def test_of_racing_put_new_exactly_one_wins(store: Store) -> None:
    racers = 8
    start = threading.Barrier(racers)
    outcomes: list[bytes | None] = [None] * racers

    def race(number: int) -> None:
        data = str(number).encode() * 1000
        start.wait()
        try:
            store.put_new("salts/race", data)
        except ObjectExists:
            return
        outcomes[number] = data

    threads = [threading.Thread(target=race, args=(number,)) for number in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    winners = [data for data in outcomes if data is not None]
    assert winners == [store.get("salts/race")]


def test_a_missing_key_is_missing(store: Store) -> None:
    store.put("inbox/a", b"")

    for key in ("inbox", "inbox/b", "inbox/a/b", "other/a"):
        with pytest.raises(ObjectMissing, match=key):
            store.get(key)


def test_deleting_removes_and_deleting_again_is_no_error(store: Store) -> None:
    store.put("inbox/a", b"1")
    store.put("inbox/b", b"2")

    for _ in range(2):
        store.delete("inbox/a")
    store.delete("never/there")
    store.delete("inbox/b/below-a-file")

    assert keys(store) == ["inbox/b"]


# The set holds each pair in which the order of folders and the order of keys differ: `-` and `.` sort before `/`.
TRICKY = ["a-b/x", "a.b/x", "a/x", "a/x-y", "a/x.y", "a/x/y", "a0/x", "a=b/x", "A/x", "a/X", "a_/x", "ab/x", "a-b.c"]


def test_a_listing_is_in_key_order(store: Store) -> None:
    names = [key for key in TRICKY if key != "a/x" or isinstance(store, MemoryStore)]
    for key in reversed(names):
        store.put(key, key.encode())

    assert keys(store) == sorted(names)
    assert keys(store, "a/") == sorted(name for name in names if name.startswith("a/"))


@pytest.mark.parametrize("prefix", ["a", "a/", "a/b", "a/b/", "a/b/c", "b", "a/bb", "z/", "a/b/c/d"])
def test_a_listing_holds_exactly_the_keys_with_the_prefix(store: Store, prefix: str) -> None:
    names = ["a/b/c", "a/b/cc", "a/bb/c", "aa/b", "b"]
    for key in names:
        store.put(key, b"x")

    assert keys(store, prefix) == [name for name in names if name.startswith(prefix)]


def test_a_listing_spans_more_than_one_page(store: Store) -> None:
    names = [f"inbox/{number:05d}" for number in range(1_050)]  # S3 answers with 1,000 at most
    for key in names:
        store.put(key, b"")

    assert keys(store, "inbox/") == names


def test_a_folder_reads_only_what_the_prefix_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DirectoryStore(tmp_path)
    for key in ("inbox/events/2026-03-10/12/a", "inbox/rejects/2026-03-10/12/a", "archive/events/2026-03-10/b"):
        store.put(key, b"")
    scanned, scandir = [], os.scandir

    def recorded(folder: str) -> object:
        scanned.append(Path(folder).relative_to(tmp_path).as_posix())
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", recorded)

    assert keys(store, "inbox/events/") == ["inbox/events/2026-03-10/12/a"]
    assert scanned == ["inbox/events", "inbox/events/2026-03-10", "inbox/events/2026-03-10/12"]


def test_listing_a_folder_takes_few_calls_an_object(tmp_path: Path) -> None:
    """An inbox holds a day of objects and is listed each minute; a `Path` for each would double the time."""
    hour = tmp_path / "inbox" / "events" / "2026-03-10" / "12"
    hour.mkdir(parents=True)
    for number in range(100):
        (hour / f"{number:03d}").touch()
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        found = list(DirectoryStore(tmp_path).list("inbox/"))
    finally:
        sys.setprofile(before)

    assert len(found) == 100
    assert calls / len(found) < 15, calls


def test_an_empty_store_lists_nothing(store: Store) -> None:
    assert keys(store) == []
    assert keys(store, "inbox/events/") == []


def test_objects_may_be_deleted_while_they_are_listed(store: Store) -> None:
    for number in range(5):
        store.put(f"inbox/{number}", b"")

    for info in store.list("inbox/"):
        store.delete(info.key)

    assert keys(store) == []


def test_a_listing_tells_size_and_time_of_storing(store: Store) -> None:
    store.put("a", b"12345")

    (info,) = store.list("")

    assert info.size_bytes == 5
    assert info.stored_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - info.stored_at) < timedelta(minutes=1)


def test_readers_see_an_object_whole_or_not_at_all(store: Store) -> None:
    versions = {bytes([number]) * 200_000 for number in range(2)}
    seen: list[bytes] = []
    sizes: set[int] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                seen.append(store.get("inbox/a"))
            except ObjectMissing:
                continue
            sizes.update(info.size_bytes for info in store.list("inbox/"))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        for data in versions:
            store.put("inbox/a", data)
    done.set()
    reader.join()

    assert set(seen) <= versions
    assert sizes <= {200_000}


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\0b", "a b", "ä", ".tmp-a", "a/.tmp-b", "a\n", "a\\b"],
)
def test_what_is_no_key_is_refused_by_every_verb(store: Store, key: str) -> None:
    for verb in (lambda: store.put(key, b""), lambda: store.put_new(key, b""), lambda: store.get(key)):
        with pytest.raises(ValueError, match="not an object key"):
            verb()
    with pytest.raises(ValueError, match="not an object key"):
        store.delete(key)


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//", "*"])
def test_what_no_key_begins_with_is_no_prefix(store: Store, prefix: str) -> None:
    with pytest.raises(ValueError, match="not the beginning"):
        list(store.list(prefix))
