"""The visitor of an Alcolytics message: `uid`, decimal digits that are text everywhere."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from collector.plans import SitePlan
from collector.request import Cookie, Request
from collector.time import to_us

COOKIE = "uid"
_COOKIE_AGE_S = 94_608_000
_CLIENT_COOKIES = ("alc-uid", "rst-uid")
_UID = re.compile(r"[0-9]{10,25}", re.ASCII)
_RANDOM_BITS = 22


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sent a message.

    Attributes:
        uid: As the client names itself; None where nothing names the visitor.
        kind: Where it comes from, as the column `visitor_id_kind` says it.
        cookies: To be set.
    """

    uid: str | None
    kind: str = "client"
    cookies: tuple[Cookie, ...] = ()


def find_visitor(request: Request, *candidates: object, site: SitePlan) -> Visitor:
    """The first valid id of the candidates, of our cookie, and of the client's own cookies; else a new one.

    Only a site with cookies gets a new id, and the cookie: any other could not keep it.
    """
    sent = next((found for found in map(_checked, candidates) if found is not None), None)
    stored = sent or _checked(request.cookie(COOKIE))
    uid = stored or next((found for name in _CLIENT_COOKIES if (found := _checked(request.cookie(name)))), None)
    if site.visitor != "cookie":
        return Visitor(uid, "client" if sent is not None or uid is None else "cookie")
    uid = uid or new_uid(request.received_at)
    cookie = Cookie(name=COOKIE, value=uid, max_age_s=_COOKIE_AGE_S)
    return Visitor(uid, "client" if sent is not None else "cookie", (cookie,))


def new_uid(now: datetime) -> str:
    """A 64-bit id that grows with time: milliseconds in the high bits, random ones in the low."""
    return str((to_us(now) // 1_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS))


def _checked(uid: object) -> str | None:
    """The id, unless it is none. A number has lost digits already, if it had many."""
    text = str(uid) if type(uid) is int and abs(uid) < 2**64 else uid
    return text if isinstance(text, str) and _UID.fullmatch(text) else None
