"""Whatever a client sends becomes a value that the landing zone and Postgres take."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.columns import FITTERS
from collector.convert import _table
from landing.contract import EVENTS, Kind

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30)
)
values = st.recursive(
    scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3)
)
required = {
    "event_id": "018f0000-0000-7000-8000-000000000001",
    "site_id": "shop",
    "protocol": "api",
    "event_type": "event",
    "is_interaction": True,
    "occurred_at": 1,
    "received_at": 1,
    "time_flag": "ok",
    "visitor_id_kind": "none",
    "request_id": "r",
    "request_index": 0,
    "collector_id": "c",
}
free = sorted(FITTERS.keys() - required.keys())


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(free, values)))
def test_any_value_in_any_column_survives_the_conversion(sent: dict[str, Any]) -> None:
    row = dict(required)
    for name, value in sent.items():
        fitted = FITTERS[name](value, [])
        if fitted is not None:
            row[name] = fitted
    table = _table("events", msgspec.json.encode(row) + b"\n", "s")

    (landed,) = table.to_pylist()
    for column in EVENTS.landed_columns():
        found = landed[column.name]
        if column.kind is Kind.TEXT and found is not None:
            assert len(found) <= column.length_max
            assert "\0" not in found
        if column.kind is Kind.JSON and found is not None:
            json.loads(found, parse_constant=pytest.fail)
            assert "\\u0000" not in found.replace("\\\\", "")


@pytest.mark.parametrize(
    ("value", "money"),
    [
        ("12.30", "12.300000"),
        (12, "12.000000"),
        (0.1, "0.100000"),
        (-5.5, "-5.500000"),
        ("1e3", "1000.000000"),
        (1e-9, "0.000000"),
        ("999999999998.999999", "999999999998.999999"),
        ("1000000000000", None),
        (10**30, None),
        ("1e999", None),
        ("12,30", None),
        ("", None),
        (True, None),
        ([], None),
        (None, None),
    ],
)
def test_money_is_exact_to_six_places_or_left_out(value: object, money: str | None) -> None:
    warnings: list[str] = []
    fitted = FITTERS["revenue"](value, warnings)
    assert fitted == money
    assert warnings == ([] if money is not None or value is None else ["invalid:revenue"])
    assert fitted is None or Decimal(fitted) < 10**12


def test_a_large_integer_as_text_keeps_its_digits() -> None:
    assert FITTERS["client_session_number"]("9007199254740993", []) == 9_007_199_254_740_993
