"""What the events of one JSON document of GA4 have in common: who sent them, and what is said of that user."""

from typing import Any

from collector.columns import warn
from collector.identity import kept_address
from collector.plans import parse_address
from collector.protocols.measurement_protocol.ga4_limits import (
    RESERVED_PROPERTY_PREFIXES,
    USER_PROPERTIES_MAX,
    USER_PROPERTY_CHARS_MAX,
    USER_PROPERTY_NAME_CHARS_MAX,
)
from collector.time import parse_epoch_ms

_KNOWN = frozenset(
    {
        "client_id",
        "app_instance_id",
        "user_id",
        "timestamp_micros",
        "user_properties",
        "consent",
        "ip_override",
        "user_agent",
        "validation_behavior",
        "events",
    }
)
_MICROSECONDS_PER_MS = 1_000


def events_of(document: dict[str, Any], warnings: list[str]) -> list[Any]:
    """The events; one that stands alone is read as a list of one."""
    events = document.get("events")
    if isinstance(events, dict):
        warnings.append("events_not_a_list")
        return [events]
    return events if isinstance(events, list) else []


def client_of(document: dict[str, Any]) -> tuple[str | None, str]:
    """The id of the browser or the installation, and which of the two it is."""
    for key, kind in (("client_id", "client"), ("app_instance_id", "install")):
        value = document.get(key)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and str(value):
            return str(value), kind
    return None, "none"


def without_secrets(document: dict[str, Any]) -> dict[str, Any]:
    """The document but its events; of the visitor's address only the network."""
    kept = {name: value for name, value in document.items() if name != "events"}
    if "ip_override" in kept:
        kept["ip_override"] = kept_address(str(kept["ip_override"]), "truncate")
    return kept


def shared_columns(document: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """The columns of all events, without the visitor's address."""
    columns: dict[str, Any] = {}
    columns["visitor_id"], columns["visitor_id_kind"] = client_of(document)
    for name in ("user_id", "user_agent", "consent"):
        if document.get(name) is not None:
            columns[name] = document[name]
    traits = _read_properties(document.get("user_properties"), warnings)
    if traits:
        columns["traits"] = traits
    device = document.get("device")
    if isinstance(device, dict) and isinstance(device.get("language"), str):
        columns["language"] = device["language"]
    contexts = {name: value for name, value in document.items() if name not in _KNOWN and value is not None}
    if contexts:
        columns["contexts"] = contexts
    return columns


def address_of(document: dict[str, Any], warnings: list[str]) -> str | None:
    """The visitor's address, which the server that sends tells."""
    address = document.get("ip_override")
    if isinstance(address, str) and parse_address(address) is not None:
        return address
    if address is not None:
        warn(warnings, "invalid_value", "ip_override")
    return None


def _read_properties(properties: Any, warnings: list[str]) -> dict[str, Any]:  # noqa: ANN401  (any JSON value)
    """User properties within GA4's limits: {name: {value}}, tolerated without the inner object."""
    if properties is None:
        return {}
    if not isinstance(properties, dict):
        warn(warnings, "invalid_value", "user_properties")
        return {}
    read: dict[str, Any] = {}
    for name, stated in properties.items():
        value = stated.get("value") if isinstance(stated, dict) else stated
        if name.startswith(RESERVED_PROPERTY_PREFIXES):
            _note(warnings, "reserved_param")
        elif len(read) == USER_PROPERTIES_MAX:
            _note(warnings, "too_many_params")
        elif value is not None:
            key = _cut(name, USER_PROPERTY_NAME_CHARS_MAX, warnings)
            read[key] = _cut(value, USER_PROPERTY_CHARS_MAX, warnings) if isinstance(value, str) else value
    return read


def _note(warnings: list[str], code: str) -> None:
    if code not in warnings:
        warnings.append(code)


def _cut(text: str, chars_max: int, warnings: list[str]) -> str:
    if len(text) > chars_max:
        warn(warnings, "truncated", "user_properties")
    return text[:chars_max]


def read_time(value: object) -> int | None:
    """Epoch microseconds, from a number or from its digits; None for what is no plausible time."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < len("1" + "0" * 18):
        value = int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return parse_epoch_ms(value / _MICROSECONDS_PER_MS)
    return None
