"""`tidemill contract`: the files derived from the event contract."""

import typer

from tidemill.console import say
from tidemill.errors import CommandFailed

app = typer.Typer(no_args_is_help=True, help="The files derived from the event contract.")


@app.command()
def write() -> None:
    """Write every file that is derived from the event contract."""
    from landing import generate
    from tidemill.checkout import ROOT

    for path in generate.write_files(ROOT):
        say(f"wrote {path}")


@app.command()
def check() -> None:
    """Fail when a derived file differs from what the contract gives."""
    from landing import generate
    from tidemill.checkout import ROOT

    stale = generate.stale_files(ROOT)
    if stale:
        raise CommandFailed(f"stale: {', '.join(stale)}; run `tidemill contract write` and commit")
