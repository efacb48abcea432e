"""Who sent a request of Objectiv's: the cookie, the id that the client made, or a new one."""

import re
import uuid
from dataclasses import dataclass

from collector.plans import SitePlan
from collector.request import Cookie, Request

COOKIE = "obj_user_id"
_COOKIE_AGE_S = 31_536_000
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sent a request.

    Attributes:
        visitor_id: None where nothing names the visitor, or the site wants no ids.
        kind: Where the id comes from, as the column `visitor_id_kind` says it.
        source: Likewise, as `CookieIdContext.id` says it: backend or client.
        client_session_id: As the client sent it.
        cookies: To be set.
    """

    visitor_id: str | None
    kind: str
    source: str
    client_session_id: str | None
    cookies: tuple[Cookie, ...] = ()


def find_visitor(request: Request, client_session_id: object, site: SitePlan, *, is_anonymous: bool) -> Visitor:
    """The visitor of a request.

    A client's session id is made anew by each page load; it becomes the visitor's where there is no cookie yet, so
    that a visitor can go from anonymous to known. An anonymous request neither reads nor sets a cookie.
    """
    session_id = client_session_id.removeprefix("client-") if isinstance(client_session_id, str) else None
    if is_anonymous:
        visitor_id = _checked(session_id) or str(uuid.uuid4())
        return Visitor(_kept(visitor_id, site), "session", "client", session_id)
    cookie_id = _checked(request.cookie(COOKIE))
    source = "client" if cookie_id is None and _checked(session_id) else "backend"
    if site.visitor != "cookie":
        known = cookie_id or _checked(session_id)
        return Visitor(_kept(known, site), "session" if cookie_id is None else "cookie", source, session_id)
    visitor_id = cookie_id or _checked(session_id) or str(uuid.uuid4())
    cookie = Cookie(name=COOKIE, value=visitor_id, max_age_s=_COOKIE_AGE_S, is_http_only=False)
    return Visitor(visitor_id, "cookie", source, session_id, (cookie,))


def _checked(visitor_id: str | None) -> str | None:
    """The id in lower case; None when it is no UUID."""
    return visitor_id.lower() if visitor_id is not None and _UUID.fullmatch(visitor_id) else None


def _kept(visitor_id: str | None, site: SitePlan) -> str | None:
    return None if site.visitor == "cookieless" else visitor_id
