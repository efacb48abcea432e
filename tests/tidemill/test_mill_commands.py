"""Load, daily, backfill, purge and rebuild by command: the schedules' own jobs, on a day of the caller's choice."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from typer.testing import CliRunner

from landing.store import DirectoryStore
from orchestration.database import connect
from orchestration.exclusion import exclusive_ledger
from tests.orchestration.traffic import Writer, event, reject
from tidemill.environment import prepared_environment
from tidemill.main import app

pytestmark = pytest.mark.xdist_group("mill_commands")

DAY = datetime(2031, 3, 10, 12, tzinfo=UTC)
"""In the future, so that nothing can take the real clock for the one that was asked for."""

SITES = "version: 1\nsites:\n  shop: {name: Shop, url: 'https://shop.example/'}\n"
POISON = "inbox/events/2031-03-12/12/broken-000000.parquet"


@dataclass
class Mill:
    """A home with a warehouse of its own, and what its commands reported."""

    home: Path
    url: str
    store: DirectoryStore
    environment: dict[str, str]
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)

    def run(self, name: str, *arguments: str) -> dict[str, Any]:
        """Run a command, keep its report and exit code under `name`."""
        result = CliRunner().invoke(app, [*arguments, "--json"])
        assert result.exit_code in {0, 1}, result.output
        self.codes[name] = result.exit_code
        self.reports[name] = json.loads(result.stdout)
        return self.reports[name]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


def visit(day: datetime, visitor: str) -> list[dict[str, Any]]:
    return [event(day + timedelta(minutes=minute), visitor_id=visitor) for minute in range(2)]


@pytest.fixture(scope="module")
def mill(postgres_server: str) -> Iterator[Mill]:
    """Three days of visits, ground by one command after another; the tests look at what each left behind."""
    home = Path(tempfile.mkdtemp(prefix="tm-home-", dir="/tmp"))
    (home / "sites.yml").write_text(SITES)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        for name in ("mill_commands", "mill_commands_dagster"):
            connection.execute(f'create database "{name}" template template0'.encode())
    url = postgres_server.replace("/postgres?", "/mill_commands?")
    storage = postgres_server.replace("/postgres?", "/mill_commands_dagster?")
    with pytest.MonkeyPatch.context() as patch:
        environment = {
            "TIDEMILL_HOME": str(home),
            "TIDEMILL_SITES": str(home / "sites.yml"),
            "TIDEMILL_DATABASE_URL": url,
            "DAGSTER_PG_URL": storage.replace("postgresql://", "postgresql+psycopg2://"),
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        mill = Mill(home, url, DirectoryStore(home / "landing"), environment)
        _grind(mill)
        yield mill
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        for name in ("mill_commands", "mill_commands_dagster"):
            connection.execute(f'drop database "{name}" with (force)'.encode())
    shutil.rmtree(home, ignore_errors=True)


def _grind(mill: Mill) -> None:
    writer = Writer(mill.store)
    for number in range(2):
        day = DAY + timedelta(days=number)
        writer.ship(events=visit(day, "v1") + visit(day, f"w{number}"), rejects=[reject(day)])
    third = DAY + timedelta(days=2)
    mill.run("load", "load", "--now", third.isoformat())
    mill.run("daily", "daily", "--date", "2031-03-11", "--now", third.isoformat())
    writer.ship(events=visit(third, "v1"))
    mill.run("backfill", "backfill", "--from", "2031-03-11", "--to", "2031-03-12", "--now", "2031-03-13T00:30:00")
    mill.run("dry run", "purge", "--before", "2031-03-11", "--dry-run", "--now", "2031-03-14T12:00:00Z")
    mill.reports["raw before"] = {"rows": mill.rows("select count(*) from raw.events")}
    mill.reports["sessions"] = {"rows": mill.rows("select * from marts.fct_sessions order by session_id")}
    mill.run("rebuild", "rebuild", "--now", "2031-03-14T13:00:00Z")
    mill.reports["sessions again"] = {"rows": mill.rows("select * from marts.fct_sessions order by session_id")}
    mill.run("purge", "purge", "--before", "2031-03-11", "--now", "2031-03-14T14:00:00Z")
    mill.reports["rows left"] = {"rows": mill.rows("select count(*) from raw.events")}
    mill.reports["sessions left"] = {"rows": mill.rows("select count(*) from marts.fct_sessions")}
    mill.reports["loaded on"] = {"rows": mill.rows("select distinct loaded_at::date::text from raw.events order by 1")}
    mill.store.put(POISON, b"not Parquet")
    _while_another_works(mill, "poison", "load", "--now", "2031-03-14T15:00:00Z")
    mill.run("status", "status")
    _spoil_the_ledger(mill)
    writer.ship(events=visit(third, "v2"))
    mill.run("last load", "load", "--now", "2031-03-14T16:00:00Z")
    mill.run("failing test", "transform", "--now", "2031-03-14T16:30:00Z")
    mill.reports["open windows"] = {"rows": mill.rows("select count(*) from ops.transforms where finished_at is null")}


def _spoil_the_ledger(mill: Mill) -> None:
    with connect(mill.url) as connection:
        connection.execute(
            "update ops.load_counts set landed_rows = landed_rows + 1"
            " where received_date = '2031-03-12' and reason = ''"
        )


def _while_another_works(mill: Mill, name: str, *arguments: str) -> None:
    """Run a command beside a purge, which ends as soon as the command has said that it waits."""
    said: list[str] = []
    with connect(mill.url) as connection, exclusive_ledger(connection, work="purge", wait_s=1):

        def end_purge(line: str) -> None:
            said.append(line)
            connection.close()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tidemill.jobs.say", end_purge)
            mill.run(name, *arguments)
    mill.reports[name]["said"] = said


def test_a_command_says_whom_it_waits_for(mill: Mill) -> None:
    (line,) = mill.reports["poison"]["said"]

    assert re.fullmatch(r"another purge since \d\d:\d\d:\d\d UTC is at work; waiting until it ends", line)


def test_a_load_reports_rows_objects_and_bytes(mill: Mill) -> None:
    report = mill.reports["load"]

    assert mill.codes["load"] == 0
    assert report["assets"]["raw/events"]["loaded_rows"] == 8
    assert report["assets"]["raw/rejects"]["loaded_rows"] == 2
    assert report["assets"]["raw/events"]["objects"] == 4
    assert report["assets"]["raw/events"]["archive_bytes"] > 0


def test_the_daily_run_builds_the_marts_and_closes_its_day_and_the_one_that_was_missed(mill: Mill) -> None:
    assert mill.codes["daily"] == 0
    assert mill.reports["daily"]["assets"]["ops/closed_days"] == {
        "days": 1,
        "missed_days": 1,
        "first_day": "2031-03-11",
        "last_day": "2031-03-11",
    }
    assert "marts/fct_daily_summary" in mill.reports["daily"]["assets"]


def test_a_backfill_is_one_run_over_its_days(mill: Mill) -> None:
    assert mill.codes["backfill"] == 0
    assert mill.reports["backfill"]["assets"]["ops/closed_days"]["days"] == 2
    assert mill.rows("select day::text from ops.closed_days order by 1") == [
        ("2031-03-10",),
        ("2031-03-11",),
        ("2031-03-12",),
    ]


def test_the_clock_of_a_run_is_the_one_that_was_asked_for(mill: Mill) -> None:
    assert mill.reports["loaded on"]["rows"] == [
        ("2031-03-12",),
        ("2031-03-13",),
    ]


def test_a_dry_run_lists_what_would_go_and_removes_nothing(mill: Mill) -> None:
    purge = mill.reports["dry run"]["assets"]["ops/purge"]

    assert mill.codes["dry run"] == 0
    assert (purge["dry_run"], purge["raw_days"], purge["raw_rows"]) == (True, 2, 5)
    assert purge["list"]["raw_days"] == ["raw.events 2031-03-10 4", "raw.rejects 2031-03-10 1"]
    assert mill.reports["raw before"]["rows"] == [(10,)]


def test_a_rebuild_gives_the_same_marts(mill: Mill) -> None:
    assert mill.codes["rebuild"] == 0
    assert mill.reports["rebuild"]["restored_rows"] == 12
    assert mill.reports["sessions again"]["rows"] == mill.reports["sessions"]["rows"]
    assert len(mill.reports["sessions"]["rows"]) == 5


def test_a_purge_drops_the_raw_day_and_keeps_the_marts(mill: Mill) -> None:
    assert mill.codes["purge"] == 0
    assert mill.reports["purge"]["assets"]["ops/purge"]["raw_days"] == 2
    assert mill.reports["rows left"]["rows"] == [(6,)]
    assert mill.reports["sessions left"]["rows"] == [(5,)]


def test_a_poison_object_fails_its_check_with_the_reason_and_the_exit_code(mill: Mill) -> None:
    report = mill.reports["poison"]

    assert mill.codes["poison"] == 1
    assert report["assets"]["raw/events"]["quarantined_objects"] == 1
    (failed,) = report["failed_checks"]
    assert failed.startswith(
        f"raw/events: nothing_is_quarantined - {POISON}: quarantined: not a readable Parquet object"
    )


def test_a_failing_dbt_test_fails_the_transform_and_its_check_and_names_itself(mill: Mill) -> None:
    report = mill.reports["failing test"]

    assert mill.codes["failing test"] == 1
    assert report["error"].startswith("tests failed: assert_pipeline_ledger_is_balanced")
    assert any(
        each.startswith("marts/fct_pipeline_ledger: assert_pipeline_ledger_is_balanced")
        for each in report["failed_checks"]
    )
    assert mill.reports["open windows"]["rows"] == [(0,)], "every model was built: the window is covered"


def test_status_has_the_ledger_the_spool_the_runs_and_the_days(mill: Mill) -> None:
    status = mill.reports["status"]
    expected = {"landed": 10, "late": 0, "rejected": 2, "duplicates": 0, "quarantined_objects": 1}

    assert status["ledger"].items() >= expected.items()
    assert status["spool"]["segments"] == 0
    assert {run["job"]: run["status"] for run in status["runs"]} == {
        "load": "success",
        "transform": "success",
        "daily": "success",
        "purge": "success",
    }
    assert [(day["day"], day["sessions"]) for day in status["days"]] == [
        ("2031-03-12", 1),
        ("2031-03-11", 2),
        ("2031-03-10", 2),
    ]


def test_the_runs_are_in_dagsters_storage_with_partitions_and_without_blocking_the_schedules(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in mill.environment.items():
        monkeypatch.setenv(name, value)
    with prepared_environment(), dg.DagsterInstance.get() as instance:
        runs = instance.get_runs()
        closed = instance.get_materialized_partitions(dg.AssetKey(["ops", "closed_days"]))

    assert {run.job_name for run in runs} == {"load", "daily", "transform", "purge"}
    assert {run.tags["tidemill/cadence"] for run in runs} == {"command"}
    assert closed == {"2031-03-10", "2031-03-11", "2031-03-12"}


def test_dagsters_storage_is_asked_over_few_connections(mill: Mill) -> None:
    ((connections,),) = mill.rows("select sessions from pg_stat_database where datname = 'mill_commands_dagster'")

    assert connections < 1_000, "one for each thing that ten runs note would be thousands"
