"""Loads, transforms, purges and rebuilds keep out of each other's way where they would hurt."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import psycopg
import pytest

from landing.store import MemoryStore
from orchestration.assets.models import DBT, dbt_models
from orchestration.assets.operations import closed_days
from orchestration.database import connect
from orchestration.errors import LedgerBusy, ModelsBusy
from orchestration.exclusion import Lock, exclusive_ledger, exclusive_models, holder
from orchestration.execution import outcome_of
from orchestration.load import load_inbox
from orchestration.purge import PurgeLimits, execute_purge, plan_purge
from orchestration.rebuild import rebuild_raw
from orchestration.resources import Mill
from tests.fixtures.collector import wait_until
from tests.orchestration.traffic import NOON, Writer, event

ROOT = Path(__file__).parents[2]


def test_the_ledger_is_held_by_one_at_a_time_and_freed_at_the_end(warehouse: str) -> None:
    with connect(warehouse) as one, connect(warehouse) as other:
        with (
            exclusive_ledger(one, work="purge", wait_s=1),
            pytest.raises(LedgerBusy, match=r"waited 0\.05 s"),
            exclusive_ledger(other, work="load", wait_s=0.05),
        ):
            pass
        with exclusive_ledger(other, work="load", wait_s=0.05):
            assert other.execute("show lock_timeout").fetchone() == ("0",)


def test_a_lost_session_frees_the_ledger(warehouse: str) -> None:
    def lose_session() -> None:
        with connect(warehouse) as one, exclusive_ledger(one, work="purge", wait_s=1):
            other.execute("select pg_terminate_backend(%s)", (one.info.backend_pid,))
            one.execute("select 1")

    with connect(warehouse) as other:
        with pytest.raises(psycopg.OperationalError):
            lose_session()

        with exclusive_ledger(other, work="load", wait_s=5):
            pass


def rebuild(store: MemoryStore, database_url: str) -> None:
    rebuild_raw(store=store, database_url=database_url, clock=lambda: NOON, lock_wait_s=0.05)


def purge(store: MemoryStore, database_url: str) -> None:
    with connect(database_url) as connection:
        now = NOON + timedelta(days=40)
        plan = plan_purge(store=store, connection=connection, now=now, limits=PurgeLimits(30, 395))
        execute_purge(plan, store=store, connection=connection, clock=lambda: now, lock_wait_s=0.05)


@pytest.mark.parametrize("act", [rebuild, purge])
def test_what_a_transform_reads_is_not_removed_while_it_runs(
    warehouse: str, act: Callable[[MemoryStore, str], None]
) -> None:
    with (
        connect(warehouse) as connection,
        exclusive_models(connection, work="transform", wait_s=1),
        pytest.raises(ModelsBusy, match=r"another transform since \d\d:\d\d:\d\d UTC is at work \(waited 0\.05 s\)"),
    ):
        act(MemoryStore(), warehouse)


@pytest.mark.parametrize("act", [rebuild, purge])
def test_what_a_load_writes_is_not_removed_while_it_runs(
    warehouse: str, act: Callable[[MemoryStore, str], None]
) -> None:
    with (
        connect(warehouse) as connection,
        exclusive_ledger(connection, work="load", wait_s=1),
        pytest.raises(LedgerBusy, match="another load since"),
    ):
        act(MemoryStore(), warehouse)


def test_a_load_goes_on_beside_a_transform(warehouse: str) -> None:
    store = MemoryStore()
    Writer(store).ship(events=[event(NOON)])

    with connect(warehouse) as connection, exclusive_models(connection, work="transform", wait_s=1):
        report = load_inbox(store=store, database_url=warehouse, clock=lambda: NOON, lock_wait_s=0.05)

    assert report.loaded_rows == {"events": 1}


def test_the_holder_of_a_lock_is_known_by_its_work_in_its_database_only(warehouse: str, postgres_server: str) -> None:
    with connect(warehouse) as one, connect(warehouse) as other, connect(postgres_server) as elsewhere:
        with exclusive_models(one, work="purge", wait_s=1):
            assert str(holder(other, Lock.MODELS)).startswith("purge since ")
            assert holder(other, Lock.LEDGER) is None
            assert holder(elsewhere, Lock.MODELS) is None
        assert holder(other, Lock.MODELS) is None


@pytest.fixture
def settings(warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The warehouse that assets find in the environment."""
    (tmp_path / "sites.yml").write_text("version: 1\nsites:\n  shop: {name: Shop}\n")
    monkeypatch.setenv("TIDEMILL_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMILL_SITES", str(tmp_path / "sites.yml"))
    monkeypatch.setenv("TIDEMILL_DATABASE_URL", warehouse)
    monkeypatch.setenv("DBT_HOST", "")  # put back afterwards, with the others that a transform sets
    monkeypatch.delenv("TIDEMILL_LANDING_URL", raising=False)
    return warehouse


class NoDbt(dg.ConfigurableResource[None]):
    """Takes the place of dbt: does `acts` while dbt would run, and then reports a failing test."""

    acts: ClassVar[tuple[Callable[[], None], ...]] = ()

    def cli(self, *_: object, **__: object) -> "NoDbt":
        for act in self.acts:
            act()
        return self

    def stream(self) -> Iterator[Any]:
        return iter(())

    def get_artifact(self, _name: str) -> dict[str, Any]:
        return {"results": [{"unique_id": "test.tidemill.unique_ids.1a2b", "status": "fail"}]}

    def is_successful(self) -> bool:
        return False

    @property
    def target_path(self) -> Path:
        return Path()


def materialize(asset: dg.AssetsDefinition, *acts: Callable[[], None], **options: Any) -> str:
    """Run the asset, with `acts` in place of dbt; the error."""
    NoDbt.acts = acts
    required = {"mill": Mill(), "dbt": NoDbt()} if asset is dbt_models else {"mill": Mill()}
    with dg.instance_for_test() as instance:
        return outcome_of(
            dg.materialize([asset], resources=required, instance=instance, raise_on_error=False, **options)
        ).error


def test_a_transform_keeps_others_out_for_as_long_as_dbt_runs(settings: str) -> None:
    refused: list[type[Exception]] = []

    def try_all() -> None:
        for act in (rebuild, purge):
            try:
                act(MemoryStore(), settings)
            except ModelsBusy as error:
                refused.append(type(error))

    error = materialize(dbt_models, try_all)

    assert refused == [ModelsBusy, ModelsBusy]
    assert error == "tests failed: unique_ids"


@pytest.mark.parametrize(
    ("asset", "module", "options"),
    [(dbt_models, "models", {}), (closed_days, "operations", {"partition_key": "2026-03-10"})],
)
def test_a_transform_and_a_closing_wait_for_a_rebuild_and_then_say_who_is_at_work(
    settings: str, monkeypatch: pytest.MonkeyPatch, asset: dg.AssetsDefinition, module: str, options: dict[str, str]
) -> None:
    monkeypatch.setattr(f"orchestration.assets.{module}.LOCK_WAIT_S", 0.05)

    with connect(settings) as connection, exclusive_models(connection, work="rebuild", wait_s=1):
        error = materialize(asset, **options)

    assert error.startswith("another rebuild since ")
    assert error.endswith("(waited 0.05 s); try again later")


PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""
CHILD = """
import sys, time
from orchestration.dbt_child import die_with_parent
die_with_parent(int(sys.argv[1]))
print("ready", flush=True)
time.sleep(600)
"""


def test_dbt_dies_with_the_run_that_started_it() -> None:
    """The lock of a killed run is free at once: its dbt may not write on beside that of the next run."""
    assert [DBT.dbt_executable, *DBT.global_config_flags] == [sys.executable, "-m", "orchestration.dbt_child"]
    with subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_alive(child)

        parent.kill()

    try:
        wait_until(lambda: not is_alive(child))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def test_dbt_that_starts_after_its_run_has_died_ends_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD, "1"], capture_output=True, cwd=ROOT, check=False)

    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
