"""Sessions by the book: the split rules applied one event after another, to compare the SQL with.

Written from the text of the rules, not from the models: it keeps the open session as a variable and knows no window
functions.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]

DIRECT = ("(direct)", "(none)", "(direct)", "(not set)", "(not set)", "(not set)", None)


@dataclass(frozen=True)
class Source:
    """Where an event came from.

    Attributes:
        key: Equal for the same source.
        reported: source, medium, campaign, campaign id, term, content, referral path.
    """

    key: tuple[str, ...]
    reported: tuple[str | None, ...]


@dataclass
class Session:
    """An open session."""

    number: int
    key: tuple[str, ...] | None
    reported: tuple[str | None, ...]
    is_direct: bool
    events: list[Row] = field(default_factory=list)


def winning_copies(deliveries: Iterable[Row]) -> list[Row]:
    """The copy of each event that counts: the one received first."""
    winners: dict[tuple[str, str], Row] = {}
    for row in sorted(deliveries, key=_receipt):
        winners.setdefault((row["site_id"], row["event_id"]), row)
    return list(winners.values())


def refused_copies(deliveries: Iterable[Row]) -> list[Row]:
    """Deliveries under the id of an event with other contents that was received first."""
    deliveries = list(deliveries)
    winners = {(row["site_id"], row["event_id"]): row for row in winning_copies(deliveries)}
    refused = []
    for row in deliveries:
        hashes = {row["content_hash"], winners[row["site_id"], row["event_id"]]["content_hash"]}
        if len(hashes) > 1 and None not in hashes:
            refused.append(row)
    return refused


def sessions_of(deliveries: Iterable[Row], sites: dict[str, Row], sources: dict[str, Source | None]) -> list[Row]:
    """The sessions of all visitors, as rows comparable with fct_sessions.

    Args:
        deliveries: Rows of raw.events, in any order; `content_group` names the source of each.
        sites: Settings by site.
        sources: Each source by name.
    """
    visitors: dict[tuple[str, str], list[Row]] = {}
    for row in winning_copies(deliveries):
        visitor = row["visitor_id"] or f"event:{row['event_id']}"
        visitors.setdefault((row["site_id"], visitor), []).append(row)
    return [
        _described(site, visitor, session, sites[site])
        for (site, visitor), events in visitors.items()
        for session in _split(sorted(events, key=_order), sites[site], sources)
    ]


def losses_of(deliveries: Iterable[Row], sites: dict[str, Row]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Expected and received events of people and of bots, by site, local day, browser and its major version."""
    page_views: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for row in winning_copies(deliveries):
        number = json.loads(row.get("contexts") or "{}").get("seq")
        if row["protocol"] == "tracker" and isinstance(number, int) and number > 0:
            page_views.setdefault((row["site_id"], row["page_view_id"]), []).append((number, row))
    losses: dict[tuple[Any, ...], list[int]] = {}
    for (site, _), numbered in page_views.items():
        numbers = {number for number, _ in numbered}
        first = min(numbered, key=lambda each: (each[0], *_order(each[1]), uuid.UUID(each[1]["event_id"])))[1]
        day = first["occurred_at"].astimezone(ZoneInfo(sites[site]["timezone"])).date()
        version = (first["browser_version"] or "(not set)").partition(".")[0]
        counts = losses.setdefault((site, day, first["browser"] or "(not set)", version), [0, 0, 0, 0])
        place = 2 if any(row["is_bot"] for _, row in numbered) else 0
        counts[place] += max(numbers)
        counts[place + 1] += len(numbers)
    return {key: tuple(counts) for key, counts in losses.items()}


def _receipt(row: Row) -> tuple[Any, ...]:
    return (row["received_at"], row["segment_id"], row["segment_row"])


def _order(row: Row) -> tuple[Any, ...]:
    return (row["occurred_at"], *_receipt(row))


def _split(events: list[Row], site: Row, sources: dict[str, Source | None]) -> list[Session]:
    sessions: list[Session] = []
    previous: Row | None = None
    latest: tuple[Source, datetime] | None = None
    for event in events:
        source = sources[event["content_group"][0]]
        if previous is None or _splits(previous, event, sessions[-1], source, site):
            sessions.append(_opened(len(sessions) + 1, event, source, latest, site))
        sessions[-1].events.append(event)
        previous = event
        if source:
            latest = (source, event["occurred_at"])
    return sessions


def _splits(previous: Row, event: Row, session: Session, source: Source | None, site: Row) -> bool:
    zone = ZoneInfo(site["timezone"])
    dates = [each["occurred_at"].astimezone(zone).date() for each in (previous, event)]
    return (
        event["occurred_at"] - previous["occurred_at"] >= timedelta(seconds=site["session_timeout_s"])
        or (site["splits_at_midnight"] and dates[0] != dates[1])
        or (site["splits_on_campaign"] and source is not None and source.key != session.key)
        or event.get("session_control") == "start"
        or previous.get("session_control") == "end"
    )


def _opened(
    number: int, event: Row, source: Source | None, latest: tuple[Source, datetime] | None, site: Row
) -> Session:
    if source:
        return Session(number, source.key, source.reported, is_direct=False)
    if latest and event["occurred_at"] - latest[1] <= timedelta(days=site["campaign_timeout_days"]):
        return Session(number, latest[0].key, latest[0].reported, is_direct=True)
    return Session(number, None, DIRECT, is_direct=True)


def _described(site_id: str, visitor_id: str, session: Session, site: Row) -> Row:
    events = session.events
    first, last = events[0], events[-1]
    interactions = [each for each in events if _is_interaction(each)]
    pages = [each for each in events if each["event_type"] == "page_view"]
    has_visitor = first["visitor_id"] is not None
    names = ("source", "medium", "campaign", "campaign_id", "term", "content", "referral_path")
    return {
        "site_id": site_id,
        "visitor_id": visitor_id,
        "session_number": session.number,
        "first_event_id": first["event_id"],
        "landing_page": pages[0]["page_path"] if pages else "(not set)",
        "exit_page": pages[-1]["page_path"] if pages else "(not set)",
        **dict(zip(names, session.reported, strict=True)),
        "is_direct": session.is_direct,
        "visits": 1 if interactions and has_visitor else None,
        "event_count": len(events),
        "interaction_count": len(interactions),
        "page_view_count": len(pages),
        "engaged_ms": _engaged_ms(events),
        "duration_s": (interactions[-1]["occurred_at"] - first["occurred_at"]).total_seconds() if interactions else 0.0,
        "is_new_visitor": session.number == 1 and has_visitor,
        "is_bounce": has_visitor and len(interactions) == 1,
        "is_bot": any(each["is_bot"] for each in events),
        "session_start_at": first["occurred_at"],
        "session_end_at": last["occurred_at"],
        "session_date": first["occurred_at"].astimezone(ZoneInfo(site["timezone"])).date(),
    }


def _is_interaction(event: Row) -> bool:
    return event["is_interaction"] and event["event_type"] not in {"timing", "exception"}


def _engaged_ms(events: list[Row]) -> int:
    """The largest value of each page view, summed. Without a page view's id the latest page view before is meant."""
    largest: dict[object, int] = {}
    page_views = 0
    for event in events:
        page_views += event["event_type"] == "page_view"
        if event.get("engaged_ms") is not None:
            page = event.get("page_view_id") or page_views
            largest[page] = max(largest.get(page, 0), event["engaged_ms"])
    return sum(largest.values())
