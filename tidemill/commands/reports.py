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
    as_json: AsJson = False,
) -> None:
    """Print the element that loads the tracker, from a path that never changes and with its integrity."""
    from collector.scripts import TRACKER, read_scripts
    from collector.settings import CollectorSettings
    from landing.sites import load_sites
    from tidemill.settings import read_settings

    settings = read_settings(CollectorSettings)
    if site not in load_sites(settings.sites).sites:
        raise CommandFailed(f"site {site} is not in {settings.sites}")
    scripts = read_scripts(settings.scripts_folder)
    if TRACKER not in scripts.files:
        raise CommandFailed(f"{settings.scripts_folder} holds no tracker; `make tracker` builds it")
    folder, _, name = settings.tracker_path.rpartition("/")
    source = f"{url.rstrip('/')}{folder}/{scripts.release}/{name}"
    integrity = scripts.files[TRACKER].integrity
    element = (
        f'<script defer src="{source}" data-site="{site}" integrity="{integrity}" crossorigin="anonymous"></script>'
    )
    if as_json:
        emit_json({"src": source, "integrity": integrity, "html": element})
    else:
        typer.echo(element)


def version(*, as_json: AsJson = False) -> None:
    """Print the version."""
    if as_json:
        emit_json({"version": VERSION})
    else:
        typer.echo(VERSION)
