"""Every cadence of the mill on one screen.

A schedule skips while nothing is to be done or the same job is still running, so that a quiet mill leaves no runs
behind and a slow one no queue. The daily run has no such condition: its partition is the day's record.
"""

from collections.abc import Iterator
from datetime import UTC, timedelta

import dagster as dg

from orchestration import plan
from orchestration.exclusion import Lock, holder
from orchestration.jobs import CADENCE_TAG, DAILY_JOB, LOAD_JOB, TRANSFORM_JOB
from orchestration.pending import pending_work
from orchestration.resources import Mill

RUNNING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

BURST_OBJECTS = 60
"""Waiting inbox objects from which the sensor loads without waiting for the minute: some 2 workers for 3 minutes."""


def is_running(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of the job called `job` is queued or under way; not one by command.

    A command that was killed leaves its run behind as started for ever; whether one is alive, its lock tells.
    """
    return bool(instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=RUNNING, tags={CADENCE_TAG: job})))


@dg.schedule(job=LOAD_JOB, cron_schedule="* * * * *", default_status=dg.DefaultScheduleStatus.RUNNING)
def load_each_minute(context: dg.ScheduleEvaluationContext, mill: Mill) -> dg.RunRequest | dg.SkipReason:
    """Each minute: an event is in `raw` a minute after its segment was shipped. Costs one listing and one query."""
    with mill.connect() as connection:
        waiting = plan.waiting(mill.open_store(), connection)
        other = holder(connection, Lock.LEDGER)
    if not waiting.count:
        return dg.SkipReason("nothing waits in the inbox")
    if other or is_running(context.instance, LOAD_JOB.name):
        return dg.SkipReason(f"a {other or 'load'} is running; it or the next load takes what waits")
    return dg.RunRequest()


@dg.schedule(job=TRANSFORM_JOB, cron_schedule="*/10 * * * *", default_status=dg.DefaultScheduleStatus.RUNNING)
def transform_every_ten_minutes(context: dg.ScheduleEvaluationContext, mill: Mill) -> dg.RunRequest | dg.SkipReason:
    """Every ten minutes: dbt takes a quarter of a minute to start, whatever there is to do."""
    with mill.connect() as connection:
        pending = pending_work(connection, mill.settings.sites, clock=mill.clock({}))
        other = holder(connection, Lock.MODELS)
    if not pending:
        return dg.SkipReason("every loaded batch is in the marts")
    if other or is_running(context.instance, TRANSFORM_JOB.name) or is_running(context.instance, DAILY_JOB.name):
        return dg.SkipReason(f"a {other or 'transform'} is running; the next transform takes the rest")
    return dg.RunRequest(tags={"tidemill/because": pending})


@dg.schedule(
    job=DAILY_JOB,
    cron_schedule="30 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_after_midnight(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """At 00:30 UTC: half an hour lets the last segments of the day arrive. The partition is the day that has ended."""
    day = (context.scheduled_execution_time.astimezone(UTC) - timedelta(days=1)).date()
    return dg.RunRequest(run_key=day.isoformat(), partition_key=day.isoformat())


@dg.sensor(job=LOAD_JOB, minimum_interval_seconds=15, default_status=dg.DefaultSensorStatus.RUNNING)
def load_on_burst(context: dg.SensorEvaluationContext, mill: Mill) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Every 15 seconds: a burst, or a backlog after an outage, is loaded without waiting for the minute."""
    with mill.connect() as connection:
        waiting = plan.waiting(mill.open_store(), connection)
        other = holder(connection, Lock.LEDGER)
    if waiting.count < BURST_OBJECTS:
        yield dg.SkipReason(f"{waiting.count} objects wait, fewer than {BURST_OBJECTS}")
    elif other or is_running(context.instance, LOAD_JOB.name):
        yield dg.SkipReason(f"a {other or 'load'} is running; it or the next load takes what waits")
    else:
        yield dg.RunRequest()
