"""Objectiv beyond its vectors: settings, limits, keywords of extensions, and mapping kept events anew."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from collector.columns import FITTERS
from collector.intake import Delivery, Intake, Response
from collector.metrics import Metrics
from collector.protocols.objectiv import FAMILY
from collector.protocols.objectiv.checks import Checker
from collector.protocols.objectiv.properties import compile_property
from collector.salts import Salts
from landing.sites import load_sites
from landing.store import MemoryStore
from landing.taxonomy import base_taxonomy
from tests.protocols.vectors import BROWSER, NOW, PEER, KeptRows, read_vectors, run

NOW_MS = int(NOW.timestamp() * 1_000)
FOLDER = Path(__file__).parent
SITES = "version: 1\nsites:\n  shop: {name: Shop, privacy: {visitor: client}}\n"
APPLICATION = {"_type": "ApplicationContext", "id": "shop-app"}


def event(name: str = "ApplicationLoadedEvent", **more: Any) -> dict[str, Any]:
    return {
        "_type": name,
        "id": str(uuid.uuid4()),
        "time": NOW_MS - 1_500,
        "location_stack": [],
        "global_contexts": [APPLICATION],
        **more,
    }


def send(
    body: object, settings: str = "", *, headers: dict[str, str] | None = None, path: str = "/s/shop/"
) -> tuple[Any, KeptRows]:
    """The answer, None where nobody takes the request, and what was kept."""
    sink, store, sites = KeptRows(), MemoryStore(), load_sites(SITES + settings)
    intake = Intake(
        sites=lambda: sites,
        sink=sink,
        salts=Salts(store, store, clock=lambda: NOW),
        metrics=Metrics(FOLDER),
        collector_id="x",
    )
    response: Response | None = intake.take(
        Delivery(
            method="POST",
            path=path,
            query="",
            headers={"user-agent": BROWSER, **(headers or {})},
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            received_at=NOW,
            peer=PEER,
        )
    )
    if response is None:
        return None, sink
    assert response.answer.status == 200
    return json.loads(response.answer.body), sink


@pytest.mark.parametrize(("events", "is_taken"), [(1_000, True), (1_001, False)])
def test_a_request_holds_a_thousand_events(events: int, *, is_taken: bool) -> None:
    reply, kept = send({"events": [event() for _ in range(events)], "transport_time": NOW_MS})
    assert reply["event_count"] == (events if is_taken else -1)
    assert len(kept.rows.get("events", [])) == (events if is_taken else 0)


@pytest.mark.parametrize(("size", "is_taken"), [(1_000_000, True), (1_000_001, False)])
def test_a_body_has_a_million_bytes(size: int, *, is_taken: bool) -> None:
    body = json.dumps({"events": [event()], "transport_time": NOW_MS}).encode()
    reply, kept = send(body + b" " * (size - len(body)))
    assert reply["status"] == ("200" if is_taken else "400")
    assert [each["reason"] for each in kept.rows.get("rejects", [])] == ([] if is_taken else ["body_too_large"])


def test_errors_are_reported_where_the_sites_file_wants_it() -> None:
    bad = event("FailureEvent")
    body = {"events": [event(), bad], "transport_time": NOW_MS}
    assert send(body)[0]["event_errors"] == []
    reply, _ = send(body, "objectiv: {error_reporting: true}")
    (error,) = reply["event_errors"]
    assert error["event_id"] == bad["id"]
    assert error["error_info"] == [{"data": bad, "info": "message of FailureEvent is missing"}]
    assert send(b"{", "objectiv: {error_reporting: true}")[0]["data_error"] != ""


@pytest.mark.parametrize("host", ["collector.example", "segment.example"])
def test_the_root_of_a_host_that_is_not_objectivs_is_left_alone(host: str) -> None:
    body = {"events": [event()], "transport_time": NOW_MS}
    settings = "hosts: {segment.example: {protocol: segment, site: shop}}"
    assert send(body, settings, headers={"host": host}, path="/") == (None, KeptRows())


def test_nothing_is_kept_of_who_asks_not_to_be_tracked_where_the_site_drops_that() -> None:
    settings = "  quiet: {name: Quiet, privacy: {gpc: drop}}\n"
    for body, errors in (({"events": [event()], "transport_time": NOW_MS}, 1), (b"{", 1)):
        reply, kept = send(body, settings, headers={"sec-gpc": "1"}, path="/s/quiet/")
        assert reply["error_count"] == errors
        assert "events" not in kept.rows
        assert not any("body" in row for row in kept.rows.get("rejects", []))


@pytest.mark.parametrize(
    "laxer",
    [
        event("PressEvent", location_stack=[{"_type": "PressableContext", "id": "buy"}]),
        event("MediaStartEvent"),
        event(id="0b1e7f52-4a55-1c0b-9d3e-6d1c2f3a4b5c"),
    ],
)
def test_what_only_the_newer_collector_took_is_taken_by_a_setting(laxer: dict[str, Any]) -> None:
    body = {"events": [laxer], "transport_time": NOW_MS}
    assert send(body)[0]["error_count"] == 1
    assert send(body, "objectiv: {rules: either}")[0]["error_count"] == 0


@pytest.mark.parametrize("name", ["PressEvent", "InputChangeEvent", "InteractiveEvent", "MediaEvent"])
def test_the_setting_keeps_the_rules_of_the_newer_collector(name: str) -> None:
    checker = Checker(base_taxonomy(), takes_either=True)
    assert checker.check(event(name), transport_ms=NOW_MS).findings


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "integer"}, [1, 1.0, 10**30], [True, "1", 1.5, None]),
        ({"type": "number"}, [1, 1.5], [True, "1"]),
        ({"type": ["string", "null"]}, ["", None], [1]),
        ({"type": "boolean", "const": True}, [True], [False, 1]),
        ({"type": "number", "enum": [1, 2]}, [1, 2], [3]),
        ({"type": "number", "minimum": 1, "maximum": 2}, [1, 2], [0, 3]),
        ({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, [1.5], [1, 2]),
        ({"type": "number", "multipleOf": 0.5}, [1.5, 3], [0.3, 10**400]),
        ({"type": "string", "minLength": 1, "maxLength": 2}, ["a", "ab"], ["", "abc"]),
        ({"type": "string", "pattern": "^a+$"}, ["aa"], ["b", "a" * 1_025]),
        ({"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}}, [["a"]], [[], [1], list("abc")]),
        ({"type": "object"}, [{}], [[]]),
    ],
)
def test_a_keyword_takes_what_is_right_and_refuses_what_is_not(
    schema: dict[str, Any], right: list[Any], wrong: list[Any]
) -> None:
    complain = compile_property(schema)
    assert [value for value in right if complain(value) is not None] == []
    assert [value for value in wrong if complain(value) is None] == []


def test_a_kept_event_is_mapped_anew_to_what_it_was() -> None:
    """Every row of the vectors: today's mapping of its `raw` gives the same columns."""
    assert FAMILY.remap is not None
    mapped = 0
    for vector in read_vectors(FOLDER):
        for row in run(vector)[1].rows.get("events", []):
            if "raw" not in row:
                continue
            candidate = FAMILY.remap(json.loads(row["raw"]), row)
            for column, value in candidate.columns.items():
                assert FITTERS[column](value, []) == row.get(column), (vector.name, column)
            assert candidate.client_time_us == row["client_time"]
            mapped += 1
    assert mapped > 40
