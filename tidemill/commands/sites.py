"""`tidemill sites`: the sites file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidemill.commands.options import AsJson
from tidemill.console import emit_json, print_table, say
from tidemill.errors import CommandFailed

if TYPE_CHECKING:
    from landing.errors import Problem

app = typer.Typer(no_args_is_help=True, help="The sites file.")


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Read the sites file and tell everything that is wrong or doubtful, with line and path."""
    from landing.settings import LandingSettings
    from landing.sites import check_sites
    from tidemill.settings import read_settings

    path = read_settings(LandingSettings).sites
    found = check_sites(path)
    rows = [("error", *_parts(each)) for each in found.problems] + [
        ("warning", *_parts(each)) for each in found.warnings
    ]
    if as_json:
        findings = [dict(zip(("severity", "line", "path", "message"), row, strict=True)) for row in rows]
        emit_json({"file": str(path), "valid": found.sites is not None, "findings": findings})
    else:
        print_table(str(path), ("severity", "line", "path", "message"), rows)
        if found.sites is not None:
            say(f"{path} is valid: {len(found.sites.sites)} sites")
    if found.sites is None:
        raise typer.Exit(1)


@app.command("hash-secret")
def hash_secret(
    secret: Annotated[
        str,
        typer.Option(
            prompt="Secret", hide_input=True, help="The secret; asked for when left out, so that no shell keeps it."
        ),
    ],
) -> None:
    """Print the hash of a secret, for `secrets` of a site."""
    from landing.credentials import hash_secret as make_hash

    typer.echo(make_hash(secret))


@app.command("import-attolytics")
def import_attolytics(
    file: Annotated[Path, typer.Argument(help="The original's schema file, as it is.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write it here; an existing file is never replaced.")] = None,
) -> None:
    """Make a sites file of attolytics' schema.conf.yaml, and print it."""
    from landing.attolytics_schema import sites_file_of

    text, remarks = sites_file_of(file)
    for remark in remarks:
        say(remark)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as made:
            made.write(text)
    except FileExistsError:
        raise CommandFailed(f"{out} exists; it is left as it is") from None
    say(f"wrote {out}")


def _parts(problem: "Problem") -> tuple[int, str, str]:
    return problem.line, problem.path, problem.message
