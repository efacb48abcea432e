"""What browsers are told of requests from pages of other origins (the Fetch standard's CORS protocol)."""

from collections.abc import Sequence

from collector.endpoint import ANY_METHOD, Page, Route
from collector.plans import SiteDirectory, SitePlan
from collector.request import Answer, Request

_PREFLIGHT_AGE_S = 86_400
_VARY = ("Vary", "Origin")


def preflight(endpoints: Sequence[Route | Page], request: Request, directory: SiteDirectory) -> Answer:
    """The answer to OPTIONS, and to methods that the path does not take; `endpoints` are those of the path."""
    owner = None if request.host is None else request.host.protocol
    endpoint = next((each for each in endpoints if each.protocol == owner), endpoints[0])
    methods = ", ".join([*sorted({each.method for each in endpoints} - {ANY_METHOD}), "OPTIONS"])
    if request.method != "OPTIONS":
        return Answer(405, b"", (("Allow", methods),))
    rules = endpoint.cors
    origin = request.headers.get("origin")
    if rules is None or origin is None or not _may_send(origin, request, directory):
        return Answer(204 if rules is None else rules.preflight_status, b"", (("Allow", methods),))
    asked = request.headers.get("access-control-request-headers", "")
    allowed = rules.allowed_headers if rules.allowed_headers is not None else asked if asked.isprintable() else ""
    is_credentialed = rules.credentials or directory.sets_cookies(request.site_id)
    return Answer(
        rules.preflight_status,
        b"",
        (
            ("Access-Control-Allow-Origin", origin),
            *([("Access-Control-Allow-Credentials", "true")] if is_credentialed else []),
            ("Access-Control-Allow-Methods", rules.allowed_methods or methods),
            *([("Access-Control-Allow-Headers", allowed)] if allowed else []),
            ("Access-Control-Max-Age", str(_PREFLIGHT_AGE_S)),
            _VARY,
        ),
    )


def shared(
    answer: Answer, endpoint: Route | Page, request: Request, directory: SiteDirectory, site: SitePlan | None
) -> Answer:
    """The answer with what lets the page that asked read it; `site` is None when the request did not get so far."""
    rules = endpoint.cors
    if rules is None:
        return answer
    origin = request.headers.get("origin")
    if origin is None:
        everybody = rules.without_origin
        return answer if everybody is None else answer.with_headers(("Access-Control-Allow-Origin", everybody))
    if not (_may_send(origin, request, directory) if site is None else site.allows_origin(origin)):
        return answer
    headers = [("Access-Control-Allow-Origin", origin)]
    if rules.credentials or (site is not None and site.visitor == "cookie"):
        headers.append(("Access-Control-Allow-Credentials", "true"))
    if rules.exposed_headers:
        headers.append(("Access-Control-Expose-Headers", rules.exposed_headers))
    return answer.with_headers(*headers, _VARY)


def _may_send(origin: str, request: Request, directory: SiteDirectory) -> bool:
    """All that is known before the body is read: the site named by the path allows the origin, or some site does."""
    plan = None if request.site_id is None else directory.by_id(request.site_id)
    return directory.allows_origin(origin) if plan is None else plan.allows_origin(origin)
