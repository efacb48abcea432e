"""Object stores: five verbs over immutable objects, in memory, in a folder, or in S3 (`landing.s3`)."""

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from landing.errors import ObjectExists, ObjectMissing, StoreUnavailable


@dataclass(frozen=True, slots=True, order=True)
class ObjectInfo:
    """An entry of a listing.

    Attributes:
        key: The object's key.
        size_bytes: Its length.
        stored_at: When it was last put, by the store's clock, UTC.
    """

    key: str
    size_bytes: int
    stored_at: datetime


class Store(Protocol):
    """A flat namespace of immutable objects.

    Every verb is atomic (a reader sees an object whole or not at all), durable once it returns, safe to
    repeat, and raises StoreUnavailable when it may or may not have taken effect. Keys are relative paths of
    letters, digits, `.`, `_`, `-`, `=` and `/`.
    """

    def put(self, key: str, data: bytes) -> None:
        """Store `data` under `key`, replacing what was there. Callers only ever replace equal content."""

    def put_new(self, key: str, data: bytes) -> None:
        """Store `data` under `key` if the key is free; of several racing callers exactly one succeeds.

        Raises:
            ObjectExists: the key is taken; its object is untouched.
        """

    def get(self, key: str) -> bytes:
        """The object's bytes.

        Raises:
            ObjectMissing: nothing has this key.
        """

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, in key order. Objects put meanwhile may be missing."""

    def delete(self, key: str) -> None:
        """Remove the object; no error when there is none."""


_TEMPORARY = ".tmp-"
"""Prefix of files being written; they are never listed, and a crash may leave one behind."""

_KEY = re.compile(r"[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)*")
_PREFIX = re.compile(r"([A-Za-z0-9._=-]+/)*[A-Za-z0-9._=-]*")


def checked_key(key: str) -> str:
    """`key` itself. Raises ValueError unless it is a relative path that every store can hold."""
    if not _KEY.fullmatch(key) or any(part in {".", ".."} or part.startswith(_TEMPORARY) for part in key.split("/")):
        raise ValueError(f"not an object key: {key!r}")
    return key


def checked_prefix(prefix: str) -> str:
    """`prefix` itself. Raises ValueError unless a key could begin with it."""
    if not _PREFIX.fullmatch(prefix) or any(part in {".", ".."} for part in prefix.split("/")[:-1]):
        raise ValueError(f"not the beginning of an object key: {prefix!r}")
    return prefix


class MemoryStore:
    """A store for tests that need no disk; gone with the process."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, datetime]] = {}
        self._lock = threading.Lock()

    def put(self, key: str, data: bytes) -> None:
        with self._lock:
            self._objects[checked_key(key)] = (data, datetime.now(UTC))

    def put_new(self, key: str, data: bytes) -> None:
        with self._lock:
            if checked_key(key) in self._objects:
                raise ObjectExists(key)
            self._objects[key] = (data, datetime.now(UTC))

    def get(self, key: str) -> bytes:
        with self._lock:
            if checked_key(key) not in self._objects:
                raise ObjectMissing(key)
            return self._objects[key][0]

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        checked_prefix(prefix)
        with self._lock:
            found = [ObjectInfo(key, len(data), at) for key, (data, at) in self._objects.items()]
        yield from sorted(info for info in found if info.key.startswith(prefix))

    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(checked_key(key), None)


class DirectoryStore:
    """A store in a local folder: an object is a file, written beside its place, synced, then renamed or linked."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, data: bytes) -> None:
        self._write(key, data, os.replace)

    def put_new(self, key: str, data: bytes) -> None:
        self._write(key, data, os.link)

    def get(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise ObjectMissing(key) from None
        except OSError as error:
            raise StoreUnavailable(f"reading {key} in {self.root}: {error.strerror}") from error

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        above, slash, _ = checked_prefix(prefix).rpartition("/")
        try:
            yield from self._walk(above + slash, prefix)
        except OSError as error:
            raise StoreUnavailable(f"listing {prefix} in {self.root}: {error.strerror}") from error

    def delete(self, key: str) -> None:
        try:
            self._path(key).unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise StoreUnavailable(f"deleting {key} in {self.root}: {error.strerror}") from error

    def _path(self, key: str) -> Path:
        return self.root.joinpath(*checked_key(key).split("/"))

    def _write(self, key: str, data: bytes, publish: "_Publish") -> None:
        path = self._path(key)
        temporary: str | None = None
        try:
            self._make_folder(path.parent)
            descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            try:
                publish(temporary, path)
            except FileExistsError:
                raise ObjectExists(key) from None
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreUnavailable(f"writing {key} in {self.root}: {error.strerror}") from error
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()

    def _make_folder(self, folder: Path) -> None:
        """Create `folder` so that a crash cannot lose the entry of any folder above a stored object."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            _sync_folder(each.parent)

    def _walk(self, folder: str, prefix: str) -> Iterator[ObjectInfo]:
        """Objects whose key starts with `prefix` below `folder`, the beginning of a key up to a slash or empty.

        They come sorted as whole keys are: a folder sorts by its name and a slash. Keys are joined as text, because
        an inbox holds a day of objects, is listed each minute, and a `Path` for each would take most of the time.
        """
        try:
            with os.scandir(f"{self.root}/{folder}") as entries:
                found = sorted(
                    (folder + entry.name + ("/" if entry.is_dir() else ""), entry)
                    for entry in entries
                    if not entry.name.startswith(_TEMPORARY)
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        for key, entry in found:
            if key.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix):
                with contextlib.suppress(FileNotFoundError):  # deleted since the folder was read
                    status = entry.stat()
                    yield ObjectInfo(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


class _Publish(Protocol):
    """Gives a finished temporary file its final name: `os.replace` or, failing if taken, `os.link`."""

    def __call__(self, source: str, target: Path, /) -> None: ...


def _sync_folder(folder: Path) -> None:
    """Make the entries of `folder` durable: a synced file can still lose its name in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_store(url: str, *, endpoint_url: str | None = None) -> Store:
    """The store at `url`: `file:///folder` or `s3://bucket/prefix`.

    Args:
        url: Where the landing zone is.
        endpoint_url: Address of an S3-like server; None for Amazon's own.

    Raises:
        ValueError: another scheme, or a part is missing.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path.startswith("/"):
        return DirectoryStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        from landing.s3 import S3Store  # noqa: PLC0415  (boto3 takes 200 ms to import; folders need none)

        return S3Store(parts.netloc, parts.path.strip("/"), endpoint_url=endpoint_url)
    raise ValueError(f"{url!r} is neither file:///folder nor s3://bucket/prefix")
