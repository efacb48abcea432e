"""The guarantee on which everything else rests, on random histories, beside a second implementation of the rules."""

import random
from collections import Counter
from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.dbt_project.reference import losses_of, refused_copies, sessions_of
from tests.dbt_project.scenario import SOURCES, Scenario, make_scenario, remapped
from tests.dbt_project.warehouse import PROJECT, Warehouse
from tests.fixtures.marts import dump_marts
from tests.fixtures.transform import failures

MODELS = sorted(
    path.stem for folder in ("intermediate", "marts") for path in (PROJECT / "models" / folder).rglob("*.sql")
)


@pytest.mark.long
@settings(
    derandomize=True,
    max_examples=3,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # a seed has nothing to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(min_value=0, max_value=2**32 - 1))
def test_any_history_gives_the_marts_of_a_full_refresh(warehouse: Warehouse, seed: int) -> None:
    note(f"make_scenario({seed})")
    scenario = make_scenario(seed, MODELS)

    live_through(warehouse, scenario)

    step_by_step = dump_marts(warehouse.url) | events_of(warehouse)
    tested = warehouse.dbt("test", "--exclude-resource-type", "unit_test")
    assert tested.success, failures(tested)
    warehouse.transform(full_refresh=True)
    at_once = dump_marts(warehouse.url) | events_of(warehouse)
    assert [name for name in at_once if step_by_step[name] != at_once[name]] == []
    assert step_by_step == at_once
    assert actual_sessions(warehouse) == expected_sessions(warehouse, scenario)
    assert actual_conflicts(warehouse) == expected_conflicts(warehouse)
    assert actual_losses(warehouse) == losses_of(warehouse.deliveries, scenario.final_sites)


def live_through(warehouse: Warehouse, scenario: Scenario) -> None:
    """Load and transform as the history says, with its crashes."""
    warehouse.reset()
    for site, site_settings in scenario.sites.items():
        warehouse.set_site(site, **site_settings)
    for step in scenario.steps:
        for site, site_settings in step.settings.items():
            warehouse.set_site(site, **site_settings)
        warehouse.load(step.deliveries, late=step.late)
        if step.remap_seed is not None:
            remap(warehouse, random.Random(step.remap_seed))
        if step.is_transformed:
            if step.dies_after:
                warehouse.transform("--select", f"+{step.dies_after}", finish=False)
            warehouse.transform()


def remap(warehouse: Warehouse, chance: random.Random) -> None:
    """Map the rows of some batches anew."""
    for batch_id in chance.sample(warehouse.batch_ids, chance.randrange(1, 4)):
        warehouse.remap(batch_id, partial(remapped, chance))


def events_of(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    """The deduplicated events and what repeats them: the state from which the next run goes on."""
    return {
        name: warehouse.rows(f"select * from intermediate.{name} order by {key}")
        for name, key in (
            ("int_events", "site_id, event_id"),
            ("int_repeats", "site_id, event_id, batch_id, segment_id, segment_row"),
        )
    }


def expected_conflicts(warehouse: Warehouse) -> Counter[tuple[str, date]]:
    """The reference's refused deliveries by site and UTC day of receipt."""
    return Counter((row["site_id"], row["received_at"].date()) for row in refused_copies(warehouse.deliveries))


def actual_conflicts(warehouse: Warehouse) -> Counter[tuple[str, date]]:
    """Likewise, as the ledger counts them; the list of rejects must count the same."""
    query = "select site_id, received_date, {count} as n from marts.{table} where {condition}"
    counts = [
        Counter({(row["site_id"], row["received_date"]): row["n"] for row in warehouse.rows(query.format(**parts))})
        for parts in (
            {"count": "conflict_count", "table": "fct_pipeline_ledger", "condition": "conflict_count > 0"},
            {"count": "reject_count", "table": "fct_pipeline_rejects", "condition": "reason = 'id_conflict'"},
        )
    ]
    assert counts[0] == counts[1]
    return counts[0]


def expected_sessions(warehouse: Warehouse, scenario: Scenario) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The reference's sessions by visitor and number."""
    return _by_key(sessions_of(warehouse.deliveries, scenario.final_sites, SOURCES))


def actual_sessions(warehouse: Warehouse) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The models' sessions by visitor and number, with the columns that the reference computes."""
    rows = warehouse.rows(
        "select site_id, visitor_id, session_number, first_event_id::text,"
        " regexp_replace(landing_page, '[?].*', '') as landing_page,"
        " regexp_replace(exit_page, '[?].*', '') as exit_page,"
        " source, medium, campaign, campaign_id, term, content, referral_path, is_direct, visits, event_count,"
        " interaction_count, page_view_count, engaged_ms, duration_s::float8, is_new_visitor, is_bounce, is_bot,"
        " session_start_at, session_end_at, session_date from marts.fct_sessions"
    )
    return _by_key(rows)


def actual_losses(warehouse: Warehouse) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The marts' losses as the reference tells them."""
    rows = warehouse.rows(
        "select site_id, page_view_date, browser, browser_version,"
        " expected_count, received_count, bot_expected_count, bot_received_count from marts.fct_tracker_loss"
    )
    keyed = [tuple(row.values()) for row in rows]
    return {row[:4]: row[4:] for row in keyed}


def _by_key(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {(row["site_id"], row["visitor_id"], row["session_number"]): row for row in rows}
