"""Runs a job in this process and keeps it in Dagster's storage, for the command line.

The jobs are those that the schedules start, so such a run appears in the UI like any other. Its cadence tag says
`command`: the limit of one run of each kind is for the daemon's queue, and a command that was killed must not
leave a run behind that blocks the schedules. The warehouse's own locks keep simultaneous runs apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dagster as dg

from orchestration.clock import tags_for
from orchestration.jobs import CADENCE_TAG

REPOSITORY_TAG = ".dagster/repository"
"""Lets the UI list the run under the job of the code location."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run.

    Attributes:
        run_id: In Dagster's storage.
        is_success: Every step succeeded and no check of severity error failed.
        error: Why it failed, in one line; empty on success.
        assets: Metadata of each materialisation by asset, plain values only.
        failed_checks: `asset: check - description` of each check that failed.
    """

    run_id: str
    is_success: bool
    error: str
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed_checks: list[str] = field(default_factory=list)


def execute(
    definitions: dg.Definitions,
    job: str,
    *,
    now: datetime | None = None,
    tags: Mapping[str, str] | None = None,
    ops: Mapping[str, dg.Config] | None = None,
) -> Outcome:
    """Run the job called `job` to its end.

    Args:
        definitions: Hold the job; those without dbt start faster.
        job: Its name.
        now: What the run takes for the present; None for the clock.
        tags: Further tags, such as the partition.
        ops: Options of its steps, by name.
    """
    all_tags = {CADENCE_TAG: "command", REPOSITORY_TAG: "__repository__@tidemill", **tags_for(now), **(tags or {})}
    run_config = dg.RunConfig(ops=dict(ops or {}))
    # Days exist up to the present: in a simulated one, up to the simulated.
    with dg.partition_loading_context(effective_dt=now), dg.DagsterInstance.get() as instance:
        _keep_connections(instance)
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance, tags=all_tags, run_config=run_config, raise_on_error=False
        )
        return outcome_of(result)


def _keep_connections(instance: dg.DagsterInstance) -> None:
    """Have Dagster's storage hold its connections, as it does under the web server.

    Otherwise it opens one for each of the nine hundred things that it notes of a transform: with what they cost the
    server, a quarter of the run's processor time.
    """
    instance.optimize_for_webserver(statement_timeout=0, pool_recycle=-1, max_overflow=-1)


def outcome_of(result: dg.ExecuteInProcessResult) -> Outcome:
    """The parts of a result that a command reports."""
    failed_checks = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]
    return Outcome(
        run_id=result.run_id,
        is_success=result.success and not failed_checks,
        error=_first_error(result),
        assets={
            event.asset_key.to_user_string(): {
                name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()
            }
            for event in result.all_events
            if event.is_step_materialization and event.asset_key is not None
        },
        failed_checks=[
            f"{each.asset_key.to_user_string()}: {each.check_name} - {each.description or 'failed'}"
            for each in failed_checks
        ],
    )


def _first_error(result: dg.ExecuteInProcessResult) -> str:
    """The message of the innermost cause of the first step that failed."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None and data.user_failure_data.description:
                return data.user_failure_data.description
            error = data.error
            while error is not None and error.cause is not None:
                error = error.cause
            return " ".join(error.message.split()) if error is not None else "a step failed"
    return "" if result.success else "the run failed before its first step"
