"""Options that several commands share, and the types of what a user writes for them."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]


def parse_instant(text: str) -> datetime:
    """An ISO time; without an offset it means UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO time such as 2026-05-17T06:00:00Z") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def parse_day(text: str) -> date:
    """An ISO date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date such as 2026-05-17") from None


Now = Annotated[
    datetime | None,
    typer.Option(
        "--now",
        parser=parse_instant,
        metavar="ISO-TIME",
        help="What the run takes for the present. Default: the clock.",
    ),
]
