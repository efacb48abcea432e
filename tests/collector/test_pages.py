"""The pages for operators, and what belongs to nobody."""

import importlib.metadata
import os
from datetime import timedelta

import pytest

from tests.collector.conftest import LocalCollector


def test_healthz_and_version_answer(local: LocalCollector) -> None:
    assert (local.client.get("/healthz").status_code, local.client.get("/healthz").json) == (200, {"status": "ok"})
    assert local.client.get("/version").json == {"version": importlib.metadata.version("tidemill")}


def test_readyz_is_503_when_the_spool_cannot_be_written(local: LocalCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local.client.get("/readyz").status_code == 200

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    answer = local.client.get("/readyz")
    assert (answer.status_code, answer.json["reason"]) == (503, "disk_failed")


def test_a_spool_that_fails_is_answered_503_with_retry_after_and_counted(
    local: LocalCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", fail)
    for answer in (
        local.track({"n": "page"}),
        local.track("bad"),
        local.call({"event_name": "x"}),
        local.post("/e", b"{"),
    ):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert b'tidemill_unavailable_total{reason="disk_failed"} 4.0' in local.client.get("/metrics").data


def test_metrics_tell_of_the_spool(local: LocalCollector) -> None:
    local.track({"n": "page"})
    text = local.client.get("/metrics").data.decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(lines["tidemill_spool_bytes"]) > 100
    assert float(lines["tidemill_spool_segments"]) == 1
    assert float(lines["tidemill_oldest_unshipped_seconds"]) > timedelta(days=1).total_seconds()  # by the real clock
    local.landed()
    text = local.client.get("/metrics").data.decode()
    assert "tidemill_spool_bytes 0.0" in text
    assert "tidemill_oldest_unshipped_seconds 0.0" in text
    assert 'tidemill_objects_total{outcome="stored"} 1.0' in text


def test_a_method_that_a_path_does_not_take_is_answered_405_and_an_unknown_path_404(local: LocalCollector) -> None:
    answer = local.client.put("/e")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    assert local.client.post("/nothing").status_code == 404
    assert local.client.get("/").data == b"OK"  # Webalytic's sign of life
    assert local.client.get("/s/shop/nothing").status_code == 404
