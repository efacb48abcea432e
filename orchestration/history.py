"""Keeps Dagster's own storage small: the runs and event logs of the frequent jobs are deleted after a while."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import dagster as dg

FREQUENT_JOBS: Final = ("load", "transform", "purge")
"""Daily runs stay: there is one a day, and their materialisations are the calendar of closed days."""

KEPT_DAYS: Final = 30
DELETED_AT_ONCE_MAX: Final = 5_000
"""A bound on one night's work; three days of loads each minute."""

_FINISHED: Final = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def delete_old_runs(
    instance: dg.DagsterInstance, *, now_s: float, kept_days: int = KEPT_DAYS, deleted_max: int = DELETED_AT_ONCE_MAX
) -> int:
    """Delete finished runs of the frequent jobs, the oldest first, with their event logs and output; returns how many.

    Args:
        instance: Holds the runs.
        now_s: The present in epoch seconds.
        kept_days: Age below which a run stays.
        deleted_max: Runs deleted at most.
    """
    before = datetime.fromtimestamp(now_s, UTC) - timedelta(days=kept_days)
    deleted = 0
    for job in FREQUENT_JOBS:
        records = instance.get_run_records(
            filters=dg.RunsFilter(job_name=job, statuses=_FINISHED, created_before=before),
            limit=deleted_max - deleted,
            order_by="create_timestamp",
            ascending=True,
        )
        for record in records:
            run_id = record.dagster_run.run_id
            instance.delete_run(run_id)
            shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)  # captured output
        deleted += len(records)
        if deleted >= deleted_max:
            break
    return deleted
