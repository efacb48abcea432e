"""Checks of the raw tables: the promise of the mill, computed from the data and shown beside them."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration import conservation
from orchestration.assets.raw import RAW_KEYS
from orchestration.conservation import Finding
from orchestration.database import Connection, statement
from orchestration.partitions import days_of
from orchestration.previews import markdown_table
from orchestration.reporting import read_report
from orchestration.resources import Mill

EVENTS_KEY = RAW_KEYS["events"]

RECENT = timedelta(hours=1)
"""How far back the check after a load looks: some sixty loads, so that one that died between is looked at, too."""


@dg.asset_check(
    asset=EVENTS_KEY,
    description="Every landed row is loaded once, late with a reason, or rejected: the ledger equals the data.",
)
def events_are_conserved(context: dg.AssetCheckExecutionContext, mill: Mill) -> dg.AssetCheckResult:
    """The ledger's equations, of every batch in the daily run and of the recent ones after each load.

    Counting all of `raw` each minute would cost more than loading; quarantined objects have a check of their own.
    """
    now = mill.clock(context.run.tags)()
    with mill.connect() as connection:
        batch_ids = None if days_of(context.run.tags) else recent_batches(connection, now - RECENT)
        findings = [
            each for each in conservation.check(connection, now=now, batch_ids=batch_ids) if not is_quarantine(each)
        ]
        totals = read_report(connection, "ledger")[0]
    failures = [each for each in findings if each.severity == "failure"]
    return dg.AssetCheckResult(
        passed=not findings,
        severity=dg.AssetCheckSeverity.ERROR if failures else dg.AssetCheckSeverity.WARN,
        description=summary_line(findings),
        metadata={
            **totals,
            "checked_batches": "all" if batch_ids is None else len(batch_ids),
            "findings": dg.MetadataValue.md(_table(findings)),
        },
    )


@dg.asset_check(
    asset=EVENTS_KEY,
    description="No inbox object is in quarantine. What to do with one is in docs/operating.md.",
)
def nothing_is_quarantined(mill: Mill) -> dg.AssetCheckResult:
    """Objects that could not be read stay away from the others; somebody has to look."""
    with mill.connect() as connection:
        findings = [
            each for each in conservation.check(connection, now=datetime.now(UTC), batch_ids=[]) if is_quarantine(each)
        ]
    return dg.AssetCheckResult(
        passed=not findings,
        severity=dg.AssetCheckSeverity.ERROR,
        description=summary_line(findings),
        metadata={"objects": len(findings), "findings": dg.MetadataValue.md(_table(findings))},
    )


@dg.asset_check(
    asset=RAW_KEYS["app_rows"],
    description="Every declared table is as declared and has its rows. `tidemill tables check` prints what differs.",
)
def declared_tables_take_their_rows(mill: Mill) -> dg.AssetCheckResult:
    """Rows that a table cannot take wait in `raw.app_rows`; each load tries them again."""
    with mill.connect() as connection:
        findings = [
            Finding("failure", f"apps.{table}", f"{rows} rows wait: {problem}")
            for table, rows, problem in connection.execute(statement("app_table_troubles"))
        ]
    return dg.AssetCheckResult(
        passed=not findings,
        severity=dg.AssetCheckSeverity.ERROR,
        description=summary_line(findings),
        metadata={"tables": len(findings), "findings": dg.MetadataValue.md(_table(findings))},
    )


CHECKS = [events_are_conserved, nothing_is_quarantined, declared_tables_take_their_rows]


def recent_batches(connection: Connection, since: datetime) -> list[str]:
    """Ids of the batches committed since then."""
    return [batch_id for (batch_id,) in connection.execute(statement("recent_batches"), {"since": since})]


def is_quarantine(finding: Finding) -> bool:
    """Whether the finding is a quarantined object."""
    return finding.message.startswith("quarantined: ")


def summary_line(findings: list[Finding]) -> str:
    """The first finding, and how many more there are."""
    if not findings:
        return "everything holds"
    first = f"{findings[0].subject}: {findings[0].message}"
    return first if len(findings) == 1 else f"{first}; and {len(findings) - 1} more"


def _table(findings: list[Finding]) -> str:
    return markdown_table(
        ("severity", "subject", "message"), [(each.severity, each.subject, each.message) for each in findings]
    )
