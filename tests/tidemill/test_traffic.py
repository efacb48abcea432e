"""The made-up traffic is the same for the same seed and looks like the world."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from landing.sites import load_sites
from tidemill.checkout import EXAMPLE_SITES
from tidemill.demo.send import plan_requests
from tidemill.demo.traffic import BROWSER_SITE, SERVER_SITE, Visit, take, visits, wire_request

UNTIL = datetime(2026, 5, 17, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def traffic() -> list[Visit]:
    return take(visits(seed=1, days=21, until=UNTIL), event_count=8_000)


def times(visit: Visit) -> list[datetime]:
    return [
        datetime.fromisoformat(event["occurred_at"])
        if "occurred_at" in event
        else datetime.fromtimestamp(event["ts"] / 1000, UTC)
        for event in visit.events
    ]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def sent(seed: int) -> list[bytes]:
        chosen = islice(visits(seed=seed, days=21, until=UNTIL), 50)
        return [wire_request(visit, sent_at=UNTIL, secret="s").body for visit in chosen]

    assert sent(7) == sent(7)
    assert not set(sent(7)) & set(sent(8))


def test_events_lie_within_the_time_and_in_order(traffic: list[Visit]) -> None:
    first = UNTIL.replace(hour=0, minute=0) - timedelta(days=20)
    for visit in traffic:
        happened = times(visit)
        assert happened == sorted(happened)
        assert first <= happened[0] <= happened[-1] < UNTIL


def test_every_event_has_an_id_of_its_own(traffic: list[Visit]) -> None:
    ids = [event.get("id") or event["event_id"] for visit in traffic for event in visit.events]

    assert len(set(ids)) == len(ids) >= 8_000


def test_some_visitors_come_back_in_later_weeks_and_fewer_with_each_week(traffic: list[Visit]) -> None:
    days: dict[str, list[datetime]] = {}
    for visit in traffic:
        days.setdefault(visit.visitor.visitor_id, []).append(visit.started_at)
    early = {visitor: starts for visitor, starts in days.items() if min(starts) < UNTIL - timedelta(days=14)}
    weeks = Counter(week for starts in early.values() for week in {(start - min(starts)).days // 7 for start in starts})

    assert weeks[0] == len(early) > weeks[1] > weeks[2] > 0


def test_both_sites_bots_sources_and_campaigns_occur(traffic: list[Visit]) -> None:
    referrers = {event["r"] for visit in traffic for event in visit.events if "r" in event}

    assert {visit.visitor.site_id for visit in traffic} == {BROWSER_SITE, SERVER_SITE}
    assert any(visit.visitor.is_bot for visit in traffic)
    assert any("utm_campaign=autumn" in event.get("u", "") for visit in traffic for event in visit.events)
    assert {"", "https://www.google.com/", "https://t.co/tea"} <= referrers


def test_the_example_sites_file_has_the_sites_that_the_demo_sends_to() -> None:
    sites = load_sites(EXAMPLE_SITES).sites

    assert {BROWSER_SITE, SERVER_SITE} <= set(sites)
    assert [secret.plain for secret in sites[SERVER_SITE].secrets] == ["demo-secret"]


def test_a_repeated_request_is_the_same_bytes_and_a_spoilt_one_counts_no_event(traffic: list[Visit]) -> None:
    planned = list(plan_requests(traffic, seed=3, clock=lambda: UNTIL, secret="s"))
    repeated = [number for number, each in enumerate(planned) if each.is_repeated]
    spoilt = [each for each in planned if each.is_spoilt]

    assert repeated
    assert all(planned[number].request == planned[number - 1].request for number in repeated)
    assert spoilt
    assert {each.request.event_count for each in spoilt} == {0}
    good = [each for each in planned if not each.is_repeated and not each.is_spoilt]
    assert [each.request.event_count for each in good] == [
        len(json.loads(each.request.body)["events"]) for each in good
    ]
