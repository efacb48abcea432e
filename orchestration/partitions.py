"""The calendar: one partition for each summarised UTC day."""

from collections.abc import Mapping
from datetime import date, timedelta

import dagster as dg

DAYS = dg.DailyPartitionsDefinition(start_date="2010-01-01", timezone="UTC", end_offset=1)
"""From before the oldest log that anybody imports, to today."""

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


def days_of(tags: Mapping[str, str]) -> list[date]:
    """The days that a run was asked for, by its tags: one, each of a range, or none."""
    start = tags.get(PARTITION_TAG) or tags.get(RANGE_START_TAG)
    if start is None:
        return []
    first = date.fromisoformat(start)
    last = date.fromisoformat(tags.get(RANGE_END_TAG, start))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def partition_tags(first: date, last: date) -> dict[str, str]:
    """The tags that make one run of every day from `first` to `last`."""
    if first == last:
        return {PARTITION_TAG: first.isoformat()}
    return {RANGE_START_TAG: first.isoformat(), RANGE_END_TAG: last.isoformat()}
