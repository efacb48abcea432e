"""The guarantee on which everything else rests, on random histories, beside a second implementation of the rules."""

from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.dbt_project.reference import sessions_of
from tests.dbt_project.scenario import SOURCES, Scenario, make_scenario
from tests.dbt_project.warehouse import PROJECT, Warehouse, failures
from tests.fixtures.marts import dump_marts

MODELS = sorted(
    path.stem for folder in ("intermediate", "marts") for path in (PROJECT / "models" / folder).rglob("*.sql")
)


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

    step_by_step = dump_marts(warehouse.url)
    tested = warehouse.dbt("test", "--exclude-resource-type", "unit_test")
    assert tested.success, failures(tested)
    warehouse.transform(full_refresh=True)
    at_once = dump_marts(warehouse.url)
    assert [name for name in at_once if step_by_step[name] != at_once[name]] == []
    assert step_by_step == at_once
    assert actual_sessions(warehouse) == expected_sessions(scenario)


def live_through(warehouse: Warehouse, scenario: Scenario) -> None:
    """Load and transform as the history says, with its crashes."""
    warehouse.reset()
    for site, site_settings in scenario.sites.items():
        warehouse.set_site(site, **site_settings)
    for step in scenario.steps:
        for site, site_settings in step.settings.items():
            warehouse.set_site(site, **site_settings)
        warehouse.load(step.deliveries, late=step.late)
        if step.is_transformed:
            if step.dies_after:
                warehouse.transform("--select", f"+{step.dies_after}", finish=False)
            warehouse.transform()


def expected_sessions(scenario: Scenario) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The reference's sessions by visitor and number."""
    return _by_key(sessions_of(scenario.deliveries, scenario.final_sites, SOURCES))


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


def _by_key(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {(row["site_id"], row["visitor_id"], row["session_number"]): row for row in rows}
