"""Keys: one spelling for each value, and nothing else parses."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landing.keys import ARCHIVE_PREFIX, INBOX_PREFIX, ArchiveKey, InboxKey, salt_key
from landing.store import checked_key

DATASETS = st.from_regex(r"[a-z0-9_]{1,30}", fullmatch=True)
IDS = st.from_regex(r"[0-9A-Za-z-]{1,100}", fullmatch=True)
DAYS = st.dates(min_value=date(1000, 1, 1))
HOURS = st.builds(lambda day, hour: datetime(day.year, day.month, day.day, hour, tzinfo=UTC), DAYS, st.integers(0, 23))

INBOX_KEYS = st.builds(InboxKey, DATASETS, HOURS, IDS)
ARCHIVE_KEYS = st.builds(ArchiveKey, DATASETS, DAYS, IDS, st.just("") | IDS)


@given(INBOX_KEYS)
def test_an_inbox_key_is_read_as_it_was_spelled(key: InboxKey) -> None:
    assert InboxKey.parse(str(key)) == key
    assert str(key).startswith(INBOX_PREFIX)
    assert checked_key(str(key))
    assert ArchiveKey.parse(str(key)) is None


@given(ARCHIVE_KEYS)
def test_an_archive_key_is_read_as_it_was_spelled(key: ArchiveKey) -> None:
    assert ArchiveKey.parse(str(key)) == key
    assert str(key).startswith(ARCHIVE_PREFIX)
    assert checked_key(str(key))
    assert InboxKey.parse(str(key)) is None


@given(st.text())
def test_any_text_is_the_spelling_of_what_it_parses_to_or_of_nothing(text: str) -> None:
    for kind in (InboxKey, ArchiveKey):
        parsed = kind.parse(text)
        assert parsed is None or str(parsed) == text


@given(st.lists(ARCHIVE_KEYS, max_size=20))
def test_archive_keys_of_one_dataset_sort_by_day_then_batch(keys: list[ArchiveKey]) -> None:
    of_one = [ArchiveKey("events", key.day, f"{number:012d}-0a1b2c3d") for number, key in enumerate(keys)]

    assert sorted(map(str, of_one)) == [str(key) for key in sorted(of_one)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "inbox/",
        "inbox/events/2026-01-02/03/a",
        "inbox/events/2026-01-02/3/a.parquet",
        "archive/events/2026-01-02/a...b.parquet",
        "archive/events/2026-01-02/a...parquet",
        "archive/events/2026-01-02/a..b..c.parquet",
        "inbox/events/2026-01-02/24/a.parquet",
        "inbox/events/2026-02-30/03/a.parquet",
        "inbox/events/0000-01-01/03/a.parquet",
        "inbox/Events/2026-01-02/03/a.parquet",
        "inbox/events/2026-01-02/03/a.parquet.tmp",
        "inbox/events/2026-01-02/03/.tmp-a.parquet",
        "inbox/events/2026-01-02/03/a.parquet\n",
        "inbox/events/2026-01-02/03/../a.parquet",
        "inbox/events/٢٠٢٦-01-02/03/a.parquet",
        "/inbox/events/2026-01-02/03/a.parquet",
        "archive/events/2026-02-30/a.parquet",
        "archive/events/2026-01-02/a/b.parquet",
        "archive/events/2026-01-02/.parquet",
    ],
)
def test_what_is_no_key_parses_to_nothing(text: str) -> None:
    assert InboxKey.parse(text) is None
    assert ArchiveKey.parse(text) is None


def test_keys_look_as_documented() -> None:
    hour = datetime(2026, 1, 2, 3, tzinfo=UTC)

    assert str(InboxKey("events", hour, "s-1")) == "inbox/events/2026-01-02/03/s-1.parquet"
    assert str(ArchiveKey("events", date(2026, 1, 2), "b-1")) == "archive/events/2026-01-02/b-1.parquet"
    assert str(ArchiveKey("events", date(2026, 1, 2), "b-1", "b-9")) == "archive/events/2026-01-02/b-1..b-9.parquet"
    assert salt_key("2026-01-02") == "salts/2026-01-02"


def test_an_hour_of_another_zone_is_spelled_in_utc() -> None:
    there = datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=2)))

    assert str(InboxKey("events", there, "s-1")) == "inbox/events/2026-01-01/23/s-1.parquet"
