"""The tracker's scripts as its build left them, kept in memory with their compressed forms."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

TRACKER = "t.js"
"""The script that a page loads; the others stand beside it."""

TRACKER_AND_MORE = "t-more.js"
"""The same with what identity, consent and other settings need, in one file."""

_SUFFIX_OF = {"br": ".br", "gzip": ".gz"}
"""Compressed forms by content coding, the smaller first."""


@dataclass(frozen=True, slots=True)
class Script:
    """One script.

    Attributes:
        content: Its bytes by content coding; `identity` is always there.
        integrity: Subresource Integrity of the uncompressed bytes.
        etag: Changes with the content.
    """

    content: Mapping[str, bytes]
    integrity: str
    etag: str


@dataclass(frozen=True, slots=True)
class Scripts:
    """All scripts of one build; empty where the tracker was not built.

    Attributes:
        release: Names the build in paths whose content never changes; empty without one.
        files: By file name.
    """

    release: str = ""
    files: Mapping[str, Script] = field(default_factory=dict)

    def source(self, name: str) -> bytes:
        """The uncompressed script; nothing where it was not built."""
        script = self.files.get(name)
        return b"" if script is None else script.content["identity"]


class ScriptsUnusable(Exception):
    """The folder holds a build that does not fit its manifest; the message names the file and the remedy."""


class _Manifest(msgspec.Struct):
    release: str
    files: dict[str, object]


def read_scripts(folder: Path) -> Scripts:
    """The build in `folder`, whose `manifest.json` lists {"release", "files": {name: …}}; none is no error.

    Raises:
        ScriptsUnusable: it is incomplete.
    """
    try:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=_Manifest)
    except FileNotFoundError:
        return Scripts()
    except msgspec.MsgspecError as error:
        raise ScriptsUnusable(f"{folder / 'manifest.json'}: {error}: build the tracker again") from error
    try:
        return Scripts(manifest.release, {name: _read(folder, name) for name in manifest.files})
    except OSError as error:
        raise ScriptsUnusable(f"{error.filename} cannot be read: build the tracker again") from error


def _read(folder: Path, name: str) -> Script:
    plain = (folder / name).read_bytes()
    content = {coding: (folder / f"{name}{suffix}").read_bytes() for coding, suffix in _SUFFIX_OF.items()}
    digest = hashlib.sha384(plain).digest()
    integrity = f"sha384-{base64.b64encode(digest).decode()}"
    return Script({**content, "identity": plain}, integrity, hashlib.sha256(plain).hexdigest()[:20])
