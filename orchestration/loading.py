"""The definitions that need no dbt: with these alone a load or purge starts in half the time."""

import dagster as dg

from orchestration.assets.purging import purge
from orchestration.assets.raw import raw_tables
from orchestration.checks import CHECKS
from orchestration.jobs import LOAD_JOB, PURGE_JOB
from orchestration.resources import Mill

LOADING = dg.Definitions(
    assets=[raw_tables, purge],
    asset_checks=CHECKS,
    jobs=[LOAD_JOB, PURGE_JOB],
    resources={"mill": Mill()},
)
