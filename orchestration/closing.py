"""The calendar of summarised days: asking for a day, and closing it once its summaries stand."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from orchestration.database import Connection
from orchestration.errors import DayNotOver


def request_days(connection: Connection, days: Iterable[date], *, clock: Callable[[], datetime]) -> None:
    """Have the next transform rebuild the summaries of `days`, whether or not an event touched them."""
    requested_at = clock()
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.requested_days (day, requested_at) values (%s, %s)"
            " on conflict (day) do update set requested_at = excluded.requested_at",
            [(day, requested_at) for day in days],
        )


def close_days(connection: Connection, days: Iterable[date], *, clock: Callable[[], datetime]) -> None:
    """Record that `days` (UTC) are summarised, as of the newest finished transform. Closing again renews the record.

    Raises:
        DayNotOver: a day has not ended yet; none is closed.
    """
    now = clock()
    closing = sorted(days)
    if closing and closing[-1] >= now.astimezone(UTC).date():
        raise DayNotOver(f"{closing[-1]} is not over at {now:%Y-%m-%dT%H:%M:%SZ}: only days that have ended are closed")
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.closed_days (day, closed_at, upto_batch_id)"
            " select %s, %s, coalesce(max(upto_batch_id), '') from ops.transforms where finished_at is not null"
            " on conflict (day) do update set closed_at = excluded.closed_at, upto_batch_id = excluded.upto_batch_id",
            [(day, now) for day in closing],
        )
