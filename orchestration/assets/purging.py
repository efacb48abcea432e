"""The purge as an asset: what is older than its limit goes, or is listed."""

import time
from datetime import date
from typing import Any

import dagster as dg

from landing.sites import load_sites
from orchestration.assets.raw import OWNERS, TRANSIENT
from orchestration.failures import final_failures
from orchestration.previews import markdown_table
from orchestration.purge import Kept, PurgeLimits, PurgePlan, RawDay, execute_purge, plan_purge
from orchestration.resources import Mill

LISTED_MAX = 1_000
"""Entries of each list in the metadata; the counts beside them are complete."""


class PurgeConfig(dg.Config):
    """What to purge.

    Attributes:
        before: ISO date; raw days before it go, whatever the limit says. None: the limits of the settings.
        dry_run: Only list what would go.
    """

    before: str | None = None
    dry_run: bool = False


@dg.asset(
    key=["ops", "purge"],
    deps=[dg.AssetKey(["ops", "closed_days"]), dg.AssetKey(["ops", "archive_compaction"])],
    group_name="operations",
    owners=OWNERS,
    kinds={"postgres", "parquet"},
    retry_policy=TRANSIENT,
    description="Raw days, inbox and archive objects beyond their limits: removed when it is safe, else kept and told.",
)
def purge(context: dg.AssetExecutionContext, config: PurgeConfig, mill: Mill) -> dg.MaterializeResult[None]:
    """Plan, and unless it is a dry run, execute."""
    started_s = time.monotonic()
    clock, settings, store = mill.clock(context.run.tags), mill.settings, mill.open_store()
    limits = PurgeLimits(
        raw_days=settings.raw_retention_days,
        archive_days=settings.archive_retention_days,
        before=date.fromisoformat(config.before) if config.before else None,
        # One partition holds a day of all fleets.
        checkin_days=max(
            (each.raw_retention_days for each in load_sites(settings.sites).fleets.values()), default=None
        ),
    )
    with final_failures(), mill.connect() as connection:
        plan = plan_purge(store=store, connection=connection, now=clock(), limits=limits)
        facts = plan_facts(plan)
        if not config.dry_run:
            report = execute_purge(plan, store=store, connection=connection, clock=clock)
            facts = purge_facts(plan, report.raw_days, report.kept) | {"session_events": report.session_events}
    return dg.MaterializeResult(
        metadata={
            "dry_run": config.dry_run,
            **facts,
            "seconds": round(time.monotonic() - started_s, 3),
            "preview": dg.MetadataValue.md(preview(plan)),
        }
    )


def plan_facts(plan: PurgePlan) -> dict[str, Any]:
    """What a plan would remove: counts, and lists of what they count."""
    return purge_facts(plan, plan.raw_days, plan.kept)


def purge_facts(plan: PurgePlan, raw_days: tuple[RawDay, ...], kept: tuple[Kept, ...]) -> dict[str, Any]:
    """Counts and lists of what was or would be removed."""
    return {
        "raw_days": len(raw_days),
        "raw_rows": sum(each.rows for each in raw_days),
        "inbox_objects": len(plan.inbox_keys),
        "archive_objects": len(plan.archive_keys),
        "kept": len(kept),
        "list": {
            "raw_days": [f"raw.{each.dataset} {each.day} {each.rows}" for each in raw_days[:LISTED_MAX]],
            "inbox_objects": list(plan.inbox_keys[:LISTED_MAX]),
            "archive_objects": list(plan.archive_keys[:LISTED_MAX]),
            "kept": [f"{each.subject}: {each.reason}" for each in kept[:LISTED_MAX]],
        },
    }


def preview(plan: PurgePlan) -> str:
    """The raw days that go and what stays, as a table."""
    rows: list[tuple[object, ...]] = [
        (f"raw.{each.dataset} of {each.day}", each.rows, "goes") for each in plan.raw_days
    ]
    rows += [(each.subject, None, f"stays: {each.reason}") for each in plan.kept]
    return markdown_table(("what", "rows", "fate"), rows)
