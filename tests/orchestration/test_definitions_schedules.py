"""Schedules launch a run exactly when there is something to do and nobody is doing it."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from landing.store import DirectoryStore, Store
from orchestration.database import connect, migrate
from orchestration.exclusion import exclusive_ledger, exclusive_models
from orchestration.jobs import CADENCE_TAG, LOAD_JOB, TRANSFORM_JOB
from orchestration.load import load_inbox
from orchestration.resources import Mill
from orchestration.schedules import (
    BURST_OBJECTS,
    daily_after_midnight,
    load_each_minute,
    load_on_burst,
    transform_every_ten_minutes,
)
from orchestration.transform_window import finish_transform, plan_transform
from tests.orchestration.traffic import NOON, Writer, event

SITES = """
version: 1
sites:
  shop: {name: Shop}
"""


@pytest.fixture
def store(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The landing zone that the schedules look at, beside an empty, migrated warehouse."""
    (tmp_path / "sites.yml").write_text(SITES)
    monkeypatch.setenv("TIDEMILL_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMILL_SITES", str(tmp_path / "sites.yml"))
    monkeypatch.setenv("TIDEMILL_DATABASE_URL", database_url)
    monkeypatch.delenv("TIDEMILL_LANDING_URL", raising=False)
    migrate(database_url)
    return DirectoryStore(tmp_path / "landing")


@pytest.fixture(scope="module")
def shared_instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as in_a_temporary_folder:
        yield in_a_temporary_folder


@pytest.fixture
def instance(shared_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    shared_instance.wipe()
    return shared_instance


Schedule = Callable[..., dg.RunRequest | dg.SkipReason]


def tick(schedule: Schedule, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=NOON, resources={"mill": Mill()})
    with context:
        return schedule(context)


def reason(outcome: dg.RunRequest | dg.SkipReason) -> str:
    assert isinstance(outcome, dg.SkipReason)
    return outcome.skip_message or ""


def start(instance: dg.DagsterInstance, job: str, *, cadence: str = "") -> None:
    """A run of the job is under way, by its schedule or as `cadence` says."""
    run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED, tags={CADENCE_TAG: cadence or job})
    instance.add_run(run)


def load(store: Store, database_url: str) -> None:
    load_inbox(store=store, database_url=database_url, clock=lambda: NOON)


@pytest.mark.usefixtures("store")
def test_no_load_while_nothing_waits(instance: dg.DagsterInstance) -> None:
    assert reason(tick(load_each_minute, instance)) == "nothing waits in the inbox"


def test_a_load_when_an_object_waits_and_none_once_it_is_loaded(
    store: Store, database_url: str, instance: dg.DagsterInstance
) -> None:
    Writer(store).ship(events=[event(NOON)])
    assert isinstance(tick(load_each_minute, instance), dg.RunRequest)

    load(store, database_url)

    assert reason(tick(load_each_minute, instance)) == "nothing waits in the inbox"


def test_no_second_load_beside_a_running_one(store: Store, instance: dg.DagsterInstance) -> None:
    Writer(store).ship(events=[event(NOON)])
    start(instance, LOAD_JOB.name)

    assert "a load is running" in reason(tick(load_each_minute, instance))


def test_a_burst_is_loaded_without_waiting_for_the_minute(store: Store, instance: dg.DagsterInstance) -> None:
    writer = Writer(store)
    for _ in range(BURST_OBJECTS - 1):
        writer.ship(events=[event(NOON)])

    def outcomes() -> list[dg.RunRequest | dg.SkipReason]:
        with dg.build_sensor_context(instance=instance, resources={"mill": Mill()}) as context:
            return list(load_on_burst(context))

    assert [type(each) for each in outcomes()] == [dg.SkipReason]
    writer.ship(events=[event(NOON)])
    assert [type(each) for each in outcomes()] == [dg.RunRequest]
    start(instance, LOAD_JOB.name)
    assert [type(each) for each in outcomes()] == [dg.SkipReason]


def test_a_transform_for_new_batches_changed_sites_and_requested_days_only(
    store: Store, database_url: str, instance: dg.DagsterInstance
) -> None:
    def because() -> str:
        outcome = tick(transform_every_ten_minutes, instance)
        return outcome.tags["tidemill/because"] if isinstance(outcome, dg.RunRequest) else ""

    def transform(*, requested: tuple[date, ...] = ()) -> None:
        with connect(database_url) as connection:
            plan = plan_transform(connection, clock=lambda: NOON, requested_days=requested)
            finish_transform(connection, plan, clock=lambda: NOON)

    assert because() == "1 changed sites"
    transform()
    assert because() == ""
    Writer(store).ship(events=[event(NOON)])
    load(store, database_url)
    assert because() == "1 batches"
    with connect(database_url) as connection:
        plan_transform(connection, clock=lambda: NOON, requested_days=[date(2026, 3, 9)])
    assert because() == "1 batches, 1 requested days, 1 unfinished transforms"
    transform()
    assert because() == ""


@pytest.mark.parametrize("job", ["transform", "daily"])
def test_no_second_transform_beside_a_running_one(
    store: Store, database_url: str, instance: dg.DagsterInstance, job: str
) -> None:
    Writer(store).ship(events=[event(NOON)])
    load(store, database_url)
    start(instance, job)

    assert "a transform is running" in reason(tick(transform_every_ten_minutes, instance))


def test_nothing_is_started_beside_who_holds_its_lock_and_a_killed_command_blocks_nobody(
    store: Store, database_url: str, instance: dg.DagsterInstance
) -> None:
    writer = Writer(store)
    writer.ship(events=[event(NOON)])
    load(store, database_url)
    writer.ship(events=[event(NOON)])
    start(instance, LOAD_JOB.name, cadence="command")
    start(instance, TRANSFORM_JOB.name, cadence="command")

    with (
        connect(database_url) as connection,
        exclusive_ledger(connection, work="compaction", wait_s=1),
        exclusive_models(connection, work="rebuild", wait_s=1),
    ):
        assert "a rebuild since " in reason(tick(load_each_minute, instance))
        assert "a rebuild since " in reason(tick(transform_every_ten_minutes, instance))

    assert isinstance(tick(load_each_minute, instance), dg.RunRequest)
    assert isinstance(tick(transform_every_ten_minutes, instance), dg.RunRequest)


def test_the_daily_run_has_the_partition_of_the_day_that_ended(instance: dg.DagsterInstance) -> None:
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    )

    request = daily_after_midnight(context)

    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, request.run_key) == ("2026-02-28", "2026-02-28")


@pytest.mark.usefixtures("store")
def test_a_wrong_setting_stops_the_tick_with_the_name_of_the_variable(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMILL_RAW_RETENTION_DAYS", "many")

    with pytest.raises(dg.Failure, match="TIDEMILL_RAW_RETENTION_DAYS"):
        tick(load_each_minute, instance)
