"""Collects what `tidemill status` shows."""

from typing import Any

import dagster as dg

from collector.settings import CollectorSettings
from collector.spool import list_segments
from orchestration import database
from orchestration.reporting import ledger_of, read_report
from orchestration.settings import OrchestrationSettings
from tidemill.environment import prepared_environment
from tidemill.settings import read_settings

RUN_KINDS = ("load", "transform", "daily", "purge")


def collect_status(*, day_rows: int) -> dict[str, Any]:
    """Everything at once: ledger, spool, last runs, rejects, days.

    Args:
        day_rows: Rows of the daily summary.
    """
    with prepared_environment():
        settings = read_settings(OrchestrationSettings)
        database.migrate(settings.database_url)
        with database.connect(settings.database_url) as connection:
            ledger = ledger_of(connection, settings.open_store())
            rejects = read_report(connection, "rejects")
            days = read_report(connection, "days", row_limit=day_rows)
        spool = spool_of(read_settings(CollectorSettings))
        with dg.DagsterInstance.get() as instance:
            runs = [run for kind in RUN_KINDS for run in last_run(instance, kind)]
        return {"ledger": ledger, "spool": spool, "runs": runs, "rejects": rejects, "days": days}


def spool_of(settings: CollectorSettings) -> dict[str, Any]:
    """What waits in the spool of this machine."""
    folder = settings.spool_folder
    sizes = [size for _, size in list_segments(folder)] if folder.exists() else []
    return {
        "folder": str(folder),
        "segments": len(sizes),
        "bytes": sum(sizes),
        "limit_bytes": settings.spool_limit_bytes,
    }


def last_run(instance: dg.DagsterInstance, job: str) -> list[dict[str, Any]]:
    """The newest run of a job, if there is any."""
    records = instance.get_run_records(filters=dg.RunsFilter(job_name=job), limit=1)
    return [
        {
            "job": job,
            "status": record.dagster_run.status.value.lower(),
            "started_at": record.create_timestamp,
            "seconds": round(record.end_time - record.start_time, 1) if record.end_time and record.start_time else None,
            "partition": record.dagster_run.tags.get("dagster/partition"),
            "run_id": record.dagster_run.run_id,
        }
        for record in records
    ]
