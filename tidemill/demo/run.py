"""The demo: the whole mill on this machine, fed with made-up traffic, ground, and reported."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from collector.scripts import TRACKER, read_scripts
from collector.settings import CollectorSettings
from collector.spool import list_segments
from landing.sites import load_sites
from tidemill.checkout import EXAMPLE_SITES
from tidemill.console import say
from tidemill.demo.report import print_report, read_totals
from tidemill.demo.send import Sent, plan_requests, send_all
from tidemill.demo.shop import HOST as SHOP_HOST
from tidemill.demo.shop import Shop, serve_shop
from tidemill.demo.traffic import BROWSER_SITE, SERVER_SITE, take, visits
from tidemill.environment import prepared_environment
from tidemill.errors import CommandFailed
from tidemill.jobs import run_daily, run_load, run_transform
from tidemill.ports import free_port, is_free
from tidemill.settings import read_settings
from tidemill.stack import Stack, only_stack_of, prepare, reachable
from tidemill.supervisor import Supervisor, stop_on_signals

DAYS = 21
SHIP_TIMEOUT_S = 120


def run_demo(*, event_count: int, ui_port: int, leave: bool) -> None:
    """Start, send, grind, report; then stay up until told to stop.

    Args:
        event_count: Events to send, besides retries and mistakes.
        ui_port: Wanted port of the Dagster UI.
        leave: Stop after the report.

    Raises:
        CommandFailed: something does not start, refuses a good event, or fails.
    """
    _choose_sites_and_port()
    supervisor = Supervisor(say=say)
    with (
        stop_on_signals(supervisor),
        only_stack_of() as settings,
        prepared_environment() as environment,
        ExitStack() as opened,
    ):
        try:
            stack = Stack(supervisor, settings, environment)
            prepare(environment, settings.home / "logs" / "prepare.log")
            collector = stack.start_collector()
            stack.await_answers()
            shop = opened.enter_context(_open_shop(settings))
            ui = stack.start_ui(ui_port)
            sent = _send(settings, event_count)
            _wait_until_shipped(supervisor, settings)
            _grind(supervisor)
            if supervisor.is_stopping:
                raise CommandFailed("stopped before the demo was done")
            print_report(sent, read_totals())
            # The schedules come last: they would do the demo's work at the same time.
            stack.start_daemon()
            stack.await_answers()
            say(f"dagster    {ui}\ncollector  {collector}\ndatabase   {environment['TIDEMILL_DATABASE_URL']}")
            say(f"shop       {shop}")
            if not leave:
                say("Ctrl-C stops everything")
                supervisor.watch()
        finally:
            supervisor.stop()


def _choose_sites_and_port() -> None:
    """The example's sites unless the environment names others; another port when the collector's is taken."""
    os.environ.setdefault("TIDEMILL_SITES", str(EXAMPLE_SITES))
    settings = read_settings(CollectorSettings)
    missing = {BROWSER_SITE, SERVER_SITE} - set(load_sites(settings.sites).sites)
    if missing:
        raise CommandFailed(f"TIDEMILL_SITES: the demo needs the sites {sorted(missing)}, as in {EXAMPLE_SITES}")
    if not is_free(settings.collector_host, settings.collector_port):
        os.environ["TIDEMILL_COLLECTOR_PORT"] = str(free_port())


@contextmanager
def _open_shop(settings: CollectorSettings) -> Iterator[str]:
    """Serve the example's shop; gives its address, or the reason why a visit to it would not count."""
    site = load_sites(settings.sites).sites[BROWSER_SITE]
    scripts = read_scripts(settings.scripts_folder)
    if TRACKER not in scripts.files:
        yield "not open: the tracker is not built; `make tracker` builds it"
    elif site.domains and SHOP_HOST not in site.domains:
        yield f"not open: {SHOP_HOST} is not among the `domains` of site {BROWSER_SITE}, as in {EXAMPLE_SITES}"
    else:
        host = reachable(settings.collector_host)
        shop = Shop(site, scripts, settings.tracker_path, (host, settings.collector_port))
        with serve_shop(shop) as address:
            yield f"{address} (what you do there is in the reports after the next load and transform)"


def _send(settings: CollectorSettings, event_count: int) -> Sent:
    """Send three weeks of traffic; another seed at each run, so that a second one adds."""
    seed = time.time_ns()
    until = datetime.now(UTC)
    chosen = take(visits(seed=seed, days=DAYS, until=until), event_count=event_count)
    planned = plan_requests(chosen, seed=seed, clock=lambda: datetime.now(UTC), secret=_secret(settings))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("sending events", total=event_count)
        return send_all(
            settings.collector_host,
            settings.collector_port,
            planned,
            on_sent=lambda count: progress.advance(task, count),
        )


def _secret(settings: CollectorSettings) -> str:
    """A plain secret of the server-side site.

    Raises:
        CommandFailed: the sites file has only hashes.
    """
    for secret in load_sites(settings.sites).sites[SERVER_SITE].secrets:
        if secret.plain is not None:
            return secret.plain
    raise CommandFailed(f"TIDEMILL_SITES: the demo needs a plain secret of site {SERVER_SITE}, as in {EXAMPLE_SITES}")


def _wait_until_shipped(supervisor: Supervisor, settings: CollectorSettings) -> None:
    """Wait until every segment has left the spool.

    Raises:
        CommandFailed: it takes too long.
    """
    deadline_s = time.monotonic() + SHIP_TIMEOUT_S
    say("waiting until the spool is shipped")
    supervisor.watch(until=lambda: not list_segments(settings.spool_folder) or time.monotonic() > deadline_s)
    if time.monotonic() > deadline_s:
        raise CommandFailed(f"the spool is not shipped after {SHIP_TIMEOUT_S} s; see {settings.home / 'logs'}")


def _grind(supervisor: Supervisor) -> None:
    """Load, transform, close yesterday.

    Raises:
        CommandFailed: a run failed.
    """
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    daily = partial(run_daily, first=yesterday, last=yesterday)
    for name, step in (("load", run_load), ("transform", run_transform), ("daily", daily)):
        if supervisor.is_stopping:
            return
        started_s = time.monotonic()
        outcome = step()
        if not outcome.is_success:
            raise CommandFailed(f"{name} failed: {outcome.error or '; '.join(outcome.failed_checks)}")
        say(f"{name:<10} {time.monotonic() - started_s:.1f} s")
