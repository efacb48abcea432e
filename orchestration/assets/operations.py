"""What the daily run does after the models are built: close the day, compact its archive, forget old runs."""

import time
from datetime import timedelta

import dagster as dg

from orchestration import conservation
from orchestration.assets.raw import OWNERS, RAW_KEYS, TRANSIENT
from orchestration.checks import is_quarantine
from orchestration.closing import close_days
from orchestration.compaction import compact_archive
from orchestration.exclusion import exclusive_models
from orchestration.failures import final_failures
from orchestration.history import delete_old_runs
from orchestration.partitions import DAYS, days_of
from orchestration.previews import markdown_table
from orchestration.rebuild_state import require_no_rebuild
from orchestration.reporting import read_report
from orchestration.resources import Mill

CLOSED_DAYS = dg.AssetKey(["ops", "closed_days"])
COMPACTION = dg.AssetKey(["ops", "archive_compaction"])
SUMMARY = dg.AssetKey(["marts", "fct_daily_summary"])
LEDGER = dg.AssetKey(["marts", "fct_pipeline_ledger"])

LOCK_WAIT_S = 600.0
"""How long closing a day waits for a transform, a purge or a rebuild."""

CLOSED_BY_NOON = dg.FreshnessPolicy.cron(deadline_cron="0 12 * * *", lower_bound_delta=timedelta(hours=12))
"""The daily run starts at 00:30 UTC; twelve hours leave room for its retries and for somebody to look."""


@dg.asset(
    key=CLOSED_DAYS,
    deps=[SUMMARY, LEDGER, *RAW_KEYS.values()],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="operations",
    owners=OWNERS,
    kinds={"postgres"},
    freshness_policy=CLOSED_BY_NOON,
    retry_policy=TRANSIENT,
    description="`ops.closed_days`: UTC days with standing summaries and a balanced ledger. Only they are ever purged.",
)
def closed_days(context: dg.AssetExecutionContext, mill: Mill) -> dg.MaterializeResult[None]:
    """Verify the ledger, then record that the days are summarised.

    Earlier days with rows that no night has closed, because the mill stood still, are closed with them: the
    transform has covered them too, and an open day would keep every later one from being purged.
    """
    days, clock = days_of(context.run.tags), mill.clock(context.run.tags)
    with (
        final_failures(),
        mill.connect() as connection,
        exclusive_models(connection, work="closing", wait_s=LOCK_WAIT_S),
    ):
        require_no_rebuild(connection)
        failures = [
            f"{each.subject}: {each.message}"
            for each in conservation.check(connection, now=clock())
            if each.severity == "failure" and not is_quarantine(each)
        ]
        if failures:
            raise dg.Failure(f"the ledger does not balance, the day stays open: {failures[0]}", allow_retries=False)
        missed = [row["day"] for row in read_report(connection, "open_days", before=min(days))]
        close_days(connection, [*missed, *days], clock=clock)
        summary = read_report(connection, "days")
    for day in missed:
        context.log_event(dg.AssetMaterialization(CLOSED_DAYS, partition=str(day), description="closed a night late"))
    preview = markdown_table(list(summary[0]) if summary else ["no day"], [list(row.values()) for row in summary])
    return dg.MaterializeResult(
        metadata={
            "days": dg.MetadataValue.int(len(days)),
            "missed_days": dg.MetadataValue.int(len(missed)),
            "first_day": dg.MetadataValue.text(str(min(days))),
            "last_day": dg.MetadataValue.text(str(max(days))),
            "preview": dg.MetadataValue.md(preview),
        }
    )


@dg.asset(
    key=COMPACTION,
    deps=[CLOSED_DAYS],
    group_name="operations",
    owners=OWNERS,
    kinds={"parquet"},
    retry_policy=TRANSIENT,
    description="The archive of closed days: many small objects of loads made into few large ones that say the same.",
)
def archive_compaction(context: dg.AssetExecutionContext, mill: Mill) -> dg.MaterializeResult[None]:
    """Compact what the loads of closed days have left."""
    with final_failures(), mill.connect() as connection:
        report = compact_archive(store=mill.open_store(), connection=connection)
    for each in report.kept:
        context.log.warning("not compacted: %s", each)
    return dg.MaterializeResult(
        metadata={
            "objects_before": dg.MetadataValue.int(report.objects_before),
            "objects_after": dg.MetadataValue.int(report.objects_after),
            "bytes_before": dg.MetadataValue.int(report.bytes_before),
            "bytes_after": dg.MetadataValue.int(report.bytes_after),
            "leftovers": dg.MetadataValue.int(report.leftovers),
            "days": dg.MetadataValue.int(len({day for _, day in report.places})),
            "kept": dg.MetadataValue.int(len(report.kept)),
            "is_complete": dg.MetadataValue.bool(report.is_complete),
            "seconds": dg.MetadataValue.float(round(report.seconds, 3)),
            "preview": dg.MetadataValue.md(markdown_table(("not compacted",), [(each,) for each in report.kept])),
        }
    )


@dg.asset(
    key=["ops", "dagster_history"],
    deps=[CLOSED_DAYS],
    group_name="operations",
    owners=OWNERS,
    kinds={"dagster"},
    description="Dagster's record of finished loads, transforms and purges; what is older than a month is deleted.",
)
def dagster_history(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Delete runs and event logs that nobody will look at: a load each minute would fill the storage."""
    started_s = time.monotonic()
    deleted = delete_old_runs(context.instance, now_s=time.time())
    return dg.MaterializeResult(
        metadata={
            "deleted_runs": dg.MetadataValue.int(deleted),
            "seconds": dg.MetadataValue.float(round(time.monotonic() - started_s, 3)),
        }
    )
