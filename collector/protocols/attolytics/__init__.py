"""Attolytics: batches of JSON events, each a row of a declared table of schema `apps`.

Source of the rules: the specification of the original; docs/protocols/attolytics.md names each with its test.
"""

import msgspec

from collector.endpoint import ANY_METHOD, Family, Page, Route
from collector.plans import SiteDirectory
from collector.protocols.attolytics.origins import Headers, OriginInvalid, OriginRefused
from collector.protocols.attolytics.plans import plan_apps
from collector.protocols.attolytics.reading import PROTOCOL, read
from collector.protocols.attolytics.refusals import AppRefused, Cause
from collector.reading import Outcome
from collector.refusal import Refused
from collector.request import Answer, Request

_PATH = "/apps/{app}/events"
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
_PREFLIGHT_AGE_S = 86_400
_PLAIN = ("Content-Type", "text/plain; charset=utf-8")
_OWN_STATUS = 413
"""Of the collector's own limits, which the original does not know: it would have read a part and refused that."""


def accept(_request: Request, outcome: Outcome) -> Answer:
    """200 and nothing to read."""
    return Answer(200, b"", (_PLAIN, *outcome.reading.reply))


def refuse(_request: Request, refused: Refused) -> Answer:
    """The reason; clients look at the status alone."""
    if isinstance(refused, AppRefused):
        return _refusal(refused.status, refused.reason, refused.detail, refused.headers)
    status = 400 if refused.status == _OWN_STATUS else refused.status
    return _refusal(status, refused.reason, refused.detail)


def preflight(request: Request, directory: SiteDirectory) -> Answer:
    """What a browser asks before it posts: checked in the original's order."""
    app = directory.prepared(plan_apps).get(request.captured["app"])
    if app is None:
        return _refusal(404, Cause.UNKNOWN_APP, "there is no such app")
    if "origin" not in request.headers:
        return Answer(200, b"", (_PLAIN,))
    try:
        headers: Headers | None = app.origins.headers(request)
    except OriginInvalid:
        return _refusal(400, Cause.INVALID_ORIGIN, "the origin is no URL")
    except OriginRefused:
        # A method that nobody knows is told before an origin that is not allowed.
        headers = None
    return _allowance(request, headers)


def _allowance(request: Request, headers: Headers | None) -> Answer:
    """The answer to a preflight of this origin; None: it is not allowed."""
    wanted = request.headers.get("access-control-request-method", "").upper()
    if wanted and wanted not in _METHODS:
        return _refusal(400, Cause.WRONG_METHOD, "there is no such method")
    if headers is None:
        return _refusal(403, Cause.ORIGIN_NOT_ALLOWED, "this origin may not post")
    if wanted != "POST":
        return _refusal(403 if wanted else 400, Cause.WRONG_METHOD, "only POST is taken", headers)
    asked = request.headers.get("access-control-request-headers", "")
    echoed = (("Access-Control-Allow-Headers", asked),) if asked and asked.isascii() and asked.isprintable() else ()
    allowed = (("Access-Control-Allow-Methods", "POST"), *echoed, ("Access-Control-Max-Age", str(_PREFLIGHT_AGE_S)))
    return Answer(200, b"", (_PLAIN, *headers, *allowed))


def refuse_method(request: Request, directory: SiteDirectory) -> Answer:
    """404 as the original answers, 405 where the app is strict."""
    app = directory.prepared(plan_apps).get(request.captured["app"])
    if app is not None and app.is_strict:
        return _refusal(405, Cause.WRONG_METHOD, "only POST is taken", (("Allow", "OPTIONS, POST"),))
    return _refusal(404, Cause.WRONG_METHOD, "only POST is taken")


def _refusal(status: int, reason: str, detail: str, headers: Headers = ()) -> Answer:
    body = msgspec.json.encode({"reason": reason, "detail": detail})
    return Answer(status, body, (("Content-Type", "application/json"), ("Tidemill-Reason", reason), *headers))


FAMILY = Family(
    protocol=PROTOCOL,
    endpoints=(
        Route(protocol=PROTOCOL, method="POST", path=_PATH, cors=None, read=read, accept=accept, refuse=refuse),
        Page(protocol=PROTOCOL, method="OPTIONS", path=_PATH, cors=None, answer=preflight),
        Page(protocol=PROTOCOL, method=ANY_METHOD, path=_PATH, cors=None, answer=refuse_method),
    ),
)
"""Apps and their declared tables."""
