"""From an event of Objectiv's to the columns of the contract."""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

from collector.protocols.objectiv.checks import broken_newer_rules
from collector.protocols.objectiv.contexts import Context, Sender, complete, find_marketing, withdraw_traces
from collector.reading import Candidate
from collector.time import parse_epoch_ms
from landing.taxonomy import base_taxonomy

_CAPITAL = re.compile(r"(?<=.)(?=[A-Z])")
_NO_PROPS = {"_type", "_types", "_schema_version", "id", "time", "location_stack", "global_contexts"}
_DIGEST = re.compile(r"[0-9a-f]{32}", re.ASCII)
"""What stands for the browser of who is anonymous."""

_CAMPAIGN = ("source", "medium", "term", "content")


def map_event(  # noqa: PLR0913  (an event and what was found out about it)
    index: int,
    event: dict[str, Any],
    *,
    types: tuple[str, ...],
    first: Mapping[str, Context],
    sender: Sender,
    marketing: Context | None,
    warnings: list[str],
) -> Candidate:
    """The candidate of a valid event.

    Args:
        index: Position in the request.
        event: As sent; what must not be kept is taken out of it.
        types: Its type after its ancestors.
        first: The first context of each type.
        sender: For contexts that the collector adds.
        marketing: Likewise.
        warnings: What it breaks.
    """
    withdraw_traces(event, is_anonymous=sender.is_anonymous)
    kept = complete(event["global_contexts"], sender, marketing)
    columns = _columns(event, _types(event, types), first, kept)
    return Candidate(index, columns, parse_epoch_ms(event["time"]), event, warnings)


def remap(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """Today's mapping of a kept event. What the collector once added is in the old row."""
    before = row.get("contexts") or {}
    before = json.loads(before) if isinstance(before, str) else before
    contexts = {each["_type"]: each for each in reversed(before.get("global_contexts", []))}
    http = contexts.get("HttpContext", {})
    sender = Sender(
        source=contexts.get("CookieIdContext", {}).get("id", "backend"),
        referrer=http.get("referrer", ""),
        user_agent=http.get("user_agent", ""),
        remote_address=http.get("remote_address"),
        is_anonymous=False,  # whatever had to be taken out of the event is out of it
    )
    types = tuple(before.get("_types", ()))
    if not types and raw["_type"] in base_taxonomy().events:
        types = base_taxonomy().lineage("events", raw["_type"])
    first: dict[str, Context] = {}
    for context in (*raw["location_stack"], *raw["global_contexts"]):
        first.setdefault(context["_type"], context)
    marketing = find_marketing(raw["global_contexts"])
    warnings = broken_newer_rules(raw)
    return map_event(0, raw, types=types, first=first, sender=sender, marketing=marketing, warnings=warnings)


def _types(event: dict[str, Any], types: tuple[str, ...]) -> list[str]:
    """The client's own list of types, where it sent one."""
    sent = event.get("_types")
    return sent if isinstance(sent, list) and sent and all(isinstance(each, str) for each in sent) else list(types)


def _columns(
    event: dict[str, Any], types: list[str], first: Mapping[str, Context], kept: list[Context]
) -> dict[str, Any]:
    stack = event["location_stack"]
    contexts: dict[str, Any] = {"_types": types, "location_stack": stack, "global_contexts": kept}
    if "_schema_version" in event:
        contexts["_schema_version"] = event["_schema_version"]
    columns: dict[str, Any] = {
        "client_event_id": event["id"],
        "event_name": event["_type"],
        "contexts": contexts,
        **_kind(event["_type"], types, first, stack),
        **_client(first),
    }
    if stack:
        columns["label"] = nice_name(stack)
    identities = [each for each in event["global_contexts"] if each["_type"] == "IdentityContext"]
    if identities:
        columns["user_id"] = identities[0]["value"]
        columns["traits"] = _traits(identities)
    if len(event) > len(_NO_PROPS) - 2:  # the five that every event has
        columns["props"] = {key: value for key, value in event.items() if key not in _NO_PROPS} or None
    return columns


def _kind(name: str, types: list[str], first: Mapping[str, Context], stack: list[Context]) -> dict[str, Any]:
    """What kind of thing happened. An application loads: a page view, or without an address a screen's."""
    if name == "ApplicationLoadedEvent":
        if "PathContext" in first:
            return {"event_type": "page_view", "is_interaction": True}
        place = first.get("RootLocationContext") or first.get("ApplicationContext", {})
        return {"event_type": "screen_view", "is_interaction": True, "screen_name": place.get("id")}
    is_link = name == "PressEvent" and bool(stack) and stack[-1]["_type"] == "LinkContext"
    return {"event_type": "link_click" if is_link else "event", "is_interaction": "InteractiveEvent" in types}


def _client(first: Mapping[str, Context]) -> dict[str, Any]:
    """Columns that contexts fill."""
    columns: dict[str, Any] = {"app_id": first["ApplicationContext"]["id"]} if "ApplicationContext" in first else {}
    if "PathContext" in first:
        columns["page_url"] = first["PathContext"]["id"]
    http = first.get("HttpContext")
    if http is not None:
        columns["page_referrer"] = http["referrer"]
        if not _DIGEST.fullmatch(http["user_agent"]):
            columns["user_agent"] = http["user_agent"]
    locale = first.get("LocaleContext")
    if locale is not None:
        parts = [each for each in (locale.get("language_code"), locale.get("country_code")) if each]
        columns["language"] = "-".join(parts) or locale["id"]
    marketing = first.get("MarketingContext")
    if marketing is not None:
        columns["campaign_name"] = marketing["campaign"]
        columns |= {f"campaign_{key}": marketing.get(key) for key in _CAMPAIGN}
    return columns


def _traits(identities: list[Context]) -> dict[str, Any]:
    """Values by the scope that a context's id names; a list where a scope has several."""
    traits: dict[str, Any] = {}
    for each in identities:
        scope, value = each["id"], each["value"]
        if scope not in traits:
            traits[scope] = value
        elif isinstance(traits[scope], list):
            traits[scope].append(value)
        else:
            traits[scope] = [traits[scope], value]
    return traits


def nice_name(stack: list[Context]) -> str:
    """A location in words, as Objectiv's models spell it: `Link: pricing located at Root Location: home => …`."""
    *above, last = [f"{_words(each['_type'])}: {each['id']}" for each in stack]
    return f"{last} located at {' => '.join(above)}" if above else last


@functools.lru_cache(maxsize=256)
def _words(name: str) -> str:
    return _CAPITAL.sub(" ", name.removesuffix("Context"))
