"""What a command says: tables for people, JSON for programs, one clear line for an error."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup


def emit_json(document: object) -> None:
    """Print `document` as one JSON document; times as ISO text."""
    sys.stdout.write(json.dumps(document, indent=2, default=_as_json, ensure_ascii=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a title; numbers to the right, with separators."""
    from rich import box  # noqa: PLC0415  (half of the start-up time of `--help`)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    cells = [[_as_text(value) for value in row] for row in rows]
    if not cells:
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        is_number = all(_is_number(row[number]) for row in cells)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold", no_wrap=not number)
    for row in cells:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_WITHOUT_TERMINAL)
    console.print(table)


def print_rows(title: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows by column name under a title; nothing when there are none."""
    if rows:
        print_table(title, [name.replace("_", " ") for name in rows[0]], [list(row.values()) for row in rows])


def say(line: str) -> None:
    """Print one line about what is going on; to stderr, so that reports on stdout stay clean."""
    typer.echo(line, err=True)


class CommandLine(TyperGroup):
    """The command group: an expected error becomes one line on stderr and exit code 1, without a traceback."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # noqa: ANN401  (click's own signature)
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            line = explain(error)
            if line is None:
                raise
            typer.echo(f"tidemill: {line}", err=True)
            raise typer.Exit(1) from None


def explain(error: Exception) -> str | None:
    """The line for an error that a user can act on; None for a defect of ours, which deserves its traceback."""
    if _is_expected(error):
        return " ".join(str(error).split()) or type(error).__name__
    return None


_NOTHING = "-"

_WIDTH_WITHOUT_TERMINAL = 200
"""A file or a pipe has no edge to wrap at."""

_EXPECTED = (
    ("tidemill.errors", "CommandFailed"),
    ("landing.errors", "LandingError"),
    ("orchestration.errors", "OrchestrationError"),
    ("collector.access_log", "UnknownSite"),
    ("collector.replay", "ReplayStopped"),
    ("collector.scripts", "ScriptsUnusable"),
    ("builtins", "OSError"),
    ("psycopg", "OperationalError"),
)


def _is_expected(error: Exception) -> bool:
    """Looked up among the loaded modules: an error can only come from one, and none must be imported for this."""
    kinds = tuple(getattr(sys.modules[module], name) for module, name in _EXPECTED if module in sys.modules)
    return isinstance(error, kinds)


def _as_json(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return str(value)


def _as_text(value: object) -> str:
    match value:
        case None:
            return _NOTHING
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return str(value)


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).lstrip("-").isdigit() or text == _NOTHING
