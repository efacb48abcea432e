"""Every worked example of the session rules, all built by one run of the real models."""

from datetime import date, datetime
from typing import Any

import pytest

from tests.dbt_project.warehouse import Row, Warehouse
from tests.dbt_project.worked_examples import EXAMPLES, FURTHER_EXAMPLES, Example

pytestmark = pytest.mark.xdist_group("worked examples")

ALL = [*EXAMPLES, *FURTHER_EXAMPLES]


@pytest.fixture(scope="module")
def computed(parsed_warehouse: Warehouse) -> dict[str, dict[str, list[Row]]]:
    """Sessions and page views of each example, which is the site of its place in the list."""
    parsed_warehouse.reset()
    for place, example in enumerate(ALL):
        parsed_warehouse.set_site(f"s{place}", **{"timezone": "Europe/Berlin"} | example.site)
    parsed_warehouse.load([row for place, example in enumerate(ALL) for row in example.rows(f"s{place}")])
    parsed_warehouse.transform(command="build")
    sessions = parsed_warehouse.rows(
        "select * from marts.fct_sessions order by site_id, session_start_at, session_number"
    )
    pages = parsed_warehouse.rows("select * from marts.fct_page_views order by site_id, occurred_at")
    return {
        f"s{place}": {
            "sessions": [row for row in sessions if row["site_id"] == f"s{place}"],
            "pages": [row for row in pages if row["site_id"] == f"s{place}"],
        }
        for place in range(len(ALL))
    }


@pytest.mark.parametrize("example", ALL, ids=[example.rule.replace(" ", "_") for example in ALL])
def test_example(computed: dict[str, dict[str, list[Row]]], example: Example) -> None:
    found = computed[f"s{ALL.index(example)}"]

    assert _selected(found["sessions"], example.sessions) == example.sessions
    assert not example.pages or _selected(found["pages"], example.pages) == example.pages


def test_there_are_all_twenty_two() -> None:
    assert [example.rule[:2] for example in EXAMPLES] == [f"{number:02d}" for number in range(1, 23)]


def _selected(rows: list[Row], expected: list[Row]) -> list[Row]:
    """Of each row, the columns that are expected of it; surplus rows whole, so that they show."""
    return [
        {name: _plain(row[name]) for name in (expected[place] if place < len(expected) else row)}
        for place, row in enumerate(rows)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
