"""`GET /stat`: what Alcolytics counted, under its own names, out of the collector's metrics."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

_COUNTER_OF = {"/img": "gif", "/lib.js": "lib", "/track": "track"}
_WEBHOOK = "/webhook/"
_ERRORS = {"library_report": "frontend.error", "missing_name": "error.track.validation"}


def report(exposition: bytes) -> dict[str, Any]:
    """Counters and the histogram of answers' times, as JSON.

    Args:
        exposition: The collector's metrics in Prometheus' text format.
    """
    counters = dict.fromkeys(("request", *_COUNTER_OF.values(), "webhook", *_ERRORS.values()), 0)
    handled: dict[str, float] = {}
    for family in text_string_to_metric_families(exposition.decode()):
        for sample in family.samples:
            if sample.name == "tidemill_requests_total":
                counters["request"] += int(sample.value)
                endpoint = sample.labels["endpoint"]
                name = "webhook" if endpoint.startswith(_WEBHOOK) else _COUNTER_OF.get(endpoint)
            elif sample.name == "tidemill_events_rejected_total":
                name = _ERRORS.get(sample.labels["reason"])
            elif sample.name == "tidemill_request_seconds_bucket":
                handled[sample.labels["le"]] = handled.get(sample.labels["le"], 0) + sample.value
                name = None
            else:
                name = None
            if name is not None:
                counters[name] += int(sample.value)
    return {"counters": counters, "histograms": {"handled_seconds": handled}}
