"""The demo's short report: what arrived, what became of it, and what the marts say."""

from dataclasses import dataclass
from typing import Any

from orchestration import database
from orchestration.reporting import ledger_of, read_report, retention_table
from orchestration.settings import OrchestrationSettings
from tidemill.console import print_rows, print_table
from tidemill.demo.send import Sent
from tidemill.settings import read_settings

_DAY_ROWS = 42
"""Three weeks of two sites."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the warehouse says, by report."""

    ledger: dict[str, Any]
    days: list[dict[str, Any]]
    pages: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    retention: list[dict[str, Any]]


def read_totals() -> Totals:
    """Read every report from the warehouse that the environment names."""
    settings = read_settings(OrchestrationSettings)
    with database.connect(settings.database_url) as connection:
        return Totals(
            ledger=ledger_of(connection, settings.open_store()),
            days=read_report(connection, "days", row_limit=_DAY_ROWS),
            pages=read_report(connection, "pages"),
            sources=read_report(connection, "sources"),
            retention=read_report(connection, "retention"),
        )


def print_report(sent: Sent, totals: Totals) -> None:
    """Print it as tables."""
    ledger = totals.ledger
    print_table(
        "Sent by this run",
        ("events", "of them sent again", "spoilt requests", "requests"),
        [(sent.events, sent.repeated, sent.spoilt, sent.requests)],
    )
    print_table(
        "In the mill",
        ("accepted", "loaded", "duplicates", "late", "rejected", "waiting objects"),
        [
            (
                ledger["landed"],
                ledger["loaded"],
                ledger["duplicates"],
                ledger["late"],
                ledger["rejected"],
                ledger["waiting_objects"],
            )
        ],
    )
    print_rows("By day", totals.days)
    print_rows("Top pages", totals.pages)
    print_rows("Top sources", totals.sources)
    columns, rows = retention_table(totals.retention)
    print_table("Weekly retention", columns, rows)
