"""Run once before the processes of a home start: `python -m tidemill.prepare`.

Brings the warehouse's tables up to date, has the dbt project parsed, creates Dagster's storage, and closes the
books on runs that a crash of this machine left behind: nothing else would ever end them, and each would keep
the next run of its kind waiting.
"""

import dagster as dg

from orchestration import database
from orchestration.dbt_files import prepared_manifest
from orchestration.jobs import CADENCE_TAG
from orchestration.settings import OrchestrationSettings
from tidemill.settings import read_settings

_COMMAND_CADENCE = "command"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def main() -> None:
    """Prepare the home that the environment names."""
    settings = read_settings(OrchestrationSettings)
    database.migrate(settings.database_url)
    prepared_manifest()
    with dg.DagsterInstance.get() as instance:
        end_abandoned_runs(instance)


def end_abandoned_runs(instance: dg.DagsterInstance) -> int:
    """Mark runs of the daemon as failed that no process can be executing any more; returns how many.

    Called while nothing of this home runs. Commands may run at any time, so theirs are left alone.
    """
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED))
    abandoned = [run for run in runs if run.tags.get(CADENCE_TAG) != _COMMAND_CADENCE]
    for run in abandoned:
        instance.report_run_failed(run, "the process that executed this run is gone")
    return len(abandoned)


if __name__ == "__main__":
    main()
