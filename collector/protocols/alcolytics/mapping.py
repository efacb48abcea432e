"""From a message of any generation to the columns of the contract.

A1 and A2 (AlcoJS) and R3 and R4 (Rockstat's SDK) name the same things differently; what has no column is kept in
`contexts` under its name on the wire.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from collector.identity import derived_id
from collector.reading import Candidate
from collector.time import parse_epoch_ms

PROTOCOL = "alcolytics"
WEBHOOK = "webhook"
REDIRECT = "redir"
PIXEL = "pixel"

_COLUMN_OF: dict[str, dict[str, str]] = {
    "page": {"url": "page_url", "referrer": "page_referrer", "ref": "page_referrer", "title": "page_title"},
    "session": {"num": "client_session_number"},
    "lib": {"name": "library", "id": "library", "libver": "library_version", "v": "library_version"},
    "client": {"tz": "time_zone"},
    "user": {"id": "user_id", "tz": "time_zone"},
    "browser": {"w": "viewport_width", "h": "viewport_height", "tw": "screen_width", "th": "screen_height"},
}
"""Columns by the part of a message and its key."""

_SAME = {"library": "lib", "sess": "session"}
"""What A1 and R call parts that A2 calls otherwise."""

_NO_CONTEXT = {"name", "data", "uid", "projectId", "service", "user", "error", "id__", "channel"}
_DROPPED = {"session": {"refHash"}, "scroll": {"src"}, "client": {"ts"}, "browser": {"ts"}}
_USER_NOT_TRAITS = {"id", "tz", "ts", "tzo", "traits", "gaClientId", "ymClientId"}
FOREIGN_IDS = ("gaId", "ymId")
"""Ids of the visitor at Google and Yandex."""

_TYPE_OF = {
    "page": "page_view",
    "page_loaded": "timing",
    "activity": "engagement",
    "scroll": "engagement",
    "page_unload": "engagement",
    "link_click": "link_click",
    "form_submit": "form",
    "field_focus": "form",
    "field_blur": "form",
    "field_change": "form",
    "field_invalid": "form",
    "identify": "identify",
}
_NOT_INTERACTIONS = {"session", "page_loaded", "activity", "scroll", "page_unload", "identify"}
_UNKNOWN_ZONE = "not present"
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?", re.ASCII)


def plain_name(name: str) -> str:
    """The name that later generations give an event: `Link click` is `link_click`, `pageview` is `page`."""
    plain = name.strip().lower().replace(" ", "_")
    return "page" if plain == "pageview" else plain


def map_message(message: Mapping[str, Any], *, name: str, service: str, channel: str) -> Candidate:
    """The candidate of a message.

    Args:
        message: As sent, less what the site's privacy keeps out.
        name: Of the event.
        service: What the message is for: track, or another one.
        channel: How it arrived, as the original names it.
    """
    parts = {_SAME.get(key, key): dict(part) for key, part in message.items() if isinstance(part, dict)}
    kind = plain_name(name) if service == "track" else ""
    columns = _kind(kind, name, service, channel)
    _fill(columns, parts)
    client_us = parse_epoch_ms(_number(_clock(message)))
    session = parts.get("session", {})
    if channel == PIXEL and session:  # a cropped message leaves out what is 0
        session.setdefault("eventNum", 0)
        session.setdefault("pageNum", 0)
    _correct_source(session, columns.get("page_url"))
    _engagement(columns, kind, _object(message.get("data")), parts.get("scroll", {}))
    _user(columns, parts.get("user", {}))
    if "data" in message:
        data = message["data"]
        columns["props"] = (data or None) if isinstance(data, dict) else {"data": data}
    columns["contexts"] = {"channel": channel, **_contexts(message, parts)}
    # Sent as soon as it happened and never again: the client's clock at sending is that of the event.
    return Candidate(0, columns, client_us, message, sent_us=client_us)


def remap(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """Today's mapping of a kept message. What the address said of it is in the old row."""
    before = row.get("contexts") or {}
    before = json.loads(before) if isinstance(before, str) else before
    service = row.get("category") or "track"
    name = str(row["event_name"])
    if service != "track":
        name = name.removeprefix(f"{service}/")
    candidate = map_message(raw, name=name, service=service, channel=before.get("channel", ""))
    if "remote_ip" in before:
        candidate.columns["contexts"]["remote_ip"] = before["remote_ip"]
    return candidate


def message_id(message: Mapping[str, Any], uid: str | None, *, name: str, site_id: str) -> str | None:
    """One id for every delivery of a message; None where it does not say who sent it, or when."""
    sent = _clock(message)
    if uid is None or _number(sent) is None:
        return None
    session = _object(message.get("session")) or _object(message.get("sess"))
    counters = (session.get(key, 0) for key in ("num", "eventNum", "pageNum"))
    return derived_id(site_id, PROTOCOL, uid, *map(str, (sent, *counters)), name)


def _kind(kind: str, name: str, service: str, channel: str) -> dict[str, Any]:
    """What kind of thing happened; `kind` is empty for other services than track."""
    if kind:
        return {
            "event_name": name,
            "event_type": _TYPE_OF.get(kind, "event"),
            "is_interaction": kind not in _NOT_INTERACTIONS,
            "action": kind,
        }
    return {
        "event_name": f"{service}/{name}",
        "event_type": "link_click" if channel == REDIRECT else "event",
        "is_interaction": channel != WEBHOOK,
        "category": service,
        "action": name,
    }


def _fill(columns: dict[str, Any], parts: Mapping[str, dict[str, Any]]) -> None:
    """Columns that one key of the message fills; the key leaves its part."""
    for part, names in _COLUMN_OF.items():
        found = parts.get(part)
        if found is None:
            continue
        for key, column in names.items():
            if found.get(key) not in (None, "") and not (column == "time_zone" and found[key] == _UNKNOWN_ZONE):
                columns[column] = found.pop(key)
    browser = parts.get("browser", {})
    window, screen = _object(browser.get("wh")), _object(_object(browser.get("sr")).get("tot"))
    for sizes, prefix in ((window, "viewport"), (screen, "screen")):
        for key, side in (("w", "width"), ("h", "height")):
            if key in sizes:
                columns[f"{prefix}_{side}"] = sizes[key]


def _clock(message: Mapping[str, Any]) -> object:
    """The client's clock, in milliseconds: where each generation has it."""
    parts = (_object(message.get(part)) for part in ("client", "user", "browser"))
    return next((part["ts"] for part in parts if "ts" in part), None)


def _correct_source(session: dict[str, Any], url: object) -> None:
    """A2 does not recognise its own host: a visit from there is no referral."""
    host = session.get("refHost") or session.get("refhost")
    if session.get("type") == "referral" and host and host == _host(url):
        session["type"] = "internal"


def _engagement(columns: dict[str, Any], kind: str, data: Mapping[str, Any], scroll: Mapping[str, Any]) -> None:
    """Attention so far: as many intervals as had activity; and how far down the page is."""
    if kind == "activity":
        active, interval_s = _number(data.get("active")), _number(data.get("interval"))
        if active is not None and interval_s is not None:
            columns["engaged_ms"] = active * interval_s * 1_000
    percent = _scroll_percent(scroll)
    if percent is not None:
        columns["scroll_percent"] = percent


def _scroll_percent(scroll: Mapping[str, Any]) -> float | None:
    """Where the lower edge could still go, in percent of the way; the client rounds its own figure to 0 or 100."""
    document, window, top = (
        _number(scroll.get(long, scroll.get(short)))
        for long, short in (("docHeight", "dh"), ("clientHeight", "ch"), ("topOffset", "to"))
    )
    if document is None or window is None or top is None:
        return _number(scroll.get("maxScroll", scroll.get("ms")))
    if document <= window:
        return None
    return min(100.0, max(0.0, 100 * top / (document - window)))


def _user(columns: dict[str, Any], user: Mapping[str, Any]) -> None:
    traits = {**_object(user.get("traits")), **{k: v for k, v in user.items() if k not in _USER_NOT_TRAITS}}
    if traits:
        columns["traits"] = traits


def _contexts(message: Mapping[str, Any], parts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What is in no column, under its name on the wire."""
    contexts: dict[str, Any] = {}
    for key, value in message.items():
        if key in _NO_CONTEXT:
            continue
        part = _SAME.get(key, key)
        if isinstance(value, dict):
            dropped = _DROPPED.get(part, set())
            value = {name: each for name, each in parts[part].items() if name not in dropped}  # noqa: PLW2901
        if value not in ({}, None, ""):
            contexts[key] = value
    if "tzo" in parts.get("user", {}):
        contexts["user"] = {"tzo": parts["user"]["tzo"]}
    return contexts


def _host(url: object) -> str | None:
    try:
        host = urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None
    return None if host is None else host.removeprefix("www.")


def _number(value: object) -> float | None:
    """A number of the message; pixels send all of them as text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 2**53:
        return None
    return float(value)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
