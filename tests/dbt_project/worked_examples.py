"""The worked examples of docs/sessions.md: what a visitor did, and the sessions it makes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.dbt_project.warehouse import event_row, event_uuid

Row = dict[str, Any]
HOME = "https://shop.example"


@dataclass(frozen=True)
class Example:
    """One visitor of a site of his own.

    Attributes:
        rule: What it shows, as a sentence.
        events: Local time ("2 10:30:15": day of March and time) and what the client sent.
        sessions: Some columns of each session of fct_sessions, in order.
        pages: Some columns of each page view of fct_page_views, in order.
        site: Settings that are not the default.
    """

    rule: str
    events: list[tuple[str, Row]]
    sessions: list[Row]
    pages: list[Row] = field(default_factory=list)
    site: Row = field(default_factory=dict)

    def rows(self, site_id: str) -> list[Row]:
        """The rows of raw.events."""
        zone = ZoneInfo(self.site.get("timezone", "Europe/Berlin"))
        return [self._row(site_id, place, when, sent, zone) for place, (when, sent) in enumerate(self.events)]

    def _row(self, site_id: str, place: int, when: str, sent: Row, zone: ZoneInfo) -> Row:
        occurred_at = _instant(when, zone)
        queued = timedelta(milliseconds=sent.get("queue_time_ms", 0))
        values = {name: value for name, value in sent.items() if name != "queue_time_ms"}
        return event_row(
            occurred_at - queued,
            **{"event_id": event_uuid(f"{site_id} {place}"), "site_id": site_id, "segment_row": place}
            | {"received_at": occurred_at}
            | values,
        )


def _instant(when: str, zone: ZoneInfo) -> datetime:
    day, _, time = when.partition(" ")
    month, _, number = day.rpartition("/")
    return datetime.fromisoformat(f"2026-{int(month or 3):02d}-{int(number):02d}T{time}").replace(tzinfo=zone)


def viewed(query: str = "", *, referrer: str | None = None, path: str = "/", **more: Any) -> Row:
    """A page view."""
    return {"page_url": f"{HOME}{path}{'?' + query if query else ''}", "page_referrer": referrer} | more


def did(kind: str = "event", **more: Any) -> Row:
    """Another event on the page."""
    return {"event_type": kind, "page_url": f"{HOME}/"} | more


def came(source: str, medium: str, **more: Any) -> Row:
    """The source of a session."""
    return {"source": source, "medium": medium} | more


DIRECT = came("(direct)", "(none)", channel_ua="Direct", channel_ga4="Direct")
PAID: Callable[[str], Row] = lambda source: came(  # noqa: E731  (reads as a table)
    source, "cpc", channel_ua="Paid Search", channel_ga4="Paid Other"
)

EXAMPLES = [
    Example(
        "01 a search and what follows within half an hour is one session",
        [
            ("2 10:00:00", viewed(referrer="https://www.google.de/search?q=shoes")),
            ("2 10:10:00", viewed()),
            ("2 10:39:00", did()),
        ],
        [
            came("google", "organic", term="shoes", channel_ua="Organic Search", channel_ga4="Organic Search")
            | {"page_view_count": 2, "named_event_count": 1, "duration_s": 2340, "is_bounce": False}
        ],
    ),
    Example(
        "02 thirty minutes of silence split, one second less does not",
        [("2 10:00:00", viewed()), ("2 10:29:59", viewed()), ("2 10:59:59", viewed())],
        [
            DIRECT | {"event_count": 2, "is_new_visitor": True},
            DIRECT | {"event_count": 1, "is_new_visitor": False, "session_number": 2},
        ],
    ),
    Example(
        "03 midnight splits, and the direct session after it inherits the source",
        [
            ("2 23:50:00", viewed("utm_source=nl&utm_medium=email")),
            ("2 23:58:00", viewed()),
            ("3 00:02:00", viewed()),
        ],
        [
            came("nl", "email", event_count=2, is_direct=False),
            came("nl", "email", event_count=1, is_direct=True, own_source="(direct)", is_new_visitor=False),
        ],
    ),
    Example(
        "04 midnight is the site's own",
        [("7/1 23:50:00", viewed()), ("7/2 00:10:00", viewed())],
        [{"session_date": "2026-07-01"}, {"session_date": "2026-07-02"}],
        site={"timezone": "America/New_York"},
    ),
    Example(
        "05 another campaign opens a session, and so does the way back",
        [
            ("2 09:00:00", viewed("utm_source=a&utm_medium=cpc")),
            ("2 09:05:00", viewed()),
            ("2 09:10:00", viewed("utm_source=b&utm_medium=cpc")),
            ("2 09:12:00", viewed("utm_source=a&utm_medium=cpc")),
        ],
        [PAID("a") | {"event_count": 2}, PAID("b"), PAID("a")],
    ),
    Example(
        "06 the same campaign again does not split",
        [
            ("2 09:00:00", viewed("utm_source=a&utm_medium=cpc")),
            ("2 09:01:00", viewed("utm_source=a&utm_medium=cpc")),
            ("2 09:02:00", viewed("utm_source=a&utm_medium=cpc", event_type="event")),
        ],
        [PAID("a") | {"event_count": 3}],
    ),
    Example(
        "07 another page of the same referrer does not split, nor does the site itself",
        [
            ("2 09:00:00", viewed(referrer="https://blog.example.org/p1")),
            ("2 09:05:00", viewed(referrer="https://blog.example.org/p2")),
            ("2 09:06:00", viewed(referrer=f"{HOME}/")),
        ],
        [
            came(
                "blog.example.org", "referral", event_count=3, content="/p1", referral_path="/p1", channel_ua="Referral"
            )
        ],
    ),
    Example(
        "08 a direct session inherits until another source comes",
        [
            ("2 09:00:00", viewed(referrer="https://t.co/x")),
            ("3 09:00:00", viewed()),
            ("4 09:00:00", viewed(referrer="https://www.bing.com/")),
        ],
        [
            came("t.co", "referral", is_direct=False, channel_ua="Social", channel_ga4="Organic Social"),
            came("t.co", "referral", is_direct=True, channel_ua="Social"),
            came("bing", "organic", is_direct=False, term="(not provided)"),
        ],
    ),
    Example(
        "09 a source older than the campaign timeout is not inherited",
        [("1/1 09:00:00", viewed("utm_source=x&utm_medium=email")), ("8/2 09:00:00", viewed())],
        [came("x", "email"), DIRECT | {"campaign": "(direct)", "term": "(not set)", "is_direct": True}],
    ),
    Example(
        "10 neither a non-interaction nor a timing prevents a bounce, but both extend the session",
        [
            ("2 09:00:00", viewed()),
            ("2 09:10:00", did(is_interaction=False)),
            ("2 09:20:00", did("timing")),
        ],
        [{"is_bounce": True, "duration_s": 0, "session_end_at": "2026-03-02T08:20:00+00:00", "event_count": 3}],
    ),
    Example(
        "11 a session without interaction is no visit",
        [("2 09:00:00", did(is_interaction=False))],
        [{"visits": None, "is_bounce": False}],
    ),
    Example(
        "12 a client can end a session",
        [("2 09:00:00", viewed()), ("2 09:05:00", viewed(session_control="end")), ("2 09:06:00", did())],
        [{"duration_s": 300, "event_count": 2}, {"event_count": 1}],
    ),
    Example(
        "13 a client can start a session",
        [("2 09:00:00", did(session_control="start")), ("2 09:01:00", did(session_control="start"))],
        [{"event_count": 1}, {"event_count": 1}],
    ),
    Example(
        "14 an event that was queued joins two sessions into one",
        [("2 09:00:00", viewed()), ("2 09:50:00", viewed()), ("2 09:51:00", did(queue_time_ms=1_560_000))],
        [{"event_count": 3}],
    ),
    Example(
        "15 an event belongs to the day on which it happened",
        [("3 00:05:00", viewed(queue_time_ms=600_000))],
        [{"session_date": "2026-03-02", "session_start_at": "2026-03-02T22:55:00+00:00"}],
    ),
    Example(
        "16 an ad click decides the source, the tags the campaign",
        [("2 09:00:00", viewed("gclid=G1&utm_source=fb&utm_medium=social&utm_campaign=c1"))],
        [came("google", "cpc", campaign="c1", channel_ua="Paid Search", channel_ga4="Paid Search")],
    ),
    Example(
        "17 another ad click is another source",
        [("2 09:00:00", viewed("gclid=G1")), ("2 09:03:00", viewed("gclid=G2"))],
        [came("google", "cpc"), came("google", "cpc")],
    ),
    Example(
        "18 a campaign without source decides nothing",
        [("2 09:00:00", viewed(campaign_name="promo", referrer="https://www.facebook.com/"))],
        [came("facebook.com", "referral", campaign="(not set)", channel_ua="Social", channel_ga4="Organic Social")],
    ),
    Example(
        "19 parameters are kept as they are, and Universal Analytics' channels mind the case",
        [("2 09:00:00", viewed(campaign_source="Newsletter", campaign_medium="Email"))],
        [came("Newsletter", "Email", channel_ua="(Other)", channel_ga4="Email")],
    ),
    Example(
        "20 an excluded referrer is direct and does not split",
        [
            ("2 08:50:00", viewed("utm_source=a&utm_medium=cpc")),
            ("2 09:00:00", viewed(referrer="https://pay.example/")),
        ],
        [PAID("a") | {"event_count": 2}],
        site={"referral_exclusions": ["pay.example"]},
    ),
    Example(
        "21 a search engine that tells no keyword is organic",
        [("2 09:00:00", viewed(referrer="https://www.google.com/"))],
        [came("google", "organic", term="(not provided)")],
    ),
    Example(
        "22 time on page runs to the next page view or the last interaction",
        [
            ("2 09:00:00", viewed(path="/a")),
            ("2 09:01:00", viewed(path="/b")),
            ("2 09:04:00", did()),
            ("2 09:05:00", viewed(path="/c")),
        ],
        [{"landing_page": "/a", "exit_page": "/c", "event_count": 4}],
        pages=[
            {"page_path": "/a", "time_on_page_s": 60, "is_entrance": True, "is_exit": False},
            {"page_path": "/b", "time_on_page_s": 240, "is_entrance": False, "is_exit": False},
            {"page_path": "/c", "time_on_page_s": 0, "is_entrance": False, "is_exit": True},
        ],
    ),
]

FURTHER_EXAMPLES = [
    Example(
        "a lone excluded referrer is direct",
        [("2 09:00:00", viewed(referrer="https://pay.example/"))],
        [DIRECT],
        site={"referral_exclusions": ["pay.example"]},
    ),
    Example(
        "a search for the site's own name is direct where the site says so",
        [("2 09:00:00", viewed(referrer="https://www.bing.com/search?q=My+Shop"))],
        [DIRECT],
        site={"ignored_search_terms": ["my shop"]},
    ),
    Example(
        "manual tags win over an ad click where the site says so",
        [("2 09:00:00", viewed("gclid=G1&utm_source=fb&utm_medium=social"))],
        [came("fb", "social", channel_ua="Social", channel_ga4="Organic Social")],
        site={"has_manual_tagging_override": True},
    ),
    Example(
        "a keyword that is no valid UTF-8 stays as it was sent",
        [("2 09:00:00", viewed(referrer="https://www.google.de/search?q=%FFa+%41"))],
        [came("google", "organic", term="%FFa+%41")],
    ),
    Example(
        "midnight and campaigns do not split where the site says so",
        [
            ("2 23:50:00", viewed("utm_source=a&utm_medium=cpc")),
            ("3 00:05:00", viewed("utm_source=b&utm_medium=cpc")),
        ],
        [PAID("a") | {"event_count": 2, "session_date": "2026-03-02"}],
        site={"splits_at_midnight": False, "splits_on_campaign": False},
    ),
    Example(
        "an event without a visitor is no visit but a page view",
        [("2 09:00:00", viewed(visitor_id=None)), ("2 09:01:00", viewed(visitor_id=None))],
        [{"visits": None, "page_view_count": 1, "is_new_visitor": False}] * 2,
    ),
    Example(
        "the attention of a page view is its largest value, and page views add up",
        [
            ("2 09:00:00", viewed(page_view_id="p1")),
            ("2 09:00:10", did("engagement", is_interaction=False, page_view_id="p1", engaged_ms=8_000)),
            ("2 09:00:30", did("engagement", is_interaction=False, page_view_id="p1", engaged_ms=20_000)),
            ("2 09:01:00", viewed(page_view_id="p2")),
            ("2 09:01:20", did("engagement", is_interaction=False, page_view_id="p2", engaged_ms=5_000)),
        ],
        [{"engaged_ms": 25_000, "is_bounce": False}],
        pages=[{"engaged_ms": 20_000}, {"engaged_ms": 5_000}],
    ),
    Example(
        "a video site's paid and unpaid visits are told apart",
        [
            ("2 09:00:00", viewed(referrer="https://www.youtube.com/watch")),
            ("2 10:00:00", viewed("utm_source=youtube&utm_medium=cpc")),
            ("2 11:00:00", viewed("utm_source=y&utm_medium=mail&utm_campaign=eshop")),
            ("2 12:00:00", viewed("utm_source=y&utm_medium=mail&utm_campaign=workshop")),
        ],
        [
            {"channel_ua": "Social", "channel_ga4": "Organic Video"},
            {"channel_ua": "Paid Search", "channel_ga4": "Paid Video"},
            {"channel_ga4": "Organic Shopping"},
            {"channel_ga4": "Unassigned"},
        ],
    ),
]
