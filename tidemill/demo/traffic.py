"""Made-up visitors and what they do: the same seed gives the same traffic, byte for byte.

Pure: no clock, no network. The demo sends it, the benchmarks measure with it.
"""

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

_Choice = TypeVar("_Choice", bound=tuple[Any, ...])

BROWSER_SITE = "shop"
SERVER_SITE = "app"
"""The sites of `sites.example.yml`."""

WEEK_DAYS = 7
_RETURN_DECAY = 0.8
"""A visitor who comes back is this much less likely to come back after another week: weekly retention falls."""

_RETURNING_SHARE = 0.45
_SERVER_SHARE = 0.2
_BOT_SHARE = 0.03
_CART_SHARE = 0.25
_OUTBOUND_SHARE = 0.04
_READING_MAX_S = 180

_PAGES = (
    ("/", "Home", 30),
    ("/category/kettles", "Kettles", 14),
    ("/category/cups", "Cups", 12),
    ("/product/copper-kettle", "Copper kettle", 11),
    ("/product/blue-cup", "Blue cup", 10),
    ("/product/tea-tin", "Tea tin", 6),
    ("/journal/how-to-brew", "How to brew", 9),
    ("/journal/water", "On water", 5),
    ("/about", "About us", 3),
)
_SOURCES = (
    ("", "", 34),
    ("https://www.google.com/", "", 26),
    ("https://duckduckgo.com/", "", 5),
    ("", "utm_source=newsletter&utm_medium=email&utm_campaign=autumn", 10),
    ("https://www.google.com/", "utm_source=google&utm_medium=cpc&utm_campaign=kettles&gclid=demo", 8),
    ("https://t.co/tea", "", 6),
    ("https://www.facebook.com/", "", 4),
    ("https://tea-lovers.example/reviews", "", 7),
)
_DEVICES = (
    ("Windows NT 10.0; Win64; x64", "Chrome/141.0.0.0 Safari/537.36", (1920, 1080), 30),
    ("Macintosh; Intel Mac OS X 10_15_7", "Version/18.4 Safari/605.1.15", (1512, 982), 16),
    ("X11; Linux x86_64", "Chrome/140.0.0.0 Safari/537.36", (2560, 1440), 8),
    ("iPhone; CPU iPhone OS 18_4 like Mac OS X", "Version/18.4 Mobile/15E148 Safari/604.1", (393, 852), 24),
    ("Linux; Android 10; K", "Chrome/141.0.0.0 Mobile Safari/537.36", (412, 915), 18),
    ("iPad; CPU OS 17_6 like Mac OS X", "Version/17.6 Mobile/15E148 Safari/604.1", (820, 1180), 4),
)
"""System, browser, screen and share; the middle of a user agent is the same everywhere."""

_BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_LANGUAGES = (("de-DE", "Europe/Berlin", 50), ("en-GB", "Europe/London", 20), ("en-US", "America/New_York", 30))
_ACTIONS = (("project_created", 3), ("report_exported", 5), ("member_invited", 2), ("search", 8))
_HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 13, 12, 13, 14, 14, 13, 12, 11, 12, 13, 11, 7, 3)
"""Visits by hour of the day."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who comes, and perhaps comes again."""

    visitor_id: str
    site_id: str
    address: str
    user_agent: str
    screen: tuple[int, int]
    language: str
    time_zone: str
    is_bot: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visitor does in one go.

    Attributes:
        visitor: Who.
        started_at: Time of the first event.
        events: In order of time, as the wire of the visitor's site spells them: the tracker's for
            `BROWSER_SITE`, the server-side API's for `SERVER_SITE`.
    """

    visitor: Visitor
    started_at: datetime
    events: list[dict[str, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A POST to the collector.

    Attributes:
        path: Of the protocol that the site's events arrive in.
        headers: All that the protocol and the visitor's address need.
        body: JSON.
        event_count: Events in it.
    """

    path: str
    headers: dict[str, str]
    body: bytes
    event_count: int


def visits(*, seed: int, days: int, until: datetime) -> Iterator[Visit]:
    """Visits without end, visitor by visitor; each visitor's in order of time.

    Args:
        seed: The same gives the same.
        days: Length of the time in which they happen.
        until: End of that time; every event happens before it.
    """
    for number in count():
        dice = random.Random(f"{seed}/{number}")
        visitor = _visitor(dice)
        for day in _days_of_visits(dice, days):
            started_at = _start(dice, day=day, days=days, until=until)
            make = _server_events if visitor.site_id == SERVER_SITE else _tracker_events
            yield Visit(visitor, started_at, make(dice, visitor, started_at, until))


def take(source: Iterator[Visit], *, event_count: int) -> list[Visit]:
    """The first visits that together have at least `event_count` events, in order of time."""
    taken: list[Visit] = []
    missing = event_count
    while missing > 0:
        visit = next(source)
        taken.append(visit)
        missing -= len(visit.events)
    return sorted(taken, key=lambda visit: visit.started_at)


def wire_request(visit: Visit, *, sent_at: datetime, secret: str) -> WireRequest:
    """The visit as one request, as the tracker or the site's server would send it.

    Args:
        visit: What happened.
        sent_at: When it is sent, by the sender's clock; the collector takes the events' times relative to it.
        secret: Of the server-side site.
    """
    visitor = visit.visitor
    if visitor.site_id == SERVER_SITE:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
        return WireRequest("/v1/events", headers, _json({"events": visit.events}), len(visit.events))
    width, height = visitor.screen
    document = {
        "v": 1,
        "site": visitor.site_id,
        "sent_at": _milliseconds(sent_at),
        "lib": "1.0.0",
        "vid": visitor.visitor_id,
        "w": width,
        "h": height - 120,
        "sw": width,
        "sh": height,
        "l": visitor.language,
        "tz": visitor.time_zone,
        "events": visit.events,
    }
    headers = {"Content-Type": "text/plain", "User-Agent": visitor.user_agent, "X-Forwarded-For": visitor.address}
    return WireRequest("/e", headers, _json(document), len(visit.events))


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _visitor(dice: random.Random) -> Visitor:
    is_server = dice.random() < _SERVER_SHARE
    is_bot = not is_server and dice.random() < _BOT_SHARE
    system, browser, screen, _ = _weighted(dice, _DEVICES)
    user_agent = f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) {browser}"
    language, time_zone, _ = _weighted(dice, _LANGUAGES)
    return Visitor(
        visitor_id=str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        site_id=SERVER_SITE if is_server else BROWSER_SITE,
        address=f"{dice.randrange(11, 100)}.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}",
        user_agent=_BOT if is_bot else user_agent,
        screen=screen,
        language=language,
        time_zone=time_zone,
        is_bot=is_bot,
    )


def _days_of_visits(dice: random.Random, days: int) -> list[int]:
    """Days from the start on which a visitor comes: a first one, then fewer with every week."""
    first = dice.randrange(days)
    if dice.random() > _RETURNING_SHARE:
        return [first]
    eagerness = dice.uniform(0.08, 0.35)
    later = (
        day
        for day in range(first + 1, days)
        if dice.random() < eagerness * _RETURN_DECAY ** ((day - first) / WEEK_DAYS)
    )
    return [first, *later]


def _start(dice: random.Random, *, day: int, days: int, until: datetime) -> datetime:
    """A moment on the given day of the time; the last day ends at `until`."""
    hour = dice.choices(range(24), weights=_HOURS)[0]
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1 - day)
    started_at = midnight + timedelta(hours=hour, milliseconds=dice.randrange(3_600_000))
    if started_at < until - timedelta(minutes=1):
        return started_at
    return midnight + (until - midnight) * dice.random() * 0.98


def _tracker_events(
    dice: random.Random, visitor: Visitor, started_at: datetime, until: datetime
) -> list[dict[str, Any]]:
    """Page views and what is done on them, as the browser tracker writes them."""
    referrer, query, _ = _weighted(dice, _SOURCES)
    events: list[dict[str, Any]] = []
    at = started_at
    for page_number in range(1 if visitor.is_bot else min(1 + int(dice.expovariate(0.45)), 12)):
        path, title, _ = _weighted(dice, _PAGES)
        url = f"https://shop.example{path}" + (f"?{query}" if query and not page_number else "")
        page_view_id = _event_id(dice, at)
        page = {"u": url, "r": referrer, "ti": title, "pv": page_view_id}
        for sequence, (own, seconds) in enumerate(_steps_on_page(dice, path, is_bot=visitor.is_bot)):
            at += timedelta(seconds=seconds)
            if at >= until:
                return events
            event_id = page_view_id if sequence == 0 else _event_id(dice, at)
            events.append({"id": event_id, "ts": _milliseconds(at), "seq": sequence} | page | own)
        referrer = url
        at += timedelta(seconds=dice.uniform(1, 20))
    return events


def _steps_on_page(dice: random.Random, path: str, *, is_bot: bool) -> list[tuple[dict[str, Any], float]]:
    """What is special to each event on one page, and the seconds since the event before."""
    steps: list[tuple[dict[str, Any], float]] = [({"n": "page"}, 0.0)]
    if is_bot:
        return steps
    reading_s = min(dice.expovariate(1 / 35), _READING_MAX_S)
    if path.startswith("/product/") and dice.random() < _CART_SHARE:
        sku, value = path.rpartition("/")[2], f"{dice.randrange(9, 90)}.00"
        steps.append(
            ({"n": "cart_add", "p": {"value": value, "currency": "EUR", "items": [{"sku": sku}]}}, reading_s / 2)
        )
    if dice.random() < _OUTBOUND_SHARE:
        link = {"url": "https://tea-lovers.example/", "host": "tea-lovers.example"}
        steps.append(({"n": "outbound", "p": link}, reading_s / 4))
    steps.append(({"n": "engage", "e": int(reading_s * 1000), "sd": dice.randrange(20, 101)}, reading_s))
    return steps


def _server_events(
    dice: random.Random, visitor: Visitor, started_at: datetime, until: datetime
) -> list[dict[str, Any]]:
    """What a signed-in person does in an application, as its server tells it."""
    events: list[dict[str, Any]] = []
    at = started_at
    for _ in range(min(1 + int(dice.expovariate(0.3)), 15)):
        name, _weight = _weighted(dice, _ACTIONS)
        events.append(
            {
                "event_id": _event_id(dice, at),
                "event_type": "event",
                "event_name": name,
                "occurred_at": at.astimezone(UTC).isoformat(),
                "visitor_id": visitor.visitor_id,
                "user_id": f"user-{visitor.visitor_id[:8]}",
                "page_url": f"https://app.example/{name.partition('_')[0]}",
                "user_agent": visitor.user_agent,
                "language": visitor.language,
                "props": {"plan": dice.choice(["free", "team", "business"])},
            }
        )
        at += timedelta(seconds=dice.expovariate(1 / 60))
        if at >= until:
            break
    return events


def _event_id(dice: random.Random, at: datetime) -> str:
    """A UUID of version 7: the time, then dice, as the tracker makes them."""
    number = _milliseconds(at) << 80 | dice.getrandbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=number & ~(0x3 << 62) | 0x2 << 62))


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _weighted(dice: random.Random, choices: Sequence[_Choice]) -> _Choice:
    """One of `choices`, whose last members are their weights."""
    return dice.choices(choices, weights=[choice[-1] for choice in choices])[0]
