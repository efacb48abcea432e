"""Making what clients send fit the contract's columns: repaired with a warning, never refused, never invalid.

`fit` works on one value; the functions behind it are made once from the contract.
"""

import math
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from collector.limits import NUMBER_DIGITS_MAX, TEXT_CHARS_MAX
from landing.contract import EVENTS, Column, Kind, Origin

Fitter = Callable[[Any, list[str]], Any]
"""From a value of JSON to one of the column, or None. Appends warnings."""

_INTEGER_LIMITS = {Kind.INT16: 2**15, Kind.INT32: 2**31, Kind.INT64: 2**63}
_MONEY_LIMIT = Decimal(10) ** 12
_MICRO = Decimal("0.000001")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_TRUTHS: dict[Any, bool] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
_SAFE_INTEGER = 2**63


def json_text(value: object) -> str:
    """`value` as JSON text that Postgres takes as jsonb: no NUL, no absurd number."""
    try:
        return msgspec.json.encode(value).decode()
    except (OverflowError, msgspec.MsgspecError):
        return msgspec.json.encode(clean_json(value, [], "")).decode()


def clean_json(value: Any, warnings: list[str], field: str) -> Any:  # noqa: ANN401  (any JSON value)
    """A copy of a JSON value with NUL removed, long texts cut, and numbers beyond 64 bits as text."""
    if isinstance(value, str):
        if "\0" in value:
            warn(warnings, "nul_removed", field)
            value = value.replace("\0", "")
        if len(value) > TEXT_CHARS_MAX:
            warn(warnings, "truncated", field)
            value = value[:TEXT_CHARS_MAX]
        return value
    if isinstance(value, dict):
        return {clean_json(key, warnings, field): clean_json(each, warnings, field) for key, each in value.items()}
    if isinstance(value, list):
        return [clean_json(each, warnings, field) for each in value]
    if type(value) is int and not -_SAFE_INTEGER <= value < _SAFE_INTEGER:
        warn(warnings, "number_as_text", field)
        return str(value)[:NUMBER_DIGITS_MAX]
    return value


def warn(warnings: list[str], code: str, field: str) -> None:
    """Note `code:field` once."""
    warning = f"{code}:{field}"
    if warning not in warnings:
        warnings.append(warning)


def _text(column: Column) -> Fitter:
    name, chars_max = column.name, column.length_max
    truncated = f"truncated:{name}"

    def fit(value: Any, warnings: list[str]) -> str | None:  # noqa: ANN401
        if type(value) is not str:
            if value is None:
                return None
            value = json_text(value)
        if "\0" in value:
            warn(warnings, "nul_removed", name)
            value = value.replace("\0", "")
        if len(value) > chars_max:
            warnings.append(truncated)
            value = value[:chars_max]
        return value or None

    return fit


def _choice(column: Column) -> Fitter:
    allowed = frozenset(column.values)

    def fit(value: Any, warnings: list[str]) -> str | None:  # noqa: ANN401
        if isinstance(value, str) and value in allowed:
            return value
        if value is not None:
            warn(warnings, "invalid", column.name)
        return None

    return fit


def _boolean(column: Column) -> Fitter:
    def fit(value: Any, warnings: list[str]) -> bool | None:  # noqa: ANN401
        if isinstance(value, (bool, int, str)) and value in _TRUTHS:
            return _TRUTHS[value]
        if value is not None:
            warn(warnings, "invalid", column.name)
        return None

    return fit


def _number(value: Any) -> float | int | None:  # noqa: ANN401
    """A finite number from a number or from text that is one."""
    if isinstance(value, str) and len(value) <= NUMBER_DIGITS_MAX and _NUMBER.fullmatch(value.strip()):
        value = int(value) if value.strip().lstrip("+-").isdecimal() else float(value)
    if type(value) is int or (isinstance(value, float) and math.isfinite(value)):
        return value
    return None


def _integer(column: Column) -> Fitter:
    name, limit = column.name, _INTEGER_LIMITS[column.kind]

    def fit(value: Any, warnings: list[str]) -> int | None:  # noqa: ANN401
        if type(value) is int and -limit <= value < limit:
            return value
        if value is None:
            return None
        number = _number(value)
        if number is not None and -limit <= round(number) < limit:
            return round(number)
        warn(warnings, "invalid", name)
        return None

    return fit


def _float(column: Column) -> Fitter:
    def fit(value: Any, warnings: list[str]) -> float | None:  # noqa: ANN401
        number = _number(value)
        if number is not None and abs(number) <= sys.float_info.max:
            return float(number)
        if value is not None:
            warn(warnings, "invalid", column.name)
        return None

    return fit


def _money(column: Column) -> Fitter:
    """decimal128(18, 6) as text, the one form that loses nothing on its way through JSON."""

    def fit(value: Any, warnings: list[str]) -> str | None:  # noqa: ANN401
        text = str(value).strip()
        if not isinstance(value, bool) and len(text) <= NUMBER_DIGITS_MAX and _NUMBER.fullmatch(text):
            amount = Decimal(text)
            if abs(amount) < _MONEY_LIMIT - 1:
                return f"{amount.quantize(_MICRO):f}"
        if value is not None:
            warn(warnings, "invalid", column.name)
        return None

    return fit


def _json(column: Column) -> Fitter:
    name = column.name

    def fit(value: Any, warnings: list[str]) -> str | None:  # noqa: ANN401
        if value is None:
            return None
        try:
            text = msgspec.json.encode(value).decode()
            # Only such text can hold what has to be cleaned; walking every value would cost more than mapping it.
            if len(text) <= TEXT_CHARS_MAX and "\\u0000" not in text:
                return text
        except (OverflowError, msgspec.MsgspecError):
            pass
        return msgspec.json.encode(clean_json(value, warnings, name)).decode()

    return fit


def _text_list(column: Column) -> Fitter:
    one = _text(column)

    def fit(value: Any, warnings: list[str]) -> list[str] | None:  # noqa: ANN401
        if value is None:
            return None
        texts = [one(each, warnings) for each in (value if isinstance(value, list) else [value])]
        return [text for text in texts if text] or None

    return fit


_MAKERS: dict[Kind, Callable[[Column], Fitter]] = {
    Kind.TEXT: _text,
    Kind.BOOLEAN: _boolean,
    Kind.INT16: _integer,
    Kind.INT32: _integer,
    Kind.INT64: _integer,
    Kind.FLOAT64: _float,
    Kind.DECIMAL: _money,
    Kind.JSON: _json,
    Kind.TEXT_LIST: _text_list,
}

FITTERS: dict[str, Fitter] = {
    column.name: (_choice if column.values else _MAKERS[column.kind])(column)
    for column in EVENTS.columns
    if column.origin is Origin.COLLECTOR and column.kind is not Kind.TIMESTAMP
}
"""By name, every column of an event that a protocol may fill."""

TEXT_LENGTHS: dict[str, int] = {
    column.name: column.length_max
    for column in EVENTS.columns
    if column.name in FITTERS and column.kind is Kind.TEXT and not column.values
}
"""Characters that a column of free text holds. Text no longer, not empty and without NUL fits as it is."""
