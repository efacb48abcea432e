"""Contexts that the collector adds to events, and what is taken out of those that clients send."""

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from collector.identity import kept_address
from collector.plans import SitePlan
from collector.protocols.objectiv.visitor import Visitor
from collector.request import Request

HTTP_ID = "http_context"
MARKETING_ID = "utm"

_REQUIRED_UTM = ("source", "medium", "campaign")
_OPTIONAL_UTM = ("term", "content", "source_platform", "creative_format", "marketing_tactic")

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sender:
    """What a request says of who sent it, as contexts have it.

    Attributes:
        source: `CookieIdContext.id`. The id itself is in the column `visitor_id`, where the site's privacy rules it.
        referrer: Of the request.
        user_agent: Likewise; a digest when it is anonymous.
        remote_address: What the site keeps of the address; a digest of that when it is anonymous; None for nothing.
        is_anonymous: Digests take the place of what clients say of the browser.
    """

    source: str
    referrer: str
    user_agent: str
    remote_address: str | None
    is_anonymous: bool


def describe_sender(request: Request, visitor: Visitor, site: SitePlan, *, is_anonymous: bool) -> Sender:
    """The sender of a request."""
    address = kept_address(request.address, site.ip)
    user_agent = request.headers.get("user-agent", "")
    if is_anonymous:
        user_agent = digest(user_agent)
        address = None if address is None else digest(address)
    return Sender(visitor.source, request.headers.get("referer", ""), user_agent, address, is_anonymous)


def digest(text: str) -> str:
    """32 hex digits that stand for a text: the original's, so that exports compare."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def withdraw_addresses(event: dict[str, Any]) -> None:
    """Take out of an event what nobody but the collector may say: the address of an HttpContext."""
    for key in ("global_contexts", "location_stack"):
        contexts = event.get(key)
        for context in contexts if isinstance(contexts, list) else ():
            if isinstance(context, dict) and context.get("_type") == "HttpContext":
                context.pop("remote_address", None)


def withdraw_traces(event: dict[str, Any], *, is_anonymous: bool) -> None:
    """Take out of a valid event what must not be kept: a cookie's id, and the browser of who is anonymous."""
    for context in (*event["global_contexts"], *event["location_stack"]):
        kind = context["_type"]
        if kind == "CookieIdContext":
            context.pop("cookie_id", None)
        elif kind == "HttpContext" and is_anonymous:
            context["user_agent"] = digest(str(context.get("user_agent", "")))


def complete(sent: list[Context], sender: Sender, marketing: Context | None) -> list[Context]:
    """The global contexts of an event as they are kept.

    Identities are left out: they are in the columns `user_id` and `traits`, where wishes not to be tracked count.
    """
    kept = [context for context in sent if context["_type"] != "IdentityContext"]
    http = next((index for index, context in enumerate(kept) if context["_type"] == "HttpContext"), None)
    if http is None:
        kept.append(
            {
                "_type": "HttpContext",
                "id": HTTP_ID,
                "referrer": sender.referrer,
                "user_agent": sender.user_agent,
                "remote_address": sender.remote_address,
            }
        )
    else:
        kept[http] = {**kept[http], "remote_address": sender.remote_address}
    kept.append({"_type": "CookieIdContext", "id": sender.source})
    if marketing is not None:
        kept.append(marketing)
    return kept


def find_marketing(contexts: object) -> Context | None:
    """The MarketingContext that the address of a page makes; None without a source, a medium and a campaign."""
    if not isinstance(contexts, list):
        return None
    for context in contexts:
        if isinstance(context, dict) and context.get("_type") == "PathContext":
            found = _marketing(context.get("id"))
            if found is not None:
                return found
    return None


def _marketing(url: object) -> Context | None:
    if not isinstance(url, str) or "utm_" not in url:
        return None
    try:
        fields = parse_qs(urlsplit(url).query, errors="replace")
    except ValueError:
        return None
    first = {name: fields[f"utm_{name}"][0] for name in (*_REQUIRED_UTM, *_OPTIONAL_UTM) if f"utm_{name}" in fields}
    if not all(name in first for name in _REQUIRED_UTM):
        return None
    return {
        "_type": "MarketingContext",
        "id": MARKETING_ID,
        **{name: first.get(name) for name in (*_REQUIRED_UTM, *_OPTIONAL_UTM)},
    }
