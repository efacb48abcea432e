"""What a message's `context` says of page, device and campaign, in the columns of the contract."""

from collections.abc import Mapping
from typing import Any

_COLUMN_OF = {
    "ip": "ip",
    "userAgent": "user_agent",
    "userAgentData": "client_hints",
    "locale": "language",
    "timezone": "time_zone",
    "sessionId": "client_session_id",
    "groupId": "group_id",
    "consent": "consent",
    "consentManagement": "consent",
}

_COLUMNS_OF: dict[str, dict[str, str]] = {
    "page": {"url": "page_url", "referrer": "page_referrer", "title": "page_title"},
    "campaign": {key: f"campaign_{key}" for key in ("id", "name", "source", "medium", "term", "content")},
    "library": {"name": "library", "version": "library_version"},
    "screen": {
        "width": "screen_width",
        "height": "screen_height",
        "innerWidth": "viewport_width",
        "innerHeight": "viewport_height",
    },
    "app": {"name": "app_name", "version": "app_version", "namespace": "app_id"},
}

FIELDS = frozenset(_COLUMN_OF) | frozenset(_COLUMNS_OF)
"""Fields of `context` that have columns."""

_PARTS_OF_URL = {"path", "search"}
_IDS_OF_DEVICE = {"id", "advertisingId", "token"}
_IDS = {"device", "externalId", "externalIds", "amp"}
"""Contexts that hold ids of a device or a browser."""


def read_context(context: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What has columns, by column; and the rest, by the names on the wire."""
    columns: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, value in context.items():
        if key in _COLUMN_OF:
            columns[_COLUMN_OF[key]] = value
        elif key in _COLUMNS_OF and isinstance(value, dict):
            typed = _COLUMNS_OF[key]
            columns |= {typed[name]: each for name, each in value.items() if name in typed}
            untyped = {name: each for name, each in value.items() if name not in typed}
            if key == "page" and value.get("url"):
                untyped = {name: each for name, each in untyped.items() if name not in _PARTS_OF_URL}
            if untyped:
                rest[key] = untyped
        elif key not in {"direct", "active"}:
            rest[key] = value
    return columns, rest


def without_ids(contexts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Contexts that do not tell one device from another; None where these do not anyway."""
    found = _IDS & contexts.keys()
    if not found:
        return None
    kept = {key: value for key, value in contexts.items() if key not in found}
    device = contexts.get("device")
    if isinstance(device, dict):
        kept["device"] = {key: value for key, value in device.items() if key not in _IDS_OF_DEVICE}
    return kept
