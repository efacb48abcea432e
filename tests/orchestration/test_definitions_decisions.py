"""The decisions inside the assets, as plain functions."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets.models import dbt_arguments, failed_tests, failure_line, layer_of, not_built
from orchestration.clock import clock_of, tags_for
from orchestration.dbt_files import dbt_environment, is_stale, keep_parse, prepared_manifest, sweep_run_folders
from orchestration.errors import LedgerBusy, RebuildUnfinished
from orchestration.failures import final_failures
from orchestration.history import delete_old_runs
from orchestration.partitions import days_of, partition_tags
from orchestration.previews import PREVIEW_ROWS, markdown_table
from orchestration.reporting import retention_table

MODEL = "model.tidemill.fct_sessions"
TEST = "test.tidemill.unique_fct_sessions.1a2b"
SEED = "seed.tidemill.search_engines"


def result(unique_id: str, status: str) -> dict[str, str]:
    return {"unique_id": unique_id, "status": status}


def test_a_transform_is_finished_when_every_model_and_seed_was_built() -> None:
    assert not_built([result(MODEL, "success"), result(SEED, "success"), result(TEST, "fail")]) == []


@pytest.mark.parametrize("status", ["error", "skipped", "runtime error"])
def test_a_transform_stays_open_when_a_model_was_not_built(status: str) -> None:
    assert not_built([result(MODEL, status), result(SEED, "success")]) == ["fct_sessions"]


def test_a_failing_test_fails_the_run_and_a_warning_does_not() -> None:
    assert failed_tests([result(TEST, "fail")]) == ["unique_fct_sessions"]
    assert failed_tests([result(TEST, "error")]) == ["unique_fct_sessions"]
    assert failed_tests([result(TEST, "warn"), result(TEST, "pass"), result(MODEL, "error")]) == []


def test_the_failure_names_what_failed_and_that_the_window_stays_open() -> None:
    assert failure_line(["a"], ["b"]) == "tests failed: b; not built: a; the window stays open for the next run"
    assert failure_line([], []) == ""


def test_only_the_daily_run_pays_for_the_tests_that_read_whole_tables() -> None:
    often = dbt_arguments(full_refresh=False, with_daily_tests=False)
    nightly = dbt_arguments(full_refresh=True, with_daily_tests=True)

    assert often == ["build", "--exclude-resource-type", "unit_test", "--exclude", "tag:daily"]
    assert nightly == ["build", "--exclude-resource-type", "unit_test", "--full-refresh"]


def test_layers_come_from_folders_and_seeds_are_apart() -> None:
    assert layer_of({"resource_type": "model", "fqn": ["tidemill", "marts", "web", "fct_sessions"]}) == "marts"
    assert layer_of({"resource_type": "seed", "fqn": ["tidemill", "search_engines"]}) == "seeds"


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        ({}, []),
        ({"dagster/partition": "2026-03-10"}, [date(2026, 3, 10)]),
        (partition_tags(date(2026, 2, 27), date(2026, 3, 1)), [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]),
        (partition_tags(date(2026, 3, 1), date(2026, 3, 1)), [date(2026, 3, 1)]),
    ],
)
def test_the_days_of_a_run_are_those_of_its_tags(tags: dict[str, str], days: list[date]) -> None:
    assert days_of(tags) == days


def test_the_clock_of_a_run_stands_still_where_its_tag_says() -> None:
    noon = datetime(2031, 3, 10, 12, tzinfo=UTC)

    assert clock_of(tags_for(noon))() == noon
    assert abs((clock_of(tags_for(None))() - datetime.now(UTC)).total_seconds()) < 5
    with pytest.raises(ValueError, match="no offset"):
        clock_of({"tidemill/now": "2031-03-10T12:00:00"})


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        (
            "postgresql://ann:s%20ecret@db.example:6543/mill?sslmode=require",
            {
                "DBT_HOST": "db.example",
                "DBT_PORT": "6543",
                "DBT_USER": "ann",
                "DBT_PASSWORD": "s ecret",
                "DBT_DATABASE": "mill",
                "DBT_SSLMODE": "require",
            },
        ),
        (
            "postgresql://postgres@/tidemill?host=/home/a%20b/postgres",
            {"DBT_HOST": "/home/a b/postgres", "DBT_USER": "postgres", "DBT_DATABASE": "tidemill"},
        ),
    ],
)
def test_dbt_reaches_the_same_database(url: str, environment: dict[str, str]) -> None:
    assert dbt_environment(url) == environment


def test_what_somebody_must_look_at_is_not_tried_again_and_a_busy_ledger_is() -> None:
    with pytest.raises(dg.Failure, match="unfinished") as failure, final_failures():
        raise RebuildUnfinished("unfinished")
    assert failure.value.allow_retries is False

    with pytest.raises(LedgerBusy), final_failures():
        raise LedgerBusy("busy")


def test_the_manifest_is_stale_when_any_file_is_newer_or_one_was_deleted(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "a.sql").write_text("select 1")
    (models / "b.sql").write_text("select 2")
    assert is_stale(tmp_path)

    manifest = tmp_path / "target" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text("{}")
    newest_ns = max(path.stat().st_mtime_ns for path in (models, *models.iterdir()))
    os.utime(manifest, ns=(newest_ns, newest_ns))
    assert not is_stale(tmp_path)

    (models / "b.sql").unlink()
    os.utime(models, ns=(newest_ns + 1, newest_ns + 1))
    assert is_stale(tmp_path)


def test_an_edited_dbt_test_stays_the_check_of_its_model(tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": "{name: shop, profile: shop}",
        "profiles.yml": "shop: {outputs: {dev: {type: postgres, host: h, user: u, password: p, port: 5432, dbname: d,"
        " schema: s}}, target: dev}",
        "models/a.sql": "select 1 as one",
        "tests/one.sql": "select * from {{ ref('a') }} where one = 2",
        "tests/tests.yml": "data_tests: [{name: one, config: {meta: {dagster: {ref: {name: a}}}}}]",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = prepared_manifest(tmp_path).read_text()
    (tmp_path / "tests" / "one.sql").write_text("select * from {{ ref('a') }} where one = 3")
    after = prepared_manifest(tmp_path).read_text()

    assert after != before
    assert json.loads(after)["nodes"]["test.shop.one"]["config"]["meta"] == {"dagster": {"ref": {"name": "a"}}}


def test_only_old_folders_of_runs_are_swept(tmp_path: Path) -> None:
    for name, changed_s in (("dbt_models-old", 100), ("dbt_models-new", 900), ("compiled", 100)):
        folder = tmp_path / "target" / name
        folder.mkdir(parents=True)
        os.utime(folder, (changed_s, changed_s))

    assert sweep_run_folders(tmp_path, now_s=1_000, age_max_s=500) == 1
    assert {folder.name for folder in (tmp_path / "target").iterdir()} == {"dbt_models-new", "compiled"}


def test_a_run_begins_with_what_the_one_before_parsed(tmp_path: Path) -> None:
    saved = tmp_path / "target" / "partial_parse.msgpack"
    run_folder = tmp_path / "target" / "dbt_models-1"
    run_folder.mkdir(parents=True)
    saved.write_bytes(b"for no warehouse")

    keep_parse(tmp_path, run_folder)
    assert saved.read_bytes() == b"for no warehouse"

    (run_folder / "partial_parse.msgpack").write_bytes(b"for this warehouse")
    keep_parse(tmp_path, run_folder)
    assert saved.read_bytes() == b"for this warehouse"
    assert {path.name for path in (tmp_path / "target").iterdir()} == {"partial_parse.msgpack", "dbt_models-1"}


def test_old_loads_are_forgotten_and_daily_runs_are_kept() -> None:
    with dg.instance_for_test() as instance:
        for job in ("load", "transform", "daily"):
            instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.SUCCESS))
        instance.add_run(dg.DagsterRun(job_name="load", status=dg.DagsterRunStatus.STARTED))
        outputs = {run.run_id: Path(instance.storage_directory()) / run.run_id for run in instance.get_runs()}
        for folder in outputs.values():
            folder.mkdir(parents=True)
        in_a_year_s = datetime.now(UTC).timestamp() + 365 * 86_400

        assert delete_old_runs(instance, now_s=datetime.now(UTC).timestamp()) == 0
        assert delete_old_runs(instance, now_s=in_a_year_s, deleted_max=1) == 1
        assert delete_old_runs(instance, now_s=in_a_year_s) == 1
        left = {(run.job_name, run.status) for run in instance.get_runs()}
        assert {run_id for run_id, folder in outputs.items() if folder.exists()} == {
            run.run_id for run in instance.get_runs()
        }

    assert left == {("daily", dg.DagsterRunStatus.SUCCESS), ("load", dg.DagsterRunStatus.STARTED)}


def test_a_preview_cannot_be_broken_by_what_strangers_sent() -> None:
    table = markdown_table(["a", "b"], [["x|y\n<script>", None], *[[1, 2]] * PREVIEW_ROWS])

    assert "x\\|y &lt;script> |  |" in table
    assert table.endswith("… and 1 more")


def test_retention_is_a_triangle_of_shares() -> None:
    rows = [
        {"site": "s", "cohort_week": date(2026, 3, 2), "week_number": 0, "visitors": 4, "cohort": 4},
        {"site": "s", "cohort_week": date(2026, 3, 2), "week_number": 1, "visitors": 1, "cohort": 4},
        {"site": "s", "cohort_week": date(2026, 3, 9), "week_number": 0, "visitors": 2, "cohort": 2},
    ]

    columns, lines = retention_table(rows)

    assert columns[3:] == ["week 0", "week 1"]
    assert [line[2:] for line in lines] == [[4, "100 %", "25 %"], [2, "100 %", ""]]
