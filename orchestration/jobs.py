"""The jobs: one for each kind of work, whoever starts it - a schedule, the UI or the command line."""

import dagster as dg

CADENCE_TAG = "tidemill/cadence"
"""Names the kind of a scheduled run; `deploy/dagster.yaml` allows one run of each kind at a time."""

MODELS = dg.AssetSelection.groups("seeds", "staging", "intermediate", "marts")
RAW = dg.AssetSelection.groups("raw")
DAILY_OPERATIONS = dg.AssetSelection.assets(
    ["ops", "closed_days"], ["ops", "archive_compaction"], ["ops", "dagster_history"]
)
PURGE = dg.AssetSelection.assets(["ops", "purge"])


def _tags(cadence: str, *, hours_max: float) -> dict[str, str]:
    """A run that takes longer hangs, and would keep every later one of its kind waiting."""
    return {CADENCE_TAG: cadence, "dagster/max_runtime": str(round(hours_max * 3600))}


LOAD_JOB = dg.define_asset_job(
    "load",
    selection=RAW,
    tags=_tags("load", hours_max=1),
    executor_def=dg.in_process_executor,
    description="What waits in the inbox, into the archive and `raw`; then the ledger is checked. No dbt.",
)

TRANSFORM_JOB = dg.define_asset_job(
    "transform",
    selection=MODELS,
    tags=_tags("transform", hours_max=4),
    executor_def=dg.in_process_executor,
    description="dbt builds and tests what changed since the last transform.",
)

DAILY_JOB = dg.define_asset_job(
    "daily",
    selection=RAW | MODELS | DAILY_OPERATIONS | PURGE,
    tags=_tags("daily", hours_max=12),
    executor_def=dg.in_process_executor,
    description="Load, transform with the asked day, verify, close the day, compact the archive, tidy up, purge.",
)

PURGE_JOB = dg.define_asset_job(
    "purge",
    selection=PURGE,
    tags=_tags("purge", hours_max=4),
    executor_def=dg.in_process_executor,
    description="Drop what is older than its limit, or with dry_run only list it.",
)
