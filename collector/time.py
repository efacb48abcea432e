"""When an event happened: pure rules over epoch microseconds.

Source: the tracker's wire format, "Clock skew": true time = ts + (server receipt - sent_at), applied when the
difference exceeds 5 s.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

SKEW_TOLERATED_US = 5 * SECOND_US
"""Clocks that differ by no more are taken as right: the difference is mostly the network's delay."""

FUTURE_TOLERATED_US = 5 * SECOND_US
"""An event this little ahead of its receipt is clamped without a flag."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_402_300_799_999_999  # the end of the year 9999, the last that datetime can hold
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
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LAST_US // 1_000:
        return max(1, round(value * 1_000))
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


def clock_offset_us(sent_us: int | None, received_us: int) -> int:
    """What to add to the client's times to get ours; 0 while the clocks agree or nothing is known."""
    if sent_us is None:
        return 0
    offset_us = received_us - sent_us
    return offset_us if abs(offset_us) > SKEW_TOLERATED_US else 0


def occurred(client_us: int | None, *, offset_us: int, received_us: int) -> tuple[int, str]:
    """When an event happened, by our clock, and how that was found.

    Args:
        client_us: When it happened, by the client's clock.
        offset_us: From `clock_offset_us`.
        received_us: When the request was received.

    Returns:
        `occurred_at`, never after `received_us`, and `time_flag`. Where several flags fit: late (an earlier UTC
        day than receipt), else clamped_future, else corrected, else ok.
    """
    if client_us is None:
        return received_us, "no_client_time"
    true_us = client_us + offset_us
    if true_us > received_us + FUTURE_TOLERATED_US:
        return received_us, "clamped_future"
    true_us = max(1, min(true_us, received_us))
    if true_us // DAY_US < received_us // DAY_US:
        return true_us, "late"
    return true_us, "corrected" if offset_us else "ok"
