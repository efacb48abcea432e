"""When an event happened: pure rules over epoch microseconds, the same for all families.

Sources: the tracker's wire format, "Clock skew": true time = ts + (server receipt - sent_at), applied when the
difference exceeds 5 s; Segment and Objectiv, the same whatever the difference; the Measurement Protocol, receipt
less queue time; Snowplow, a true timestamp that wins.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
MILLISECOND_US = 1_000
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

SKEW_TOLERATED_US = 5 * SECOND_US
"""Clocks that differ by no more are taken as right: the difference is mostly the network's delay."""

FUTURE_TOLERATED_US = 5 * SECOND_US
"""An event this little ahead of its receipt is clamped without a flag."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_402_300_799_999_999  # the end of the year 9999, the last that datetime can hold
_LAST_MS = _LAST_US // MILLISECOND_US
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII | re.IGNORECASE
)


def to_us(moment: datetime) -> int:
    """Epoch microseconds of an aware datetime."""
    return (moment - _EPOCH) // MICROSECOND


def from_us(moment_us: int) -> datetime:
    """The UTC datetime of epoch microseconds."""
    return _EPOCH + timedelta(microseconds=moment_us)


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar date at `moment` in `zone`."""
    return moment.astimezone(zone).date()


def parse_epoch_ms(value: object) -> int | None:
    """Epoch microseconds of a number of milliseconds; None when it is no plausible time."""
    if type(value) is int and 0 < value <= _LAST_MS:  # as nearly all clients send it
        return value * MILLISECOND_US
    if isinstance(value, float) and 0 < value <= _LAST_MS:
        return max(1, round(value * MILLISECOND_US))
    return None


def parse_time(value: object) -> int | None:
    """Epoch microseconds of ISO 8601 text (UTC where it names no offset) or of a number of milliseconds.

    Returns None when it is no plausible time.
    """
    if not isinstance(value, str):
        return parse_epoch_ms(value)
    match = _ISO.fullmatch(value.strip())
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    offset = "+00:00" if offset in {None, "Z", "z"} else offset
    seconds = f"{clock}.{(fraction or '0')[:6]:0<6}" if len(clock) > len("00:00") else clock
    try:
        moment = datetime.fromisoformat(f"{day}T{seconds}{offset}")
        moment_us = to_us(moment)
    except (ValueError, OverflowError):
        return None
    return moment_us if 0 < moment_us <= _LAST_US else None


def occurred(  # noqa: PLR0913  (all that a client may tell)
    received_us: int,
    *,
    event_us: int | None = None,
    sent_us: int | None = None,
    queued_us: int | None = None,
    skew_tolerated_us: int = SKEW_TOLERATED_US,
    is_true: bool = False,
) -> tuple[int, str]:
    """When an event happened, by our clock, and how that was found.

    Args:
        received_us: When we received it, in epoch microseconds.
        event_us: When it happened, by the client's clock.
        sent_us: When it was sent, by the client's clock.
        queued_us: How long it was kept before it was sent; tells the time without any clock, so it wins.
        skew_tolerated_us: Clocks that differ by no more are taken as equal. Flagged as corrected are only times by
            clocks that differ by more than the network's delay explains.
        is_true: `event_us` is by a clock known to be right.

    Returns:
        `occurred_at`, never after `received_us`, and `time_flag`. Where several flags fit: late (an earlier UTC
        day than receipt), else clamped_future, else queued, else corrected, else ok.
    """
    offset_us = 0
    flag = "ok"
    if queued_us is not None:
        true_us = received_us - queued_us
        flag = "queued" if queued_us else "ok"
    elif event_us is None:
        return received_us, "no_client_time"
    else:
        if sent_us is not None and not is_true:
            offset_us = received_us - sent_us
        skew_us = abs(offset_us)
        true_us = event_us + (offset_us if skew_us > skew_tolerated_us else 0)
        if skew_us > SKEW_TOLERATED_US:
            flag = "corrected"
    if true_us >= received_us:
        return received_us, flag if true_us <= received_us + FUTURE_TOLERATED_US else "clamped_future"
    true_us = true_us if true_us > 0 else 1
    return true_us, "late" if true_us // DAY_US < received_us // DAY_US else flag
