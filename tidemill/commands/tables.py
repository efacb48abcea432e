"""`tidemill tables`: the declared tables."""

import typer

from tidemill.commands.options import AsJson
from tidemill.console import emit_json, print_table, say

app = typer.Typer(no_args_is_help=True, help="The declared tables of the sites file, in Postgres schema apps.")


@app.callback()
def tables() -> None:
    """Commands about declared tables."""


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Compare the sites file with the database and print what the next load will change, and what it refuses."""
    from landing.sites import load_sites
    from orchestration import database
    from orchestration.app_tables import plan_tables
    from orchestration.settings import OrchestrationSettings
    from tidemill.environment import prepared_environment
    from tidemill.settings import read_settings

    with prepared_environment():
        settings = read_settings(OrchestrationSettings)
        declared = load_sites(settings.sites).tables
        database.migrate(settings.database_url)
        with database.connect(settings.database_url) as connection:
            plans = plan_tables(connection, declared)
            rows = [
                (plan.table, fate, words, how)
                for plan in plans
                for fate, words, how in [
                    *(("refused", refusal, "") for refusal in plan.refusals),
                    *(("change", step.words, step.statement.as_string(connection)) for step in plan.steps),
                ]
            ]
    if as_json:
        keys = ("table", "fate", "what", "statement")
        emit_json({"tables": len(plans), "plan": [dict(zip(keys, row, strict=True)) for row in rows]})
    else:
        print_table(str(settings.sites), ("table", "fate", "what", "statement"), rows)
        say(f"{len(plans)} declared tables, {len(rows)} differences")
    if any(plan.refusals for plan in plans):
        raise typer.Exit(1)
