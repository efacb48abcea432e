"""A site takes so many events a minute, and its senders are told when to come again."""

import json
from pathlib import Path

import pytest

from collector.rate import MinuteLimits, TooManyEvents
from tests.collector.conftest import LocalCollector


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_bucket_holds_a_minutes_events_and_fills_evenly() -> None:
    clock = Clock()
    limits = MinuteLimits(1, clock=clock)
    for _ in range(60):
        limits.check("shop", 1, 60)
    with pytest.raises(TooManyEvents) as refused:
        limits.check("shop", 1, 60)
    limits.check("another", 1, 60)

    assert refused.value.retry_after_s == 1
    clock.now_s += 1
    limits.check("shop", 1, 60)
    with pytest.raises(TooManyEvents):
        limits.check("shop", 1, 60)


def test_a_batch_larger_than_the_limit_passes_and_is_paid_for_afterwards() -> None:
    clock = Clock()
    limits = MinuteLimits(1, clock=clock)
    limits.check("shop", 180, 60)
    with pytest.raises(TooManyEvents) as refused:
        limits.check("shop", 1, 60)

    assert refused.value.retry_after_s == 121
    clock.now_s += 121
    limits.check("shop", 1, 60)


def test_processes_share_a_limit() -> None:
    limits = MinuteLimits(2, clock=Clock())
    for _ in range(30):
        limits.check("shop", 1, 60)
    with pytest.raises(TooManyEvents):
        limits.check("shop", 1, 60)


SITES = """
version: 1
sites:
  shop: {name: Shop, limits: {events_per_minute: 4}, secrets: [{name: dev, plain: s3cret}]}
"""


def test_more_than_the_site_takes_is_answered_429_and_not_kept(tmp_path: Path) -> None:
    limited = LocalCollector(tmp_path, SITES)
    statuses = [limited.track({"n": "page"}).status_code for _ in range(5)]
    answer = limited.track({"n": "page"})

    assert (statuses, answer.status_code) == ([204, 204, 204, 204, 429], 429)
    assert int(answer.headers["Retry-After"]) >= 1
    assert json.loads(answer.data)["reason"] == "rate_limited"
    assert limited.call({"events": [{"event_name": "x"}]}).status_code == 429
    landed = limited.landed()
    assert (len(landed.events), len(landed.rejects)) == (4, 0)
