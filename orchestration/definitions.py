"""Dagster's table of contents: everything that the UI, the daemon and the command line know of.

raw/events, raw/rejects, …   assets/raw.py          job load, each minute
staging … marts, seeds       assets/models.py       job transform, each ten minutes
ops/closed_days, …           assets/operations.py   job daily, after midnight
ops/purge                    assets/purging.py      at the end of daily, and job purge
"""

import dagster as dg

from orchestration import loading
from orchestration.assets.models import BOOKKEEPING, DBT, dbt_models
from orchestration.assets.operations import archive_compaction, closed_days, dagster_history
from orchestration.jobs import DAILY_JOB, TRANSFORM_JOB
from orchestration.schedules import (
    daily_after_midnight,
    load_each_minute,
    load_on_burst,
    transform_every_ten_minutes,
)

defs = dg.Definitions.merge(
    loading.LOADING,  # by its module: Dagster takes a second `Definitions` among a module's names for a mistake
    dg.Definitions(
        assets=[*BOOKKEEPING, dbt_models, closed_days, archive_compaction, dagster_history],
        jobs=[TRANSFORM_JOB, DAILY_JOB],
        schedules=[load_each_minute, transform_every_ten_minutes, daily_after_midnight],
        sensors=[load_on_burst],
        resources={"dbt": DBT},
    ),
)
