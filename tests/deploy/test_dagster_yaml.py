"""Dagster's instance configuration, loaded by Dagster itself on a real Postgres."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def instance(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    from dagster import DagsterInstance  # noqa: PLC0415  (two seconds; only these tests need it)

    shutil.copy(ROOT / "deploy" / "dagster.yaml", tmp_path / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_PG_URL", database_url.replace("postgresql://", "postgresql+psycopg2://"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's own, of libraries that it uses
        with DagsterInstance.from_config(str(tmp_path)) as instance:
            yield instance


def test_dagster_takes_the_file_as_it_is_meant(instance) -> None:
    from dagster import DagsterInstance  # noqa: PLC0415
    from dagster._core.definitions.run_request import InstigatorType  # noqa: PLC0415
    from dagster._core.scheduler.instigation import TickStatus  # noqa: PLC0415

    from orchestration.jobs import CADENCE_TAG  # noqa: PLC0415

    assert isinstance(instance, DagsterInstance)
    assert type(instance.run_storage).__name__ == "PostgresRunStorage"
    assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
    queue = instance.get_concurrency_config().run_queue_config
    assert queue.tag_concurrency_limits == [
        {"key": CADENCE_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    ]
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 1
    assert not instance.run_retries_retry_on_asset_or_op_failure
    assert instance.run_monitoring_enabled
    for instigator in (InstigatorType.SCHEDULE, InstigatorType.SENSOR, InstigatorType.AUTO_MATERIALIZE):
        days = instance.get_tick_retention_settings(instigator)
        assert days == {
            TickStatus.SKIPPED: 1,
            TickStatus.SUCCESS: 7,
            TickStatus.STARTED: 7,
            TickStatus.FAILURE: 30,
        }


def test_the_home_may_be_read_only_but_for_its_storage(instance) -> None:
    instance.get_runs_count()

    home = Path(instance.root_directory)
    assert {path.name for path in home.iterdir()} <= {"dagster.yaml", "storage"}


def test_a_second_run_of_a_kind_waits_and_one_of_another_kind_does_not(instance) -> None:
    from dagster import DagsterRunStatus  # noqa: PLC0415
    from dagster._core.test_utils import create_run_for_test  # noqa: PLC0415
    from dagster._core.utils import make_new_run_id  # noqa: PLC0415
    from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (  # noqa: PLC0415
        TagConcurrencyLimitsCounter,
    )

    from orchestration.jobs import CADENCE_TAG  # noqa: PLC0415

    limits = instance.get_concurrency_config().run_queue_config.tag_concurrency_limits

    def run(cadence: str, status: DagsterRunStatus):
        return create_run_for_test(instance, run_id=make_new_run_id(), status=status, tags={CADENCE_TAG: cadence})

    counter = TagConcurrencyLimitsCounter(limits, [run("load", DagsterRunStatus.STARTED)])

    assert counter.is_blocked(run("load", DagsterRunStatus.NOT_STARTED))
    assert not counter.is_blocked(run("transform", DagsterRunStatus.NOT_STARTED))
