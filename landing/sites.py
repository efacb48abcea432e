"""The sites file: who may send, and what is made of it. Read as a whole, each problem told with its place."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, IPvAnyNetwork, ValidationError, model_validator
from pydantic_core import ErrorDetails

from landing import positions
from landing.declared import App, DeclaredTable, TableName
from landing.errors import Problem, SitesFileInvalid
from landing.fleets import Fleet
from landing.names import Host, Key, Section, Slug
from landing.references import broken_references, doubts
from landing.site import Site
from landing.taxonomy import Objectiv

Protocol = Literal[
    "tracker",
    "api",
    "measurement_protocol",
    "ga4",
    "objectiv",
    "alcolytics",
    "segment",
    "snowplow",
    "plausible",
    "umami",
    "matomo",
    "posthog",
    "webalytic",
    "attolytics",
    "pulp",
]
"""Families of clients that a virtual host can be given to."""

_SIZE_MAX_BYTES = 4 * 2**20
_SECRET_KEYS = {"secrets", "ga4", "secret_key", "secret_key_sha256"}
"""Keys below which no message repeats a value."""


class VirtualHost(Section):
    """Who owns `/` on a host: a family of clients, and the site or the fleet that it sends to."""

    protocol: Protocol
    site: Slug | None = None
    fleet: Slug | None = None


class Sites(Section):
    """The whole file.

    Attributes:
        version: Of the file's format.
        sites: By site id.
        default_site: Takes what names no site; None refuses it.
        hosts: Virtual hosts.
        fleets: Fleets of installed programs, by fleet id.
        tables: Declared tables, by name.
        apps: Who may post into them, by app id.
        redirects: Hosts that a redirect may lead to.
        objectiv: How Objectiv's events are checked.
        trusted_proxies: Networks whose X-Forwarded-For counts.
    """

    version: Literal[1]
    sites: dict[Slug, Site] = Field(default_factory=dict)
    default_site: Slug | None = None
    hosts: dict[Host, VirtualHost] = Field(default_factory=dict)
    fleets: dict[Slug, Fleet] = Field(default_factory=dict)
    tables: dict[TableName, DeclaredTable] = Field(default_factory=dict)
    apps: dict[Key, App] = Field(default_factory=dict)
    redirects: tuple[Host, ...] = ()
    objectiv: Objectiv = Objectiv()
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(default=("127.0.0.1/32",), validate_default=True)

    @model_validator(mode="after")
    def _name_sites(self) -> Self:
        for site_id, site in self.sites.items():
            site._site_id = site_id  # noqa: SLF001  (the key of a site stands outside of it in the file)
        return self


@dataclass(frozen=True, slots=True)
class Check:
    """What was found in a sites file.

    Attributes:
        sites: The content; None when anything is wrong.
        problems: What is wrong, in the order of the file.
        warnings: What is allowed but should not stay.
    """

    sites: Sites | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check_sites(source: Path | str) -> Check:
    """What was found in a sites file (a Path) or in its text; never raises."""
    try:
        document, lines = positions.read_yaml(_text(source))
    except SitesFileInvalid as error:
        return Check(None, error.problems, ())
    if not isinstance(document, dict):
        return Check(None, (Problem(1, "", "the file holds no keys: it begins with `version: 1`"),), ())
    try:
        folder = source.parent if isinstance(source, Path) else None
        sites = Sites.model_validate(document, context={"folder": folder})
    except ValidationError as error:
        return Check(None, tuple(sorted(_problem(each, document, lines) for each in _causes(error))), ())
    problems = _located(broken_references(sites), lines)
    return Check(None if problems else sites, problems, _located(doubts(sites), lines))


def load_sites(source: Path | str) -> Sites:
    """The content of a sites file (a Path) or of its text.

    Raises:
        SitesFileInvalid: with every problem, its line and its path.
    """
    check = check_sites(source)
    if check.sites is None:
        raise SitesFileInvalid(check.problems)
    return check.sites


class SitesFile:
    """The sites file of a running process: read again when it changes, the last valid content kept.

    Thread-safe. The file is looked at when somebody asks, at most once in `poll_s`; new content is taken when
    two looks in a row found the same file, since an editor that writes in place may be half done.
    """

    def __init__(self, path: Path, *, poll_s: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Reads the file.

        Args:
            path: The sites file.
            poll_s: Shortest time between two looks.
            clock: Seconds that never go back.

        Raises:
            SitesFileInvalid: there is no valid content to begin with.
        """
        self.path = path
        self.error: SitesFileInvalid | None = None
        """Why the newest content is not used; None while it is."""
        self._poll_s = poll_s
        self._clock = clock
        self._looked_at_s = clock()
        self._seen = self._read = _signature(path)
        self._sites = load_sites(path)
        self._lock = threading.Lock()

    def current(self) -> Sites:
        """The last valid content. The same object as long as nothing changed."""
        if self._clock() - self._looked_at_s >= self._poll_s and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._sites

    def _look(self) -> None:
        self._looked_at_s = self._clock()
        signature = _signature(self.path)
        is_settled, self._seen = signature == self._seen, signature
        if signature == self._read or not is_settled:
            return
        self._read = signature
        try:
            self._sites = load_sites(self.path)
        except SitesFileInvalid as error:
            self.error = error
        else:
            self.error = None


def _signature(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file does: modification time in ns, size, inode. None when there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _text(source: Path | str) -> str:
    if isinstance(source, str):
        return source
    try:
        with source.open(encoding="utf-8") as file:
            text = file.read(_SIZE_MAX_BYTES + 1)
    except OSError as error:
        raise SitesFileInvalid([Problem(1, "", f"{source} cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise SitesFileInvalid([Problem(1, "", f"{source} is not UTF-8: {error.reason}")]) from error
    if len(text) > _SIZE_MAX_BYTES:
        raise SitesFileInvalid([Problem(1, "", f"{source} is larger than {_SIZE_MAX_BYTES} bytes")])
    return text


def _causes(error: ValidationError) -> Iterator[ErrorDetails]:
    """The errors but those that follow from others: a list is not too short because its items are wrong."""
    details = error.errors(include_url=False)
    above = {each["loc"][:depth] for each in details for depth in range(len(each["loc"]))}
    yield from (each for each in details if each["type"] != "too_short" or each["loc"] not in above)


def _problem(details: ErrorDetails, document: object, lines: dict[positions.Path, int]) -> Problem:
    """An error of pydantic as a message about the file: its location, its words and its value made plain."""
    path, ends_in_file = _path_in(document, details["loc"])
    message = _WORDS.get(details["type"], details["msg"].removeprefix("Value error, "))
    value = details["input"]
    is_secret = bool(_SECRET_KEYS.intersection(path))
    if ends_in_file and details["type"] != "extra_forbidden" and not is_secret and isinstance(value, str | int | float):
        message += f" (is {value!r})"
    return Problem(_line(path, lines), positions.spell(path), message)


_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "required key is missing",
    "model_type": "keys and values belong here",
    "union_tag_not_found": "required key is missing: type",
}
"""Our words for errors whose own speak of Python."""


def _path_in(document: object, location: tuple[int | str, ...]) -> tuple[positions.Path, bool]:
    """The path in the file for a location of pydantic, and whether the file holds its end.

    A location also names the type of a goal behind its index, and marks a mapping's key; the file has neither.
    """
    path: list[str | int] = []
    node: object = document
    for depth, part in enumerate(location):
        is_last = depth == len(location) - 1
        if depth > 1 and location[depth - 2] == "goals":
            continue
        if (isinstance(node, dict) and part in node) or (isinstance(node, list) and isinstance(part, int)):
            node = node[part]  # type: ignore[index]
            path.append(part)
        elif is_last and part != "[key]":
            return (*path, part), False
    return tuple(path), True


def _line(path: positions.Path, lines: dict[positions.Path, int]) -> int:
    """The line of the path, or of the nearest thing above it that the file holds."""
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path, 1)


def _located(findings: Iterable[tuple[positions.Path, str]], lines: dict[positions.Path, int]) -> tuple[Problem, ...]:
    return tuple(sorted(Problem(_line(path, lines), positions.spell(path), message) for path, message in findings))
