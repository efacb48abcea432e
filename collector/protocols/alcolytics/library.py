"""`GET /lib.js`: the statement that configures the stub of a page, and the library behind it."""

import msgspec

from collector.plans import SiteDirectory
from collector.protocols.alcolytics.targets import MARKER
from collector.protocols.alcolytics.visitor import Visitor, find_visitor
from collector.protocols.alcolytics.wire import read_query
from collector.request import Answer, Request

_HEADERS = (("Content-Type", "text/javascript; charset=utf-8"), ("Cache-Control", "private, no-store"))
_GLOBALS = ("alco", "rstat")


def show_library(request: Request, directory: SiteDirectory) -> Answer:
    """Configure the page's stub, if it has one; a site with cookies hands its visitor's id over."""
    visitor = _visitor(request, directory)
    options = {"urlMark": MARKER}
    if visitor is not None and visitor.uid is not None:
        options["initialUid"] = visitor.uid
    written = msgspec.json.encode(options).decode()
    calls = "".join(f'window.{name}&&window.{name}("configure",{written});' for name in _GLOBALS)
    answer = Answer(200, f"{calls}\n".encode() + directory.scripts.source("lib.js"), _HEADERS)
    if visitor is None:
        return answer
    return answer.with_headers(*(cookie.header(is_https=request.is_https) for cookie in visitor.cookies))


def _visitor(request: Request, directory: SiteDirectory) -> Visitor | None:
    """Whom the answer may name: nobody who asked not to be tracked, and nobody where ids are not kept."""
    site = directory.by_id(request.site_id)
    if site is None or site.visitor != "cookie":
        return None
    headers = request.headers
    if (headers.get("sec-gpc") == "1" and site.gpc != "ignore") or (headers.get("dnt") == "1" and site.dnt != "ignore"):
        return None
    return find_visitor(request, read_query(request.query).get("uid"), site=site)
