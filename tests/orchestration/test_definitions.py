"""The definitions load where nothing is running, and say what the architecture says."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.jobs import CADENCE_TAG

ROOT = Path(__file__).resolve().parents[2]
GRAPH = defs.resolve_asset_graph()
MADE = {key for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).is_materializable}


def keys(prefix: str) -> set[dg.AssetKey]:
    return {key for key in MADE if key.path[0] == prefix}


def test_dagster_accepts_the_module_without_database_or_settings() -> None:
    bare = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/tmp"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "dagster", "definitions", "validate", "-m", "orchestration.definitions"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=bare,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation successful" in done.stdout + done.stderr


def test_a_load_needs_no_dbt() -> None:
    code = (
        "import sys, orchestration.loading, orchestration.execution; print([m for m in sys.modules if m[:3] == 'dbt'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("job", "prefixes"),
    [
        ("load", {"raw"}),
        ("transform", {"staging", "intermediate", "marts"}),
        ("daily", {"raw", "staging", "intermediate", "marts", "ops"}),
        ("purge", {"ops"}),
    ],
)
def test_each_job_makes_its_layers_one_run_of_a_kind_at_a_time(job: str, prefixes: set[str]) -> None:
    resolved = defs.resolve_job_def(job)

    assert {key.path[0] for key in resolved.asset_layer.executable_asset_keys} == prefixes
    assert resolved.tags[CADENCE_TAG] == job
    assert int(resolved.tags["dagster/max_runtime"]) > 0
    assert resolved.executor_def is dg.in_process_executor


def test_the_daily_job_makes_everything_there_is_with_every_check() -> None:
    daily = defs.resolve_job_def("daily").asset_layer

    assert set(daily.executable_asset_keys) == MADE
    assert set(daily.asset_graph.asset_check_keys) == set(GRAPH.asset_check_keys)


def test_every_mart_descends_from_the_raw_events_or_the_ledger() -> None:
    for mart in keys("marts"):
        roots = {key for key in GRAPH.get_ancestor_asset_keys(mart) if key.path[0] in {"raw", "ops"}}
        assert roots, mart
    assert dg.AssetKey(["raw", "events"]) in GRAPH.get_ancestor_asset_keys(dg.AssetKey(["marts", "fct_sessions"]))


def test_a_day_is_closed_after_its_summaries_then_compacted_then_purged() -> None:
    closed = GRAPH.get(dg.AssetKey(["ops", "closed_days"]))

    assert dg.AssetKey(["marts", "fct_daily_summary"]) in closed.parent_keys
    assert dg.AssetKey(["raw", "events"]) in closed.parent_keys
    assert isinstance(closed.partitions_def, dg.DailyPartitionsDefinition)
    compaction = GRAPH.get(dg.AssetKey(["ops", "archive_compaction"]))
    assert compaction.parent_keys == {closed.key}
    assert GRAPH.get(dg.AssetKey(["ops", "purge"])).parent_keys == {closed.key, compaction.key}


def test_every_asset_has_a_group_an_owner_a_kind_and_a_description() -> None:
    groups = {"raw", "seeds", "staging", "intermediate", "marts", "operations"}
    for key in MADE:
        node = GRAPH.get(key)
        assert node.group_name in groups, key
        assert node.owners, key
        assert any(tag.startswith("dagster/kind/") for tag in node.tags), key
        assert node.description, key


def test_what_models_read_of_the_bookkeeping_is_grouped_and_described_too() -> None:
    read = {key for key in GRAPH.get_all_asset_keys() - MADE if key.path[0] == "ops"}

    assert dg.AssetKey(["ops", "load_counts"]) in read
    assert {GRAPH.get(key).group_name for key in GRAPH.get_all_asset_keys() - MADE} == {"operations"}
    assert all(GRAPH.get(key).description and GRAPH.get(key).owners for key in read)


def test_freshness_watches_what_the_daily_run_makes() -> None:
    watched = {key for key in MADE if GRAPH.get(key).freshness_policy is not None}

    assert watched == keys("marts") | keys("raw") | {dg.AssetKey(["ops", "closed_days"])}


def test_the_raw_events_are_checked_and_every_dbt_test_is_a_check_of_its_model() -> None:
    by_asset: dict[str, set[str]] = {}
    for check in GRAPH.asset_check_keys:
        by_asset.setdefault(check.asset_key.to_user_string(), set()).add(check.name)

    assert by_asset["raw/events"] == {"events_are_conserved", "nothing_is_quarantined"}
    assert any(name.startswith("unique") or "together" in name for name in by_asset["marts/fct_sessions"])


def test_tests_that_read_several_models_are_checks_too() -> None:
    """dbt attaches no model to them; without a name in `tests/_tests.yml` they would fail a run and show nowhere."""
    singular = {path.stem for path in (ROOT / "dbt_project" / "tests").glob("*.sql")}

    assert len(singular) > 1
    assert singular <= {check.name for check in GRAPH.asset_check_keys}


def test_the_schedules_have_the_cadences_of_the_architecture_and_run_by_default() -> None:
    schedules = {schedule.name: schedule for schedule in defs.get_repository_def().schedule_defs}

    assert {name: schedule.cron_schedule for name, schedule in schedules.items()} == {
        "load_each_minute": "* * * * *",
        "transform_every_ten_minutes": "*/10 * * * *",
        "daily_after_midnight": "30 0 * * *",
    }
    assert {schedule.default_status for schedule in schedules.values()} == {dg.DefaultScheduleStatus.RUNNING}
