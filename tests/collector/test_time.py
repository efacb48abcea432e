"""When an event happened: the rules as properties and by example."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.time import (
    DAY_US,
    FUTURE_TOLERATED_US,
    SECOND_US,
    SKEW_TOLERATED_US,
    from_us,
    occurred,
    parse_epoch_ms,
    parse_time,
    to_us,
)

NOON_US = to_us(datetime(2026, 3, 10, 12, tzinfo=UTC))
moments = st.integers(1, 253_402_300_799_999_999)


told = st.fixed_dictionaries(
    {
        "event_us": moments | st.none(),
        "sent_us": moments | st.none(),
        "queued_us": st.integers(0, 10**16) | st.none(),
        "skew_tolerated_us": st.sampled_from([0, SKEW_TOLERATED_US]),
        "is_true": st.booleans(),
    }
)


@given(times=told, received_us=st.integers(DAY_US, 4 * 10**15))
def test_no_event_happens_after_its_receipt_or_before_time_began(times: dict[str, Any], received_us: int) -> None:
    occurred_us, flag = occurred(received_us, **times)

    assert 1 <= occurred_us <= received_us
    assert (flag == "late") == (from_us(occurred_us).date() < from_us(received_us).date())
    assert (flag == "no_client_time") == (times["event_us"] is None and times["queued_us"] is None)


@given(times=told, received_us=st.integers(DAY_US, 4 * 10**15))
def test_what_was_queued_happened_so_long_before_its_receipt_whatever_the_clocks(
    times: dict[str, Any], received_us: int
) -> None:
    if times["queued_us"] is not None:
        assert occurred(received_us, **times)[0] == max(1, received_us - times["queued_us"])


@given(times=told, received_us=st.integers(DAY_US, 4 * 10**15))
def test_a_clock_known_to_be_right_is_never_corrected(times: dict[str, Any], received_us: int) -> None:
    if times["is_true"] and times["queued_us"] is None and times["event_us"] is not None:
        assert occurred(received_us, **times)[0] == min(times["event_us"], received_us)


@given(ago_us=st.integers(0, 10**12), skew_us=st.integers(-(10**13), 10**13))
def test_a_wrong_clock_that_says_when_it_sent_tells_the_right_time(ago_us: int, skew_us: int) -> None:
    sent_us = NOON_US + skew_us
    times = {"event_us": sent_us - ago_us, "sent_us": sent_us}
    occurred_us, _ = occurred(NOON_US, **times)
    exact_us, _ = occurred(NOON_US, **times, skew_tolerated_us=0)

    assert exact_us == NOON_US - ago_us
    tolerated_us = 0 if abs(skew_us) > SKEW_TOLERATED_US else SKEW_TOLERATED_US
    assert abs(occurred_us - (NOON_US - ago_us)) <= tolerated_us


@pytest.mark.parametrize(
    ("client_s", "sent_s", "occurred_s", "flag"),
    [
        (-1, 0, -1, "ok"),
        (-1, None, -1, "ok"),
        (-1, -5, -1, "ok"),
        (-1, -5.000001, 0, "clamped"),
        (-11, -6, -5, "corrected"),
        (3_599, 3_600, -1, "corrected"),
        (5, None, 0, "ok"),
        (5.000001, None, 0, "clamped_future"),
        (-12 * 3_600, None, -12 * 3_600, "ok"),
        (-12 * 3_600 - 1, None, -12 * 3_600 - 1, "late"),
        (-12 * 3_600 - 61, -60, -12 * 3_600 - 1, "late"),
        (None, -60, 0, "no_client_time"),
    ],
)
def test_rules_by_example(client_s: float | None, sent_s: float | None, occurred_s: float, flag: str) -> None:
    def at(seconds: float | None) -> int | None:
        return None if seconds is None else NOON_US + round(seconds * SECOND_US)

    expected = ("corrected", at(occurred_s)) if flag == "clamped" else (flag, at(occurred_s))
    found_us, found = occurred(NOON_US, event_us=at(client_s), sent_us=at(sent_s))

    assert (found, found_us) == expected
    assert FUTURE_TOLERATED_US == 5 * SECOND_US


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001  (the offset comes beside it)
    st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_iso_text_of_any_offset_is_read_exactly(naive: datetime, zone: timezone) -> None:
    moment = naive.replace(tzinfo=zone)
    assert parse_time(moment.isoformat()) == to_us(moment)
    assert parse_time(naive.isoformat(sep=" ")) == to_us(naive.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-10T12:00:00Z", NOON_US),
        ("2026-03-10t12:00:00.5z", NOON_US + 500_000),
        ("2026-03-10T12:00:00,123456789Z", NOON_US + 123_456),
        ("2026-03-10 12:00", NOON_US),
        ("2026-03-10T13:00:00+0100", NOON_US),
        ("2026-03-10T13:00:00+01", NOON_US),
        ("2026-02-30T12:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("1969-12-31T00:00:00Z", None),
        ("2026-03-10", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        (10**30, None),
        (-5, None),
        (0, None),
        (NOON_US / 1_000, NOON_US),
    ],
)
def test_times_are_read_or_refused(text: object, expected: int | None) -> None:
    assert parse_time(text) == expected


@given(st.floats() | st.integers())
def test_any_number_is_a_plausible_time_or_none(value: float) -> None:
    moment_us = parse_epoch_ms(value)
    assert moment_us is None or from_us(moment_us).year <= 9999
