"""Random histories of a mill: sites, events, deliveries, batches and changes of settings, all from one seed."""

import json
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tests.dbt_project.reference import Row, Source
from tests.dbt_project.warehouse import SITE_DEFAULTS, event_row, utc

START: Final = utc("2026-03-27T00:00:00")
"""Two days before Europe's clocks change."""

SPAN_MINUTES: Final = 4 * 24 * 60

UNSET: Final = "(not set)"

PAGE: Final = "https://shop.example"

CASES: Final[dict[str, tuple[Row, Source | None]]] = {
    "direct": ({"page_url": f"{PAGE}/a"}, None),
    "own page": ({"page_url": f"{PAGE}/b", "page_referrer": f"{PAGE}/a"}, None),
    "own subdomain": ({"page_url": f"{PAGE}/c", "page_referrer": "https://help.shop.example/"}, None),
    "letter": (
        {"page_url": f"{PAGE}/d?utm_source=letter&utm_medium=email&utm_campaign=may"},
        Source(("tags", "letter"), ("letter", "email", "may", UNSET, UNSET, UNSET, None)),
    ),
    "advert": (
        {"page_url": f"{PAGE}/e?gclid=G1"},
        Source(("click", "G1"), ("google", "cpc", UNSET, UNSET, UNSET, UNSET, None)),
    ),
    "other advert": (
        {"page_url": f"{PAGE}/e?gclid=G2"},
        Source(("click", "G2"), ("google", "cpc", UNSET, UNSET, UNSET, UNSET, None)),
    ),
    "blog": (
        {"page_url": f"{PAGE}/f", "page_referrer": "https://www.blog.example.org/p1?x=1"},
        Source(("blog",), ("blog.example.org", "referral", UNSET, UNSET, UNSET, "/p1", "/p1")),
    ),
    "blog's other page": (
        {"page_url": f"{PAGE}/f", "page_referrer": "https://blog.example.org/p2"},
        Source(("blog",), ("blog.example.org", "referral", UNSET, UNSET, UNSET, "/p2", "/p2")),
    ),
    "search": (
        {"page_url": f"{PAGE}/g", "page_referrer": "https://www.google.co.uk/search?q=gr%C3%BCne+schuhe"},
        Source(("google",), ("google", "organic", UNSET, UNSET, "grüne schuhe", UNSET, None)),
    ),
    "search without words": (
        {"page_url": f"{PAGE}/g", "page_referrer": "https://www.google.de/"},
        Source(("google",), ("google", "organic", UNSET, UNSET, "(not provided)", UNSET, None)),
    ),
}
"""What the client sent, and the source it means, by name."""

SOURCES: Final = {name: source for name, (_, source) in CASES.items()}


@dataclass(frozen=True)
class Step:
    """One load, what preceded it, and the transform after it.

    Attributes:
        deliveries: Rows of raw.events that the load brings.
        late: Rows that the load counts without loading.
        settings: Sites whose settings changed before, with the new ones.
        dies_after: Model after which the transform is killed before it is run again; None: it is not.
        is_transformed: False: the next transform covers this load too.
        remap_seed: Chooses the batches whose rows are mapped anew after the load, and how; None: no batch.
    """

    deliveries: list[Row]
    late: list[Row]
    settings: dict[str, Row]
    dies_after: str | None
    is_transformed: bool
    remap_seed: int | None


@dataclass(frozen=True)
class Scenario:
    """A history.

    Attributes:
        sites: Settings at the beginning by site.
        steps: What happened, in order.
    """

    sites: dict[str, Row]
    steps: list[Step]

    @property
    def final_sites(self) -> dict[str, Row]:
        """Settings at the end by site."""
        sites = dict(self.sites)
        for step in self.steps:
            sites |= step.settings
        return sites


def make_scenario(seed: int, models: list[str], *, event_count: int = 240, step_count: int = 4) -> Scenario:
    """A history of three sites. `models` are the names after which a transform may die."""
    chance = random.Random(seed)
    names = ("shop", "blog", "app")
    deliveries = [copy for _ in range(event_count) for copy in _delivered(chance, names)]
    chance.shuffle(deliveries)  # any order of arrival
    cuts = sorted(chance.randrange(len(deliveries)) for _ in range(step_count - 1))
    loads = [deliveries[start:end] for start, end in zip([0, *cuts], [*cuts, len(deliveries)], strict=True)]
    steps = [
        Step(
            deliveries=load,
            late=[row for row in load if chance.random() < 0.02],
            settings={chance.choice(names): _settings(chance)} if place and chance.random() < 0.4 else {},
            dies_after=chance.choice(models) if chance.random() < 0.5 else None,
            is_transformed=place == step_count - 1 or chance.random() < 0.9,
            remap_seed=chance.randrange(1_000) if place and chance.random() < 0.6 else None,
        )
        for place, load in enumerate(loads)
    ]
    return Scenario({name: _settings(chance) for name in names}, steps)


def remapped(chance: random.Random, row: Row) -> Row:
    """What another mapping could make of a delivery: another time, page and kind of the same visitor's event."""
    if chance.random() < 0.3:
        return row
    told = _event(chance, row["site_id"])
    kept = ("event_id", "visitor_id", "received_at", "segment_id", "segment_row", "content_hash", "batch_id")
    if chance.random() < 0.5:
        told["occurred_at"] = row["occurred_at"]
    return told | {name: row[name] for name in kept}


def _settings(chance: random.Random) -> Row:
    return SITE_DEFAULTS | {
        "timezone": chance.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
        "session_timeout_s": chance.choice([600, 1800, 7200]),
        "splits_at_midnight": chance.random() < 0.7,
        "splits_on_campaign": chance.random() < 0.8,
        "campaign_timeout_days": chance.choice([1, 2, 183]),
    }


def _delivered(chance: random.Random, sites: tuple[str, ...]) -> list[Row]:
    """One event as often as it was delivered; a further copy may tell another story."""
    event = _event(chance, chance.choice(sites))
    copies = [event]
    while chance.random() < 0.25:
        told = _event(chance, event["site_id"]) if chance.random() < 0.4 else event
        content = {"content_hash": chance.choice([event["content_hash"], told["content_hash"], None, 1, 2])}
        copies.append(told | {"event_id": event["event_id"]} | content | _receipt(chance, told["occurred_at"]))
    return copies


def _event(chance: random.Random, site_id: str) -> Row:
    # A coarse grid makes equal times and gaps of exactly the timeout common.
    busy_day = chance.choice([0, 0, 0, 1, 1, 2, 3])
    minutes = busy_day * 1440 + chance.choice([22 * 60, 0, 12 * 60]) + 5 * chance.randrange(30)
    occurred_at = START + timedelta(minutes=minutes)
    kind = chance.choices(["page_view", "event", "engagement", "timing", "transaction"], [5, 3, 2, 1, 1])[0]
    name = chance.choices(list(CASES), [6, 1, 1, *[1] * (len(CASES) - 3)])[0]
    values: dict[str, Any] = {
        "event_id": str(uuid.UUID(int=chance.getrandbits(128))),
        "site_id": site_id,
        "visitor_id": chance.choice([f"v{number}" for number in range(5)] + [None] * (chance.random() < 0.2)),
        "event_type": kind,
        "is_interaction": kind != "engagement" and chance.random() < 0.9,
        "session_control": chance.choices([None, "start", "end"], [20, 1, 1])[0],
        "content_group": [name],
        "engaged_ms": chance.randrange(60_000) if kind == "engagement" else None,
        "page_view_id": chance.choice(["p1", "p2", None]),
        **chance.choice([{}, _numbered(chance)]),
        "revenue": chance.randrange(100) if kind == "transaction" else None,
        "is_bot": chance.random() < 0.03,
        "content_hash": chance.choice([None, chance.getrandbits(20), 1]),
        **CASES[name][0],
        **_receipt(chance, occurred_at),
    }
    return event_row(occurred_at, **values)


def _numbered(chance: random.Random) -> Row:
    """What the tracker adds. Few page views and numbers make gaps, repetitions and moves to another day common."""
    return {
        "protocol": "tracker",
        "page_view_id": f"t{chance.randrange(8)}",
        "contexts": json.dumps({"seq": chance.choice([*range(1, 10), 0, "x", None])}),
        "browser": chance.choice(["Firefox", "Safari", None]),
        "browser_version": chance.choice(["128.0", "17.4", None]),
    }


def _receipt(chance: random.Random, occurred_at: datetime) -> Row:
    delay = timedelta(seconds=chance.choice([0, 0, 1, 60, 3_600, 90_000, 200_000]))
    return {
        "received_at": occurred_at + delay,
        "segment_id": f"s{chance.randrange(3)}",
        "segment_row": chance.getrandbits(40),
    }
