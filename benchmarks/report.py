"""The table of results and its file."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Result:
    """One measured ratio, size or time.

    Attributes:
        name: What was measured.
        value: The median over the repetitions.
        target: The bound, as text such as ">= 0.6".
        holds: Whether the value keeps the bound.
        detail: The numbers behind the value, and what limits it.
    """

    name: str
    value: float
    target: str
    holds: bool
    detail: str


def at_least(name: str, value: float, bound: float, detail: str) -> Result:
    """A result that must not fall below `bound`."""
    return Result(name, round(value, 3), f">= {bound:g}", value >= bound, detail)


def at_most(name: str, value: float, bound: float, detail: str) -> Result:
    """A result that must not exceed `bound`."""
    return Result(name, round(value, 3), f"<= {bound:g}", value <= bound, detail)


def show(results: Iterable[Result]) -> None:
    """Print the results as a table."""
    table = Table(title="Tidemill benchmarks")
    for heading, justify in (("what", "left"), ("value", "right"), ("target", "right"), ("holds", "left")):
        table.add_column(heading, justify="right" if justify == "right" else "left", overflow="fold")
    table.add_column("detail", overflow="fold")
    for result in results:
        holds = "[green]yes[/]" if result.holds else "[red]no[/]"
        table.add_row(result.name, f"{result.value:g}", result.target, holds, result.detail)
    Console(width=160).print(table)


def write(results: Iterable[Result], path: Path) -> None:
    """Write [{name, value, target, holds, detail}] as JSON."""
    path.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
