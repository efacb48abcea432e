"""What the marts say of stories that real browsers lived: every event once, and as much lost as really was."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from landing.sites import load_sites
from landing.store import DirectoryStore
from orchestration.database import connect, migrate
from orchestration.load import load_inbox
from orchestration.sites_table import sync_sites
from tests.fixtures.collector import CollectorProcess, wait_until
from tests.fixtures.transform import transform
from tests.tracker.shopping import go_shopping
from tests.tracker.site import Site
from tests.tracker.stories import CONDITIONS, STORIES, Visit
from tidemill.checkout import EXAMPLE_SITES

# One load and one transform for all of them.
pytestmark = pytest.mark.xdist_group("tracker marts")

SHOP = "shop"


@dataclass(frozen=True)
class Marts:
    """The warehouse after all stories.

    Attributes:
        url: Of the warehouse.
        told: Events that the pages of each story told, by the id of its site.
    """

    url: str
    told: dict[str, int]

    def rows(self, query: str, site: str) -> list[tuple[Any, ...]]:
        """What a query says of a site."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, {"site": site}).fetchall()


@pytest.fixture(scope="module")
def collector(
    built: Path,  # noqa: ARG001  (the collector serves it)
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CollectorProcess]:
    """A collector that knows the sites of all stories, and the example's."""
    made = CollectorProcess(tmp_path_factory.mktemp("marts") / "home")
    sites = yaml.safe_load(EXAMPLE_SITES.read_text())
    sites["sites"] |= {name: {"name": name} for name in (*STORIES, *CONDITIONS)}
    made.sites.write_text(yaml.safe_dump(sites))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def told(collector: CollectorProcess, visitor: Callable[[], AbstractContextManager[Any]]) -> dict[str, int]:
    """Live every story; gives the number of events that its pages told."""
    site = Site(collector.port)
    counts = {}
    thrown: list[str] = []

    @contextmanager
    def visit(name: str) -> Iterator[Visit]:
        site.reset()
        with visitor() as context:
            context.on("weberror", lambda error: thrown.append(f"{name}: {error.error}"))
            yield Visit(name, site, context)

    try:
        for name, story in STORIES.items():
            with visit(name) as each:
                counts[name] = story(each)
        for name, condition in CONDITIONS.items():
            with visit(name) as each:
                condition.live(each, condition)
            counts[name] = condition.told
        with visit(SHOP) as each:
            counts[SHOP] = go_shopping(each, load_sites(collector.sites).sites[SHOP])
    finally:
        site.close()
    assert thrown == []
    return counts


@pytest.fixture(scope="module")
def marts(
    collector: CollectorProcess, told: dict[str, int], postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Marts]:
    """Everything that was told, loaded and transformed once."""
    wait_until(lambda: not collector.spool())
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("create database tracker_marts template template0")
    url = postgres_server.replace("/postgres?", "/tracker_marts?")
    grind(url, collector, tmp_path_factory.mktemp("dbt"))
    yield Marts(url, told)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("drop database tracker_marts with (force)")


def grind(url: str, collector: CollectorProcess, folder: Path) -> None:
    """Load and transform what has landed."""
    migrate(url)
    with connect(url) as connection:
        sync_sites(connection, collector.sites, clock=lambda: datetime.now(UTC))
    load_inbox(store=DirectoryStore(collector.home / "landing"), database_url=url, clock=lambda: datetime.now(UTC))
    transform(url, folder)


EVENTS = "select count(*), count(distinct event_id) from intermediate.int_events where site_id = %(site)s"
LOSS = """select sum(expected_count)::int, sum(received_count)::int, sum(lost_count)::int
from marts.fct_tracker_loss where site_id = %(site)s"""


@pytest.mark.parametrize("story", [*STORIES, SHOP])
def test_every_event_of_a_story_is_counted_once(marts: Marts, story: str) -> None:
    told = marts.told[story]

    assert marts.rows(EVENTS, story) == [(told, told)]
    assert marts.rows(LOSS, story) == [(told, told, 0)]


def test_views_without_a_network_are_views_of_one_session(marts: Marts) -> None:
    views = marts.rows(
        "select page_path from marts.fct_page_views where site_id = %(site)s order by occurred_at", "offline-views"
    )
    sessions = marts.rows("select page_view_count from marts.fct_sessions where site_id = %(site)s", "offline-views")

    assert views == [("/",), ("/view0",), ("/view1",), ("/view2",)]
    assert sessions == [(4,)]


def test_an_event_that_was_stored_twice_is_a_duplicate_in_raw_and_one_view_in_the_mart(marts: Marts) -> None:
    raw = marts.rows("select event_id from raw.events where site_id = %(site)s", "answer-lost")
    views = marts.rows("select event_id from marts.fct_page_views where site_id = %(site)s", "answer-lost")

    assert len(raw) == 2
    assert len(set(raw)) == 1
    assert views == raw[:1]


def test_a_clock_that_is_a_day_off_gives_the_day_of_the_visit(marts: Marts) -> None:
    ((day, received, flag),) = marts.rows(
        "select session_date, received_at, time_flag from marts.fct_page_views as views"
        " inner join raw.events using (site_id, event_id) where site_id = %(site)s",
        "clock-a-day-behind",
    )

    assert (day, flag) == (received.astimezone(UTC).date(), "corrected")


def test_a_hundred_rapid_navigations_are_a_hundred_and_one_views_of_one_session(marts: Marts) -> None:
    views = marts.rows(
        "select count(*), count(distinct page_path) from marts.fct_page_views where site_id = %(site)s",
        "hundred-navigations",
    )
    sessions = marts.rows(
        "select page_view_count from marts.fct_sessions where site_id = %(site)s", "hundred-navigations"
    )

    assert views == [(101, 101)]
    assert sessions == [(101,)]


def test_privacy_control_gives_a_visitor_of_a_day_and_no_user(marts: Marts) -> None:
    rows = marts.rows(
        "select visitor_id_kind, user_id, client_session_id, gpc from raw.events where site_id = %(site)s",
        "privacy-control",
    )

    assert set(rows) == {("hashed", None, None, True)}


def test_thirty_seconds_with_ten_away_are_twenty_in_the_mart(marts: Marts) -> None:
    ((engaged_ms, scroll_percent),) = marts.rows(
        "select engaged_ms, scroll_percent from marts.fct_page_views where site_id = %(site)s",
        "thirty-seconds-of-reading",
    )

    assert engaged_ms == pytest.approx(20_000, abs=1_000)
    assert scroll_percent == 75


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_loss_that_is_reported_is_what_left_a_gap(marts: Marts, name: str) -> None:
    condition = CONDITIONS[name]

    assert marts.rows(EVENTS, name) == [(condition.arriving, condition.arriving)]
    assert marts.rows(LOSS, name) == [(condition.arriving + condition.gaps, condition.arriving, condition.gaps)]


def test_clicking_around_the_shop_shows_up_in_the_marts(marts: Marts) -> None:
    paths = marts.rows(
        "select page_host, page_path from marts.fct_page_views where site_id = %(site)s order by occurred_at", SHOP
    )
    sessions = marts.rows(
        "select landing_page, exit_page, page_view_count, transaction_count, revenue::text, has_visitor, is_bounce"
        " from marts.fct_sessions where site_id = %(site)s",
        SHOP,
    )
    days = marts.rows(
        "select session_count, page_view_count, visitor_count, revenue::text"
        " from marts.fct_daily_summary where site_id = %(site)s",
        SHOP,
    )

    assert paths == [
        ("127.0.0.1", path)
        for path in ("/", "/stones.html", "/checkout.html", "/thanks.html", "/app.html", "/app/river", "/app/sea")
    ]
    assert sessions == [("/", "/app/sea", 7, 1, "102.500000", True, False)]
    assert days == [(1, 7, 1, "102.500000")]
