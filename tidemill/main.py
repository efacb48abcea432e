"""The command line's table of contents.

The command modules import what they run only when they run it: `--help` and `version` answer at once.
"""

import typer

from tidemill.commands import contract, intake, mill, rejects, reports, running, sites, tables
from tidemill.console import CommandLine

app = typer.Typer(
    cls=CommandLine,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Tidemill takes events in over HTTP, holds them in a landing zone, and grinds them into sessions, "
    "daily summaries and retention tables on a schedule.",
)

app.command()(running.up)
app.command()(running.collector)
app.command()(running.demo)

app.command()(mill.load)
app.command()(mill.transform)
app.command()(mill.daily)
app.command()(mill.backfill)
app.command()(mill.rebuild)
app.command()(mill.purge)

app.command()(intake.replay)
app.command("import-log")(intake.import_log)

app.command()(reports.status)
app.command("database-url")(reports.database_url)
app.command()(reports.snippet)
app.command()(reports.version)

app.add_typer(sites.app, name="sites")
app.add_typer(tables.app, name="tables")
app.add_typer(rejects.app, name="rejects")
app.add_typer(contract.app, name="contract")
