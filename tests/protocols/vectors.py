"""Vectors: one request and what must become of it, a line of JSON each, in a folder for each family.

A vector is {"name", "rule", "request", "answer", "rows", "rejects", "records"}:

    request   {"method", "path", "query", "headers", "body" (text) | "json" (any value) | "base64", "peer", "scheme",
              "at" (ISO 8601; NOW if absent)}; method is POST with a body and GET without, unless told
    answer    {"status", "headers" (a subset, by lower-case name; null: absent), "body" | "json" | "base64"}
    rows      events that were kept, in order: a subset of their columns; null: the column has no value
    rejects   likewise; "body" is compared as text, decoded
    records   rows of other datasets, {dataset: [rows]}, likewise

Columns that hold JSON are written as JSON, times as ISO 8601. Text that begins and ends with a slash is a regular
expression. Everything that a vector does not mention is free, but the number of rows, rejects and records never is.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector.intake import Delivery, Intake, Response
from collector.metrics import Metrics
from collector.salts import Salts
from landing.contract import DATASETS, Kind
from landing.sites import load_sites
from landing.store import MemoryStore

NOW = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
PEER = "203.0.113.77"

_KINDS = {each.name: {column.name: column.kind for column in each.columns} for each in DATASETS}


@dataclass(frozen=True)
class Vector:
    """One line of a family's folder, and where it stands."""

    name: str
    content: dict[str, Any]
    sites: Path

    def __str__(self) -> str:
        return self.name


@dataclass
class KeptRows:
    """A sink that remembers rows instead of making them durable."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    async def append(self, received_at: datetime, rows: dict[str, bytes]) -> None:
        """Remember the rows."""
        assert received_at.tzinfo is not None
        for dataset, lines in rows.items():
            self.rows.setdefault(dataset, []).extend(json.loads(line) for line in lines.splitlines())


def read_vectors(folder: Path) -> list[Vector]:
    """The vectors of a family, in order of file and line; its `sites.yml` belongs to all of them."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                content = json.loads(line)
                found.append(Vector(content["name"], content, folder / "sites.yml"))
    return found


def run(vector: Vector) -> tuple[Response | None, KeptRows]:
    """Send the vector's request through the application's own code."""
    sink, store = KeptRows(), MemoryStore()
    sites = load_sites(vector.sites)
    delivery = _delivery(vector.content["request"])
    salts = Salts(store, store, clock=lambda: delivery.received_at)
    intake = Intake(
        sites=lambda: sites, sink=sink, salts=salts, metrics=Metrics(vector.sites.parent), collector_id="vectors"
    )
    return intake.take(delivery), sink


def _delivery(request: dict[str, Any]) -> Delivery:
    if "json" in request:
        body = json.dumps(request["json"]).encode()
    elif "base64" in request:
        body = base64.b64decode(request["base64"])
    else:
        body = request.get("body", "").encode()
    has_body = bool({"json", "base64", "body"} & request.keys())
    path, _, query = request["path"].partition("?")
    headers = {"user-agent": BROWSER, "host": "collector.example"} | {
        name.lower(): value for name, value in request.get("headers", {}).items()
    }
    return Delivery(
        method=request.get("method", "POST" if has_body else "GET"),
        path=path,
        query=request.get("query", query),
        headers=headers,
        body=body,
        received_at=datetime.fromisoformat(request["at"]) if "at" in request else NOW,
        peer=request.get("peer", PEER),
        scheme=request.get("scheme", "http"),
    )


def check(vector: Vector, response: Response | None, kept: KeptRows) -> None:
    """Assert that the answer and the rows are what the vector says."""
    content = vector.content
    assert response is not None, f"{vector.name}: no protocol owns {content['request']['path']}"
    _check_answer(content["answer"], response)
    _check_rows("events", content.get("rows", []), kept)
    _check_rows("rejects", content.get("rejects", []), kept)
    records = content.get("records", {})
    for dataset, rows in records.items():
        _check_rows(dataset, rows, kept)
    assert set(kept.rows) <= {"events", "rejects", *records}


def _check_answer(expected: dict[str, Any], response: Response) -> None:
    answer = response.answer
    assert answer.status == expected["status"], answer
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name.lower(), []).append(value)
    for name, value in expected.get("headers", {}).items():
        found = "\n".join(headers[name]) if name in headers else None
        assert _fits(value, found), f"header {name}: {found!r}, not {value!r}"
    if "json" in expected:
        assert _fits(expected["json"], json.loads(answer.body))
    if "base64" in expected:
        assert answer.body == base64.b64decode(expected["base64"])
    if "body" in expected:
        assert _fits(expected["body"], answer.body.decode())


def _check_rows(dataset: str, expected: list[dict[str, Any]], kept: KeptRows) -> None:
    found = kept.rows.get(dataset, [])
    assert len(found) == len(expected), f"{dataset}: {found}"
    for wanted, row in zip(expected, found, strict=True):
        for column, value in wanted.items():
            kind = _KINDS[dataset][column]
            actual = row.get(column)
            if actual is not None and kind is Kind.JSON:
                actual = json.loads(actual)
            elif actual is not None and kind is Kind.TIMESTAMP:
                actual = datetime.fromtimestamp(actual / 1_000_000, UTC)
                value = None if value is None else datetime.fromisoformat(value)  # noqa: PLW2901
            elif column == "body" and actual is not None:
                actual = base64.b64decode(actual).decode("utf-8", "replace")
            assert _fits(value, actual), f"{dataset}.{column}: {actual!r}, not {value!r}"


def _fits(expected: Any, actual: Any) -> bool:
    if isinstance(expected, str) and len(expected) > 1 and expected[0] == expected[-1] == "/":
        return isinstance(actual, str) and re.fullmatch(expected[1:-1], actual, re.DOTALL) is not None
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(_fits(each, actual[key]) for key, each in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_fits, expected, actual))
    return bool(expected == actual)
