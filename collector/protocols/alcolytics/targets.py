"""What an address of Rockstat's says: `/<service>/<name>[/<project>]`, older orders of the same, and a marker."""

from collections.abc import Mapping
from dataclasses import dataclass

from collector.protocols.alcolytics.mapping import PIXEL, PROTOCOL
from collector.request import Request

MARKER = "band"
"""A segment that asks for the whole envelope in the answer."""

_EXTENSIONS = {"json", "gif", "js", "html"}
_SERVICE_OF = {"t4k": "track", "gif": PIXEL, "img": PIXEL, "away": "redir"}
_KNOWN = {"track", "t4k", "gif", "img", "pixel", "wh", "redir", "away"}
_PAGES = {"healthz", "readyz", "metrics", "version", "stat"}
"""The collector's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a message goes.

    Attributes:
        service: What it is for: track, or another one.
        name: Of the event; None where the message says.
        project: Of the site; None where the message says.
        channel: How it arrives: alcojs, http, pixel.
        is_enveloped: The answer is a whole envelope.
        is_early: The address is one of AlcoJS's.
    """

    service: str = "track"
    name: str | None = None
    project: str | None = None
    channel: str = "http"
    is_enveloped: bool = False
    is_early: bool = False


def claims_target(request: Request) -> bool:
    """The address is of ours: a service that is known, the marker, or a virtual host whose every address is."""
    segments = _segments(request.path)
    if not segments or segments[0] in _PAGES:
        return False
    if request.host is not None and request.host.protocol == PROTOCOL:
        return True
    return segments[0].partition(".")[0] in _KNOWN or MARKER in segments


def find_target(path: str, parameters: Mapping[str, str]) -> Target:
    """The target of an address."""
    found = _segments(path)
    segments = [segment for segment in found if segment != MARKER]
    extension = ""
    if segments:
        stem, dot, ending = segments[-1].rpartition(".")
        if dot and ending in _EXTENSIONS:
            segments[-1], extension = stem, ending
    service, name, project = _parts(segments)
    service = service or parameters.get("service", "track")
    service = _SERVICE_OF.get(service, service)
    is_pixel = extension == "gif" or service == PIXEL or parameters.get("channel") == PIXEL
    if segments and _SERVICE_OF.get(segments[0]) == PIXEL:
        is_pixel = True
    if service == PIXEL:
        service = parameters.get("service", "track")
    return Target(
        service=_SERVICE_OF.get(service, service),
        name=name or parameters.get("name") or None,
        project=project or parameters.get("projectId") or None,
        channel=PIXEL if is_pixel else "http",
        is_enveloped=len(segments) < len(found),
    )


def _parts(segments: list[str]) -> tuple[str, str, str]:
    """Service, name and project; empty where the address does not say."""
    first, *rest = segments or [""]
    if first in {"wh", "img", "gif", PIXEL} and len(rest) == 3:  # noqa: PLR2004  (project, service, name)
        return rest[1], rest[2], rest[0]
    if len(rest) == 2 and rest[0].isdecimal():  # noqa: PLR2004  (/track/<project>/<name>)
        return first, rest[1], rest[0]
    name, project, *_ = (*rest, "", "")
    return first, name, project


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]
