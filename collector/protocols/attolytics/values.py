"""What the original makes of JSON values, type by type; where its result is a fault, what it should have been."""

import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from collector.time import from_us, to_us

Value = bool | int | float | str
Fit = Callable[[Any], Value | None]
"""The value that the column holds, or None for a value of another type. Raises InvalidValue."""

_INT32: Final = 2**31
_INT64: Final = 2**63
_SINGLE: Final = struct.Struct("<f")
_FIRST_US: Final = to_us(datetime.min.replace(tzinfo=UTC))
_LAST_US: Final = to_us(datetime.max.replace(tzinfo=UTC))
_SECOND_US: Final = 1_000_000
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_LEAP_SECOND: Final = 60


class InvalidValue(Exception):
    """A value of the right type that its column can never hold; the message says why."""


def boolean(value: object) -> Value | None:
    """`true` and `false`."""
    return value if type(value) is bool else None


def int32(value: object) -> Value | None:
    """Integers of 32 bits; `5.0` is none."""
    return value if type(value) is int and -_INT32 <= value < _INT32 else None


def int64(value: object) -> Value | None:
    """Integers of 64 bits."""
    return value if type(value) is int and -_INT64 <= value < _INT64 else None


def float32(value: object) -> Value | None:
    """Any number, rounded to single precision; what is too large for it is infinite, which JSON has only as text."""
    number = float64(value)
    if number is None:
        return None
    try:
        single: float = _SINGLE.unpack(_SINGLE.pack(number))[0]
    except OverflowError:
        return "Infinity" if float(number) > 0 else "-Infinity"
    return single


def float64(value: object) -> Value | None:
    """Any number. Raises InvalidValue for an integer that no double comes near."""
    if type(value) is float:
        return value
    if type(value) is not int:
        return None
    try:
        return float(value)
    except OverflowError:
        raise InvalidValue("the number is beyond a double") from None


def text(value: object) -> Value | None:
    """Text without U+0000, which Postgres cannot hold."""
    if not isinstance(value, str):
        return None
    if "\0" in value:
        raise InvalidValue("the text holds U+0000")
    return value


def timestamp_of(unit_us: int) -> Fit:
    """Times: numbers in units of `unit_us` microseconds since 1970, or RFC 3339 text; as ISO 8601 in UTC."""

    def timestamp(value: object) -> Value | None:
        if isinstance(value, str):
            return _read_time(value)
        if type(value) is int:
            return _spell(value * unit_us)
        if type(value) is float and value == value:  # noqa: PLR0124  (not NaN)
            if abs(value) * unit_us > _LAST_US:
                raise InvalidValue("the time is outside of the years 1 to 9999")
            return _spell(round(value * unit_us))
        return None

    return timestamp


FITS: Final[dict[str, Fit]] = {
    "bool": boolean,
    "i32": int32,
    "i64": int64,
    "f32": float32,
    "f64": float64,
    "string": text,
}
"""By name of the type; of timestamps, `timestamp_of` the column's unit."""

UNITS_US: Final = {"s": _SECOND_US, "ms": 1_000}


def _read_time(value: str) -> str:
    match = _RFC3339.fullmatch(value)
    if match is None:
        raise InvalidValue("the time is not RFC 3339, as in 2026-03-10T12:00:00Z")
    fraction, sign, offset_hours, offset_minutes = match.group(7, 8, 9, 10)
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    is_leap = second == _LEAP_SECOND
    try:
        offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
        if int(offset_minutes or 0) > 59:  # noqa: PLR2004  (minutes of an hour)
            raise InvalidValue("the time's offset is impossible")
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(year, month, day, hour, minute, second - is_leap, tzinfo=zone)
    except (ValueError, OverflowError) as error:
        raise InvalidValue(f"the time is impossible: {error}") from None
    nanoseconds = int((fraction or "0")[:9].ljust(9, "0"))
    return _spell(to_us(moment) + is_leap * _SECOND_US + (nanoseconds + 500) // 1_000)


def _spell(moment_us: int) -> str:
    if not _FIRST_US <= moment_us <= _LAST_US:
        raise InvalidValue("the time is outside of the years 1 to 9999")
    return from_us(moment_us).isoformat()
