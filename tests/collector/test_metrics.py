"""What /metrics tells is the same however late and in whatever bulk it was added up."""

from pathlib import Path

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collector.metrics import Metrics

TIMES_S = [0.0, 0.0005, 0.00051, 0.001, 0.003, 0.003, 0.25, 2.5, 2.6, 1_000.0]
"""On the bounds of buckets, between them and beyond the last."""


def test_times_added_up_at_once_fall_into_the_buckets_that_each_would(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    for seconds in TIMES_S:
        metrics.count_request("/e", 204, seconds)
    metrics.add_up()
    metrics.count_request("/e", 204, 0.02)
    found = samples(metrics, "tidemill_request_seconds")

    bounds = [float(labels[0][1]) for name, labels in found if name.endswith("_bucket")]
    registry = prometheus_client.CollectorRegistry()
    alone = prometheus_client.Histogram("tidemill_request_seconds", "", buckets=bounds, registry=registry)
    for seconds in [*TIMES_S, 0.02]:
        alone.observe(seconds)
    expected = {
        (each.name, tuple(each.labels.items())): pytest.approx(each.value)
        for family in registry.collect()
        for each in family.samples
    }
    created = ("tidemill_request_seconds_created", ())
    assert {**found, created: 0} == {**expected, created: 0}


def test_requests_and_events_are_counted_by_what_they_were(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    for status in (204, 204, 413):
        metrics.count_request("/e", status, 0.001)
    for events in (1, 50, 50):
        metrics.count_accepted("shop", events)
    metrics.count_rejected("shop", "invalid_event", 2)

    assert (
        samples(metrics, "tidemill_requests")["tidemill_requests_total", (("endpoint", "/e"), ("status", "204"))] == 2
    )
    assert samples(metrics, "tidemill_events_accepted")["tidemill_events_accepted_total", (("site", "shop"),)] == 101
    rejected = samples(metrics, "tidemill_events_rejected")
    assert rejected["tidemill_events_rejected_total", (("reason", "invalid_event"), ("site", "shop"))] == 2


def samples(metrics: Metrics, family: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The values of a family by name and labels."""
    families = text_string_to_metric_families(metrics.expose().decode())
    return {
        (each.name, tuple(each.labels.items())): each.value
        for found in families
        if found.name == family
        for each in found.samples
    }
