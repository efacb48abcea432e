"""`tidemill status`, `database-url`, `snippet`, `version`: what there is."""

from typing import Annotated

import typer

from landing.version import VERSION
from tidemill.commands.options import AsJson
from tidemill.console import emit_json, print_rows, print_table, say
from tidemill.errors import CommandFailed


def status(
    *,
    days: Annotated[int, typer.Option(min=1, help="Rows of the daily summary to show.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Show the ledger, the spool, the inbox, the last runs and the last days."""
    from tidemill.status import collect_status

    found = collect_status(day_rows=days)
    if as_json:
        emit_json(found)
        return
    print_table("ledger", ("what", "value"), found["ledger"].items())
    print_table("spool", ("what", "value"), found["spool"].items())
    print_rows("last runs", found["runs"])
    print_rows("rejects", found["rejects"])
    print_rows("days", found["days"])


def database_url() -> None:
    """Print the URL of the warehouse, for psql and other clients."""
    import os

    from landing.settings import LandingSettings
    from tidemill import embedded
    from tidemill.settings import read_settings

    home = read_settings(LandingSettings).home
    url = os.environ.get("TIDEMILL_DATABASE_URL")
    if not url:
        url = embedded.database_url(home, "tidemill")
        if not embedded.is_running(home):
            say("the embedded Postgres is not running; `tidemill up` starts it")
    typer.echo(url)


def snippet(
    *,
    site: Annotated[str, typer.Option("--site", help="Site whose pages load the tracker.")],
    url: Annotated[str, typer.Option("--url", help="The collector's public address.")] = "",
    consent: Annotated[bool, typer.Option("--consent", help="Hold events back until consent is granted.")] = False,
    modules: Annotated[str, typer.Option("--modules", help="Modules to load, such as forms,vitals.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print the element that loads the tracker as the sites file wants it: a path that never changes, its integrity."""
    from collector.scripts import TRACKER, read_scripts
    from collector.settings import CollectorSettings
    from landing.sites import load_sites
    from tidemill.settings import read_settings
    from tidemill.snippet import snippet_of

    settings = read_settings(CollectorSettings)
    known = load_sites(settings.sites).sites
    if site not in known:
        raise CommandFailed(f"site {site} is not in {settings.sites}")
    scripts = read_scripts(settings.scripts_folder)
    if TRACKER not in scripts.files:
        raise CommandFailed(f"{settings.scripts_folder} holds no tracker; `make tracker` builds it")
    wanted = ({"consent": "required"} if consent else {}) | ({"modules": modules} if modules else {})
    made = snippet_of(known[site], scripts, tracker_path=settings.tracker_path, url=url, settings=wanted)
    if as_json:
        emit_json({"src": made.src, "integrity": made.integrity, "html": made.html})
    else:
        typer.echo(made.html)


def version(*, as_json: AsJson = False) -> None:
    """Print the version."""
    if as_json:
        emit_json({"version": VERSION})
    else:
        typer.echo(VERSION)
