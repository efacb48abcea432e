"""Alcolytics' clients: AlcoJS (A1, A2) and its later life as Rockstat's SDK (R3, R4).

A message is one JSON object, posted or in an image's address; an id of the visitor, `uid`, stands beside it. AlcoJS
has addresses of its own, Rockstat's name service, event and project.
"""

from collector.endpoint import Cors, Family, Page, Route
from collector.protocols.alcolytics import answers, reading
from collector.protocols.alcolytics.library import show_library
from collector.protocols.alcolytics.mapping import PROTOCOL, remap
from collector.protocols.alcolytics.targets import claims_target
from collector.request import Request

_MARKS = (b'"projectId"', b'"libver"', b'"library"', b'"lib"', b'"lvl"')
"""What is in every message of AlcoJS, and in no other family's that posts to `/track`."""

_TARGETS = (
    *(f"/{name}" for name in ("track.json", "track.gif", "t4k.json", "t4k.gif", "pixel.gif")),
    "/{first}/{second}",
    "/{first}/{second}/{third}",
    "/{first}/{second}/{third}/{fourth}",
)
_REDIRECTS = ("/redir/{project}/{category}/{name}", "/away/{name}", "/away/{name}/{project}")

_CORS = Cors(
    credentials=True,
    allowed_headers="X-Requested-With, Access-Control-Allow-Origin, Content-Type, Authorization, Accept",
    allowed_methods="POST,GET",
    without_origin="*",
    exposed_headers="Content-Length, Content-Type",
)


def _is_our_host(request: Request) -> bool:
    return request.host is not None and request.host.protocol == PROTOCOL


def _claims_post(request: Request) -> bool:
    """Other families post to `/track` too: ours names the visitor in the query, or is JSON with a mark of ours."""
    if _is_our_host(request) or "uid=" in request.query:
        return True
    return request.body.lstrip()[:1] == b"{" and any(mark in request.body for mark in _MARKS)


def _claims_probe(request: Request) -> bool:
    """`GET /track?<milliseconds>`."""
    return _is_our_host(request) or not request.query or request.query.isdecimal()


FAMILY = Family(
    protocol=PROTOCOL,
    endpoints=(
        Route(
            protocol=PROTOCOL,
            method="POST",
            path="/track",
            cors=_CORS,
            claims=_claims_post,
            read=reading.read_track,
            accept=answers.accept_track,
            refuse=answers.refuse_track,
        ),
        Page(
            protocol=PROTOCOL, method="GET", path="/track", cors=_CORS, claims=_claims_probe, answer=answers.show_pixel
        ),
        Route(
            protocol=PROTOCOL,
            method="GET",
            path="/img",
            cors=_CORS,
            read=reading.read_image,
            accept=answers.accept_image,
            refuse=answers.refuse_image,
        ),
        Page(protocol=PROTOCOL, method="GET", path="/lib.js", cors=_CORS, answer=show_library),
        *(
            Route(
                protocol=PROTOCOL,
                method=method,
                path="/webhook/{project}/{service}/{action}",
                cors=_CORS,
                read=reading.read_webhook,
                accept=answers.accept_track,
                refuse=answers.refuse_track,
            )
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        ),
        *(
            Route(
                protocol=PROTOCOL,
                method="GET",
                path=path,
                cors=_CORS,
                read=reading.read_redirect,
                accept=answers.accept_redirect,
                refuse=answers.refuse_redirect,
            )
            for path in _REDIRECTS
        ),
        *(
            Route(
                protocol=PROTOCOL,
                method=method,
                path=path,
                cors=_CORS,
                claims=claims_target,
                read=reading.read_target,
                accept=answers.accept_target,
                refuse=answers.refuse_target,
            )
            for method in ("GET", "POST")
            for path in _TARGETS
        ),
    ),
    remap=remap,
)
"""Alcolytics' clients."""
