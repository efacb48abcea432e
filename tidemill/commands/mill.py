"""`tidemill load`, `transform`, `daily`, `backfill`, `rebuild`, `purge`: the mill's work, by hand.

They run the jobs of the schedules in this process, recorded in Dagster's storage.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tidemill.commands.options import AsJson, Now, parse_day
from tidemill.console import emit_json, print_table, say
from tidemill.errors import CommandFailed

if TYPE_CHECKING:
    from orchestration.execution import Outcome

Day = Annotated[
    date | None,
    typer.Option("--date", parser=parse_day, metavar="D", help="UTC day to summarise and close. Default: yesterday."),
]


def load(*, now: Now = None, as_json: AsJson = False) -> None:
    """Load what waits in the inbox: archive it, copy it into `raw`, check the ledger."""
    from tidemill.jobs import run_load

    _report("load", run_load(now=now), as_json=as_json)


def transform(
    *,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build every model from all of raw.")] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Build and test what changed since the last transform."""
    from tidemill.jobs import run_transform

    _report("transform", run_transform(full_refresh=full_refresh, now=now), as_json=as_json)


def daily(*, day: Day = None, now: Now = None, as_json: AsJson = False) -> None:
    """Do the work of the night: load, transform, close the day, purge."""
    from tidemill.jobs import run_daily

    day = day or _today(now) - timedelta(days=1)
    _require_over(day, now)
    _report("daily", run_daily(first=day, last=day, now=now), as_json=as_json)


def backfill(
    *,
    first: Annotated[date, typer.Option("--from", parser=parse_day, metavar="D", help="First UTC day.")],
    last: Annotated[date, typer.Option("--to", parser=parse_day, metavar="D", help="Last UTC day.")],
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Do the daily work for every day from one to another, as one run."""
    from tidemill.jobs import run_daily

    if last < first:
        raise typer.BadParameter("--to is before --from")
    _require_over(last, now)
    _report("backfill", run_daily(first=first, last=last, now=now), as_json=as_json)


def purge(
    *,
    before: Annotated[
        date | None,
        typer.Option(
            "--before", parser=parse_day, metavar="D", help="Purge the days before D. Default: the retention limits."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would go.")] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Drop raw days, inbox and archive objects that are older than their limits and safe to drop."""
    from tidemill.jobs import run_purge

    _report("purge", run_purge(before=before, dry_run=dry_run, now=now), as_json=as_json)


def rebuild(
    *,
    allow_history_loss: Annotated[
        bool, typer.Option("--allow-history-loss", help="Go on although the archive lacks batches that were loaded.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Drop raw and marts, reload everything from the archive and the inbox, transform."""
    from tidemill.jobs import run_rebuild

    report, outcome = run_rebuild(allow_history_loss=allow_history_loss, now=now)
    restored = {"restored_batches": report.restored_batches, "restored_rows": report.restored_rows}
    _report("rebuild", outcome, as_json=as_json, more=restored)


def _today(now: datetime | None) -> date:
    return (now or datetime.now(UTC)).date()


def _require_over(day: date, now: datetime | None) -> None:
    """Say it before the work, not after it."""
    if day >= _today(now):
        raise CommandFailed(f"{day} is not over yet (UTC): only days that have ended are closed")


def _report(what: str, outcome: "Outcome", *, as_json: bool, more: Mapping[str, object] | None = None) -> None:
    """Say what a run did, and `more` beside it; exit with 1 unless it succeeded."""
    if as_json:
        emit_json(
            {
                "what": what,
                "success": outcome.is_success,
                "run_id": outcome.run_id,
                "error": outcome.error or None,
                "failed_checks": outcome.failed_checks,
                **(more or {}),
                "assets": {name: _without_previews(metadata) for name, metadata in outcome.assets.items()},
            }
        )
    else:
        print_table(what, ("what", "value"), (more or {}).items())
        for name, metadata in outcome.assets.items():
            facts = _without_previews(metadata)
            lists = facts.pop("list", {})
            if not name.startswith(("staging/", "intermediate/", "marts/")):
                print_table(f"{what}: {name}", ("what", "value"), facts.items())
            if isinstance(lists, dict):
                for title, entries in lists.items():
                    print_table(title.replace("_", " "), ("entry",), [(entry,) for entry in entries])
        models = sum(name.startswith(("staging/", "intermediate/", "marts/")) for name in outcome.assets)
        if models:
            say(f"{models} models built")
    for failed in outcome.failed_checks:
        say(f"tidemill: check failed: {failed}")
    if not outcome.is_success:
        if outcome.error:
            say(f"tidemill: {what} failed: {outcome.error}")
        raise typer.Exit(1)


def _without_previews(metadata: Mapping[str, object]) -> dict[str, object]:
    """What a materialisation says, but for what is meant for the UI."""
    return {name: value for name, value in metadata.items() if name != "preview" and not name.startswith("dagster")}
