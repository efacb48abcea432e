"""Paths of Google Analytics and of Webalytic, each also below `/lc`, where Webalytic's proxy has them."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from collector.endpoint import Family, Page, Route
from collector.plans import SiteDirectory
from collector.protocols.measurement_protocol.answers import CORS, ENOUGH, NOTHING, PIXEL, Same
from collector.protocols.measurement_protocol.collect import read_batch, read_one
from collector.protocols.measurement_protocol.debug import show_faults
from collector.protocols.measurement_protocol.ga4_body import read_events, remap_event
from collector.protocols.measurement_protocol.ga4_debug import show_problems
from collector.protocols.measurement_protocol.ga4_web import claims_web, read_web, remap_web
from collector.protocols.measurement_protocol.remapping import remap_hit
from collector.reading import Candidate, Reading
from collector.request import Answer, Request

MEASUREMENT_PROTOCOL = "measurement_protocol"
GA4 = "ga4"
WEBALYTIC = "webalytic"

_PREFIXES = ("", "/lc")
_PIXEL, _ENOUGH, _NOTHING = Same(PIXEL), Same(ENOUGH), Same(NOTHING)
_UUID_TID = re.compile(r"(?:^|&)tid=[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?:&|$)")
_ALIVE = Answer(200, b"OK", (("Content-Type", "text/plain"),))

_Read = Callable[[Request, SiteDirectory], Reading]
_Show = Callable[[Request, SiteDirectory], Answer]
_Claims = Callable[[Request], bool]


def _routes(  # noqa: PLR0913  (what an endpoint is)
    protocol: str,
    path: str,
    read: _Read,
    same: Same,
    *,
    methods: tuple[str, ...] = ("GET", "POST"),
    claims: _Claims | None = None,
) -> Iterator[Route | Page]:
    """The path with and without prefix; HEAD is answered like GET and keeps nothing."""
    for prefix in _PREFIXES:
        for method in methods:
            yield Route(
                protocol=protocol,
                method=method,
                path=prefix + path,
                cors=CORS,
                claims=claims,
                read=read,
                accept=same.accept,
                refuse=same.refuse,
            )
        yield Page(protocol=protocol, method="HEAD", path=prefix + path, cors=CORS, claims=claims, answer=same.show)


def _pages(
    protocol: str, path: str, show: _Show, methods: tuple[str, ...], claims: _Claims | None = None
) -> Iterator[Page]:
    for prefix in _PREFIXES:
        for method in methods:
            yield Page(protocol=protocol, method=method, path=prefix + path, cors=CORS, claims=claims, answer=show)


def _claims_webalytic(request: Request) -> bool:
    """Its script says everything in the query, and names the site by a UUID."""
    is_own_host = request.host is not None and request.host.protocol == WEBALYTIC
    return is_own_host or _UUID_TID.search(request.query) is not None


def _claims_root(request: Request) -> bool:
    """Nobody else owns the root of this host."""
    return request.host is None or request.host.protocol in {MEASUREMENT_PROTOCOL, GA4, WEBALYTIC}


def _show_alive(_request: Request, _directory: SiteDirectory) -> Answer:
    return _ALIVE


def _remap_ga4(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """An event is kept as an object, a hit of the web client as text."""
    return remap_web(raw, row) if isinstance(raw, str) else remap_event(raw, row)


FAMILIES = (
    Family(
        protocol=GA4,
        endpoints=(
            *_routes(GA4, "/mp/collect", read_events, _NOTHING, methods=("POST",)),
            *_routes(GA4, "/g/collect", read_web, _NOTHING),
            *_routes(GA4, "/collect", read_web, _PIXEL, claims=claims_web),
            *_pages(GA4, "/debug/mp/collect", show_problems, ("POST",)),
        ),
        remap=_remap_ga4,
    ),
    Family(
        protocol=WEBALYTIC,
        endpoints=(
            *_routes(WEBALYTIC, "/collect", read_one, _PIXEL, claims=_claims_webalytic),
            *_pages(WEBALYTIC, "/", _show_alive, ("GET", "HEAD"), _claims_root),
        ),
        remap=remap_hit,
    ),
    Family(
        protocol=MEASUREMENT_PROTOCOL,
        endpoints=(
            *_routes(MEASUREMENT_PROTOCOL, "/collect", read_one, _PIXEL),
            *_routes(MEASUREMENT_PROTOCOL, "/r/collect", read_one, _PIXEL),
            *_routes(MEASUREMENT_PROTOCOL, "/j/collect", read_one, _ENOUGH),
            *_routes(MEASUREMENT_PROTOCOL, "/batch", read_batch, _PIXEL, methods=("POST",)),
            *_pages(MEASUREMENT_PROTOCOL, "/debug/collect", show_faults, ("GET", "POST", "HEAD")),
        ),
        remap=remap_hit,
    ),
)
"""The Measurement Protocol and its relatives; what tells its requests by their content is asked first."""
