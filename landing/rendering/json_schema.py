"""The contract as the JSON Schema of the server-side API."""

import json
from typing import Any

from landing.contract import EVENTS, Column, Kind, Origin
from landing.rendering.postgres import column_meaning

_MADE_BY_US = {
    "event_id",
    "client_event_id",
    "site_id",
    "protocol",
    "protocol_version",
    "tracking_key",
    "occurred_at",
    "received_at",
    "client_time",
    "sent_at",
    "time_flag",
    "visitor_id_kind",
    "gpc",
    "warnings",
    "request_id",
    "request_index",
    "collector_id",
    "raw",
}
"""Columns that no client sets by their name; the few that it sets in another way are described by hand below."""

_SHAPES: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.INT16: {"type": "integer", "minimum": -(2**15), "maximum": 2**15 - 1},
    Kind.INT32: {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    Kind.INT64: {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    Kind.FLOAT64: {"type": "number"},
    Kind.DECIMAL: {"type": ["number", "string"], "pattern": r"^-?[0-9]{1,12}(\.[0-9]+)?$"},
    Kind.JSON: {"type": "object"},
    Kind.TEXT_LIST: {"type": "array", "items": {"type": "string"}},
}
_LISTS = {"items"}
"""JSON columns that hold a list."""
_CLIENT_EVENT_ID_MAX = 2_048

_TIME: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "format": "date-time", "description": "ISO 8601; UTC where it names no offset."},
        {"type": "number", "exclusiveMinimum": 0, "description": "Milliseconds since 1970."},
    ]
}


def settable_columns() -> tuple[Column, ...]:
    """The columns that a client of the server-side API sets by their own names."""
    return tuple(
        column for column in EVENTS.columns if column.origin is Origin.COLLECTOR and column.name not in _MADE_BY_US
    )


def event_json_schema() -> str:
    """The body of POST /v1/events: {"events": […]} or one event."""
    schema = {
        "$comment": "Generated from landing/contract.py by `tidemill contract write`; edit the contract instead.",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Body of POST /v1/events",
        "description": "Several events, or one event alone. Authorization: Bearer <secret of the site>.",
        "anyOf": [{"$ref": "#/$defs/batch"}, {"$ref": "#/$defs/event"}],
        "$defs": {"batch": _batch(), "event": _event()},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _batch() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["events"],
        "properties": {
            "events": {"type": "array", "items": {"$ref": "#/$defs/event"}},
            "site": {
                "type": "string",
                "description": "Site id. Needed only where one secret opens several sites.",
            },
            "sent_at": {**_TIME, "description": _SENT_AT},
        },
    }


_SENT_AT = "When the request is sent, by your clock: times are corrected when it is not ours. Becomes sent_at."


def _event() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Fields are columns of the event contract. Any other field becomes one of props.",
        "anyOf": [{"required": ["event_type"]}, {"required": ["event_name"]}],
        "not": {"required": ["events"]},
        "properties": {
            "event_id": {
                "type": ["string", "null"],
                "maxLength": _CLIENT_EVENT_ID_MAX,
                "description": "Your id of the event: sending it again counts once. A UUID becomes event_id itself; "
                "from any other text event_id is derived. Kept in client_event_id.",
            },
            "occurred_at": {
                **_TIME,
                "description": "When it happened, by your clock; the time of receipt where absent. Kept in "
                "client_time; corrected, it becomes occurred_at.",
            },
            "sent_at": {**_TIME, "description": _SENT_AT},
            **{column.name: _property(column) for column in settable_columns()},
        },
    }


def _property(column: Column) -> dict[str, Any]:
    return {**_shape(column), "description": f"{column_meaning(column)} Column {column.name}."}


def _shape(column: Column) -> dict[str, Any]:
    """Type and bounds of a value; null is as good as absent."""
    if column.values:
        return {"enum": [*column.values, None]}
    shape = _SHAPES[column.kind]
    types = "array" if column.name in _LISTS else shape["type"]
    bounds = {"maxLength": column.length_max} if column.kind is Kind.TEXT else {}
    return {**shape, "type": [*([types] if isinstance(types, str) else types), "null"], **bounds}
