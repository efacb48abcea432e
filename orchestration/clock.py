"""The clock of a run: the real one, unless the run was told what to take for the present.

`--now` of the command line becomes a tag of the run, so that every step of it, in whatever process, agrees,
and so that the run's page shows which day it played.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present in UTC."""

NOW_TAG = "tidemill/now"


def clock_of(tags: Mapping[str, str]) -> Clock:
    """The clock that a run's tags ask for: standing still at the tagged instant, or the real one.

    Raises:
        ValueError: the tag is no ISO time with an offset.
    """
    text = tags.get(NOW_TAG)
    if text is None:
        return lambda: datetime.now(UTC)
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"tag {NOW_TAG}: {text!r} has no offset from UTC")
    return lambda: instant.astimezone(UTC)


def tags_for(now: datetime | None) -> dict[str, str]:
    """The tags that make `clock_of` stand still at `now`; none for the real clock."""
    return {} if now is None else {NOW_TAG: now.astimezone(UTC).isoformat()}
