import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.dbt_project.warehouse import Row, Warehouse, event_row, utc

pytestmark = pytest.mark.xdist_group("tracker loss")

START = utc("2026-03-02T23:50:00")
COUNTS = ("page_view_count", "headless_page_view_count", "expected_count", "received_count", "lost_count")
BOT_COUNTS = ("bot_page_view_count", "bot_expected_count", "bot_received_count", "bot_lost_count")


def numbered(number: Any, *, page_view: str | None = "p", at: datetime = START, **values: Any) -> Row:
    """An event of our tracker."""
    sent = {"protocol": "tracker", "page_view_id": page_view, "contexts": json.dumps({"seq": number, "dpr": 2})}
    return event_row(at, **{"browser": "Firefox", "browser_version": "128.0"} | sent | values)


def losses(warehouse: Warehouse, columns: Sequence[str], site: str = "shop") -> list[tuple[Any, ...]]:
    """A site's rows of the mart, by day."""
    rows = warehouse.rows(
        f"select {', '.join(columns)} from marts.fct_tracker_loss where site_id = %s order by page_view_date, browser",
        (site,),
    )
    return [tuple(row.values()) for row in rows]


EXAMPLES: dict[str, tuple[list[Row], Sequence[str], list[tuple[Any, ...]]]] = {
    "a gap in the numbers is a lost event": (
        [numbered(1), numbered(2), numbered(5), numbered(5), numbered(1, page_view="q")],
        ["page_view_date::text", "browser", "browser_version", "loss_rate::text", *COUNTS],
        [("2026-03-02", "Firefox", "128", "0.333333", 2, 0, 6, 4, 2)],
    ),
    "a page view without its first event is counted": (
        [numbered(2), numbered(3), numbered(1, page_view="q")],
        COUNTS,
        [(2, 1, 4, 3, 1)],
    ),
    "each browser and version has its own losses": (
        [
            numbered(1),
            numbered(1, page_view="q"),
            numbered(2, page_view="r", browser="Safari", browser_version="17.4"),
            numbered(3, page_view="s", browser=None, browser_version=None),
        ],
        ["browser", "browser_version", "lost_count"],
        [("(not set)", "(not set)", 2), ("Firefox", "128", 0), ("Safari", "17", 1)],
    ),
    "another session or visitor within a page view is no loss": (
        [
            numbered(1),
            numbered(2, at=START + timedelta(minutes=20)),
            numbered(3, visitor_id="bob"),
            numbered(4, at=START + timedelta(hours=3)),
            numbered(5, visitor_id=None),
        ],
        ["page_view_date::text", *COUNTS],
        [("2026-03-02", 1, 0, 5, 5, 0)],
    ),
    "bots are counted beside people": (
        [numbered(1), numbered(1, page_view="q"), numbered(4, page_view="q", is_bot=True)],
        [*COUNTS, *BOT_COUNTS],
        [(1, 0, 1, 1, 0, 1, 4, 2, 2)],
    ),
    "what is no number of the tracker is not counted": (
        [numbered(number) for number in (1, 0, -1, 10_000, 1e300, 1.5, "many", None, {"a": 1}, [2])]
        + [numbered(7, protocol="plausible"), numbered(7, page_view=None)]
        + [numbered(1, contexts=contexts) for contexts in (None, "[1]", '"seq"')],
        COUNTS,
        [(1, 0, 1, 1, 0)],
    ),
}


@pytest.fixture(scope="module")
def computed(parsed_warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """What each example gives, built by one run; each is a site."""
    parsed_warehouse.reset()
    for rule in EXAMPLES:
        parsed_warehouse.set_site(rule)
    parsed_warehouse.load([row | {"site_id": rule} for rule, (rows, _, _) in EXAMPLES.items() for row in rows])
    parsed_warehouse.transform(command="build")
    return {rule: losses(parsed_warehouse, columns, rule) for rule, (_, columns, _) in EXAMPLES.items()}


@pytest.mark.parametrize("rule", EXAMPLES, ids=[rule.replace(" ", "_") for rule in EXAMPLES])
def test_example(computed: dict[str, list[tuple[Any, ...]]], rule: str) -> None:
    assert computed[rule] == EXAMPLES[rule][2]


def test_what_arrives_later_fills_the_gap_on_the_day_of_the_page_view(warehouse: Warehouse) -> None:
    yesterday = START - timedelta(days=1)
    warehouse.load([numbered(3), numbered(1, page_view="q")])
    warehouse.transform()
    warehouse.load([numbered(number, at=yesterday, received_at=START + timedelta(days=1)) for number in (1, 2)])
    warehouse.transform(command="build")

    assert losses(warehouse, ["page_view_date::text", *COUNTS]) == [
        ("2026-03-01", 1, 0, 3, 3, 0),
        ("2026-03-02", 1, 0, 1, 1, 0),
    ]


def test_another_time_zone_moves_losses_and_a_purge_keeps_them(warehouse: Warehouse) -> None:
    warehouse.load([numbered(1), numbered(3)])
    warehouse.transform()
    warehouse.set_site("shop", timezone="Europe/Berlin")
    warehouse.transform()
    moved = [("2026-03-03", 1, 0, 3, 2, 1)]
    assert losses(warehouse, ["page_view_date::text", *COUNTS]) == moved

    warehouse.execute("insert into ops.purged_days values ('2026-03-02', 2, now())")
    warehouse.execute("drop table raw.events_2026_03_02")
    warehouse.execute("delete from intermediate.int_events where received_at < '2026-03-03T00:00Z'")
    warehouse.execute("insert into ops.requested_days values ('2026-03-03', now())")
    warehouse.load([numbered(5, at=START + timedelta(days=2))])
    warehouse.transform(command="build")

    assert losses(warehouse, ["page_view_date::text", *COUNTS]) == moved
