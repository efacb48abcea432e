"""Values of parameters, each by its type: text, boolean, integer, currency.

What cannot be read is absent and leaves a warning; it never refuses a hit.
"""

import re

from collector.columns import warn

ABSENT = frozenset({"undefined", "null", "NaN"})
"""What scripts send where a page gave no value; counts as none in numbers and in an event's label."""

_INTEGER = re.compile(r"([+-]?[0-9]{1,19})(?:\.([0-9]*))?")
_INTEGER_LIMIT = 2**63
_AMOUNT_START = re.compile(r"[-.0-9]")
_AMOUNT = re.compile(r"(-?)([0-9]*)(?:\.([0-9]*))?")
_PLACES_MAX = 6
_WHOLE_DIGITS_MAX = 15
_BYTES_PER_CHARACTER_MAX = 4


def read_text(value: str, name: str, bytes_max: int | None, warnings: list[str]) -> str:
    """The text, cut at a character boundary where it has more bytes than allowed."""
    if bytes_max is None or len(value) * _BYTES_PER_CHARACTER_MAX <= bytes_max:
        return value
    encoded = value.encode()
    if len(encoded) <= bytes_max:
        return value
    warn(warnings, "truncated", name)
    return encoded[:bytes_max].decode("utf-8", "ignore")


def read_boolean(value: str, name: str, warnings: list[str]) -> bool | None:
    """`1` or `0`."""
    if value in {"0", "1"}:
        return value == "1"
    warn(warnings, "invalid_value", name)
    return None


def read_integer(value: str, name: str, warnings: list[str], *, is_signed: bool = True) -> int | None:
    """An integer of 64 bits, and not below zero unless `is_signed`. A fraction is cut toward zero."""
    if value in ABSENT:
        return None
    match = _INTEGER.fullmatch(value.strip())
    number = None if match is None else int(match[1])
    if match is None or number is None or not -_INTEGER_LIMIT <= number < _INTEGER_LIMIT:
        warn(warnings, "invalid_value", name)
        return None
    if match[1].startswith("-") and not is_signed:
        warn(warnings, "invalid_value", name)
        return None
    if match[2] and match[2].strip("0"):
        warn(warnings, "fraction_cut", name)
    return number


def read_currency(value: str, name: str, warnings: list[str]) -> str | None:
    """An amount of money as a decimal with at most 6 places.

    What stands before the first digit, minus or point and what trails the number is ignored: `$-55.00` is -55.00.
    """
    if value in ABSENT:
        return None
    start = _AMOUNT_START.search(value)
    match = None if start is None else _AMOUNT.match(value, start.start())
    if match is None or len(match[2]) > _WHOLE_DIGITS_MAX or not (match[2] or match[3]):
        warn(warnings, "invalid_value", name)
        return None
    whole, fraction = match[2] or "0", (match[3] or "")[:_PLACES_MAX]
    return f"{match[1]}{whole}.{fraction}" if fraction else f"{match[1]}{whole}"


def read_amount(value: str, name: str, warnings: list[str]) -> float | None:
    """An amount of money inside a column of JSON."""
    text = read_currency(value, name, warnings)
    return None if text is None else float(text)
