"""Checks of the raw tables: the promise of the mill, computed from the data and shown beside them."""

from datetime import UTC, datetime

import dagster as dg

from orchestration import conservation
from orchestration.assets.raw import RAW_KEYS
from orchestration.conservation import Finding
from orchestration.previews import markdown_table
from orchestration.reporting import read_report
from orchestration.resources import Mill

EVENTS_KEY = RAW_KEYS["events"]


@dg.asset_check(
    asset=EVENTS_KEY,
    description="Every landed row is loaded once, late with a reason, or rejected: the ledger equals the data.",
)
def events_are_conserved(context: dg.AssetCheckExecutionContext, mill: Mill) -> dg.AssetCheckResult:
    """The ledger's equations; quarantined objects have a check of their own."""
    now = mill.clock(context.run.tags)()
    with mill.connect() as connection:
        findings = [each for each in conservation.check(connection, now=now) if not is_quarantine(each)]
        totals = read_report(connection, "ledger")[0]
    failures = [each for each in findings if each.severity == "failure"]
    return dg.AssetCheckResult(
        passed=not findings,
        severity=dg.AssetCheckSeverity.ERROR if failures else dg.AssetCheckSeverity.WARN,
        description=summary_line(findings),
        metadata={**totals, "findings": dg.MetadataValue.md(_table(findings))},
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


CHECKS = [events_are_conserved, nothing_is_quarantined]


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
