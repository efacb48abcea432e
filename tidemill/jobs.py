"""Runs the mill's jobs in this process. Each function imports only what its job needs: a load needs no dbt."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tidemill.console import say
from tidemill.environment import WAREHOUSE_VARIABLE, prepared_environment
from tidemill.quiet import output_to
from tidemill.settings import read_settings

if TYPE_CHECKING:
    from orchestration.execution import Outcome
    from orchestration.rebuild import RebuildReport


def run_load(*, now: datetime | None = None) -> "Outcome":
    """Load what waits in the inbox."""
    with _surroundings("LEDGER"):
        from orchestration.execution import execute
        from orchestration.loading import LOADING

        return execute(LOADING, "load", now=now)


def run_transform(*, full_refresh: bool = False, now: datetime | None = None) -> "Outcome":
    """Build what changed, or everything."""
    with _surroundings("MODELS"):
        from orchestration.assets.models import TransformConfig
        from orchestration.definitions import defs
        from orchestration.execution import execute

        return execute(defs, "transform", now=now, ops={"dbt_models": TransformConfig(full_refresh=full_refresh)})


def run_daily(*, first: date, last: date, now: datetime | None = None) -> "Outcome":
    """Load, transform, close each day from `first` to `last`, purge."""
    with _surroundings("LEDGER", "MODELS"):
        from orchestration.definitions import defs
        from orchestration.execution import execute
        from orchestration.partitions import partition_tags

        return execute(defs, "daily", now=now, tags=partition_tags(first, last))


def run_purge(*, before: date | None, dry_run: bool, now: datetime | None = None) -> "Outcome":
    """Drop, or list, what is older than its limit."""
    with _surroundings("LEDGER", "MODELS"):
        from orchestration.assets.purging import PurgeConfig
        from orchestration.execution import execute
        from orchestration.loading import LOADING

        config = PurgeConfig(before=before.isoformat() if before else None, dry_run=dry_run)
        return execute(LOADING, "purge", now=now, ops={"ops__purge": config})


def run_rebuild(*, allow_history_loss: bool, now: datetime | None = None) -> "tuple[RebuildReport, Outcome]":
    """Make `raw` and the ledger again from the archive, load the inbox, transform everything."""
    with _surroundings("LEDGER", "MODELS"):
        from orchestration import database
        from orchestration.clock import clock_of, tags_for
        from orchestration.rebuild import rebuild_raw
        from orchestration.settings import OrchestrationSettings

        settings = read_settings(OrchestrationSettings)
        database.migrate(settings.database_url)
        report = rebuild_raw(
            store=settings.open_store(),
            database_url=settings.database_url,
            clock=clock_of(tags_for(now)),
            geoip_city_db=settings.geoip_city_db,
            sites_file=settings.sites,
            allow_history_loss=allow_history_loss,
        )
        return report, run_transform(now=now)


@contextmanager
def _surroundings(*locks: str) -> Iterator[None]:
    """The parts' environment, their chatter in a log file; says first who holds the locks that the job will need."""
    with prepared_environment() as environment:
        for other in sorted(_holders(environment[WAREHOUSE_VARIABLE], locks)):
            say(f"another {other} is at work; waiting until it ends")
        with output_to(Path(environment["TIDEMILL_HOME"]) / "logs" / "commands.log"):
            yield


def _holders(database_url: str, locks: tuple[str, ...]) -> set[str]:
    from orchestration.database import connect
    from orchestration.exclusion import Lock, holder

    with connect(database_url) as connection:
        return {other for name in locks if (other := holder(connection, Lock[name]))}
