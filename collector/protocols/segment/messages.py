"""One message of Segment's: who, what and when, in the columns of the contract."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from collector.protocols.segment import commerce
from collector.protocols.segment.context import read_context, without_ids
from collector.reading import Candidate
from collector.refusal import Reject
from collector.time import parse_time


class SegmentReason(StrEnum):
    """Why a message is refused that other families' reasons do not tell."""

    MISSING_IDENTITY = "missing_identity"
    """Neither `anonymousId` nor `userId`."""
    MISSING_NAME = "missing_name"
    """A track without `event`, or a group without `groupId`."""
    UNKNOWN_TYPE = "unknown_type"
    """`type` is none of the API's."""


def is_from_visitor(message: Mapping[str, Any], user_agent: str | None) -> bool:
    """The visitor's own device sent the message, so that address and user agent of the request are the visitor's.

    Libraries of servers send `context.library` alone; of browsers the user agent tells, apps say their device.
    """
    context = message.get("context")
    told: Mapping[str, Any] = context if isinstance(context, dict) else {}
    if isinstance(told.get("direct"), bool):
        return told["direct"] is True
    channel = message.get("channel")
    if isinstance(channel, str) and channel:
        return channel != "server"
    return (user_agent or "").startswith("Mozilla/") or "device" in told or "os" in told


FIELDS = {
    "type",
    "messageId",
    "anonymousId",
    "userId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "context",
    "integrations",
    "event",
    "name",
    "category",
    "properties",
    "traits",
    "groupId",
    "previousId",
    "mergeProperties",
    "writeKey",
    "_metadata",
    "request_ip",
    "requestIP",
}
"""Fields that have a column, or say something of the delivery alone."""

_OF_A_DELIVERY = {"sentAt", "_metadata", "writeKey"}
"""Fields that a retry may change."""

_ADDRESSES = {"request_ip", "requestIP"}

_NOT_INTERACTIONS = {"identify", "alias", "group"}


def read_message(index: int, message: dict[str, Any]) -> Candidate | Reject:
    """The event in a message that has its type, or why there is none."""
    kind = message.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    original = _without_addresses(message)
    if reader is None:
        return Reject(index, SegmentReason.UNKNOWN_TYPE, "type is none of the API's", original)
    anonymous_id, user_id = message.get("anonymousId") or None, message.get("userId") or None
    if anonymous_id is None and user_id is None and kind != "merge":
        return Reject(index, SegmentReason.MISSING_IDENTITY, "neither anonymousId nor userId", original)
    warnings: list[str] = []
    sent_context = message.get("context")
    context = sent_context if isinstance(sent_context, dict) else {}
    if sent_context and context is not sent_context:
        warnings.append("invalid:context")
    columns, rest = read_context(context)
    columns["client_event_id"] = message.get("messageId")
    columns["visitor_id"] = anonymous_id or (user_id and f"uid:{user_id}")
    columns["user_id"] = user_id
    missing = reader(columns, message, rest)
    if missing is not None:
        return Reject(index, SegmentReason.MISSING_NAME, missing, original)
    columns["is_interaction"] = kind not in _NOT_INTERACTIONS and context.get("active") is not False
    rest |= {key: value for key, value in message.items() if key not in FIELDS}
    if rest:
        columns["contexts"] = rest
    return _candidate(index, columns, original, warnings)


def _candidate(index: int, columns: dict[str, Any], original: dict[str, Any], warnings: list[str]) -> Candidate:
    told = original.get("originalTimestamp") or original.get("timestamp")
    client_time_us = parse_time(told)
    if client_time_us is None and told is not None:
        warnings.append("invalid:client_time")
    return Candidate(
        index,
        columns,
        client_time_us,
        original,
        warnings,
        sent_us=parse_time(original.get("sentAt")),
        content=_repeated(original),
        impersonal=_impersonal(columns),
    )


def _repeated(original: dict[str, Any]) -> dict[str, Any] | None:
    """What a retry repeats; None for all of it."""
    if _OF_A_DELIVERY.isdisjoint(original):
        return None
    return {key: value for key, value in original.items() if key not in _OF_A_DELIVERY}


def _impersonal(columns: dict[str, Any]) -> dict[str, Any] | None:
    """Columns without the ids of the browser or the device, where they hold any."""
    clean: dict[str, Any] = {}
    contexts = without_ids(columns.get("contexts", {}))
    if contexts is not None:
        clean["contexts"] = contexts
    if columns.get("previous_id") is not None and columns["previous_id"] == columns["visitor_id"]:
        clean["previous_id"] = None
    return clean or None


def _without_addresses(message: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a message: the column ip has what the site keeps of an address."""
    context = message.get("context")
    if isinstance(context, dict) and "ip" in context:
        message = message | {"context": {key: value for key, value in context.items() if key != "ip"}}
    if _ADDRESSES & message.keys():
        message = {key: value for key, value in message.items() if key not in _ADDRESSES}
    return message


def remap(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """What today's mapping makes of a kept message.

    Raises:
        ValueError: it would be refused today.
    """
    read = read_message(row["request_index"], raw)
    if isinstance(read, Reject):
        raise ValueError(f"{read.reason}: {read.detail}")  # noqa: TRY004  (the value is wrong, whatever its type)
    return read


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _track(columns: dict[str, Any], message: dict[str, Any], contexts: dict[str, Any]) -> str | None:
    name = message.get("event")
    if not isinstance(name, str) or not name:
        return "a track needs event, its name"
    columns["event_type"] = "event"
    columns["event_name"] = name
    columns["props"] = message.get("properties")
    _user_traits(columns, contexts)
    properties = _object(message.get("properties"))
    for key in ("category", "label"):
        if isinstance(properties.get(key), str):
            columns[key] = properties[key]
    commerce.read_order(columns, name, properties)
    return None


def _page(columns: dict[str, Any], message: dict[str, Any], contexts: dict[str, Any]) -> None:
    columns["event_type"] = "page_view"
    _view(columns, message, contexts)
    properties = _object(message.get("properties"))
    for key, column in (("url", "page_url"), ("referrer", "page_referrer"), ("title", "page_title")):
        columns[column] = properties.get(key) or columns.get(column)


def _screen(columns: dict[str, Any], message: dict[str, Any], contexts: dict[str, Any]) -> None:
    columns["event_type"] = "screen_view"
    _view(columns, message, contexts)
    columns["screen_name"] = columns["event_name"]


def _view(columns: dict[str, Any], message: dict[str, Any], contexts: dict[str, Any]) -> None:
    properties = message.get("properties")
    told = _object(properties)
    columns["event_name"] = message.get("name") or told.get("name") or message.get("event")
    columns["category"] = message.get("category") or told.get("category")
    columns["props"] = properties or None
    _user_traits(columns, contexts)


def _user_traits(columns: dict[str, Any], contexts: dict[str, Any]) -> None:
    """What is said of the user beside the message stands where it can be withheld."""
    columns["traits"] = contexts.pop("traits", None)


def _identify(columns: dict[str, Any], message: dict[str, Any], contexts: dict[str, Any]) -> None:
    columns["event_type"] = "identify"
    beside, traits = contexts.pop("traits", None), message.get("traits")
    both = isinstance(beside, dict) and isinstance(traits, dict)
    columns["traits"] = beside | traits if both else traits or beside


def _group(columns: dict[str, Any], message: dict[str, Any], contexts: dict[str, Any]) -> str | None:
    columns["event_type"] = "group"
    columns["group_id"] = message.get("groupId")
    columns["traits"] = message.get("traits")
    if "traits" in contexts:
        columns["props"] = {"context.traits": contexts.pop("traits")}
    return None if columns["group_id"] else "a group needs groupId"


def _alias(columns: dict[str, Any], message: dict[str, Any], contexts: dict[str, Any]) -> None:
    columns["event_type"] = "alias"
    columns["previous_id"] = message.get("previousId") or message.get("anonymousId")
    _user_traits(columns, contexts)


def _merge(columns: dict[str, Any], message: dict[str, Any], contexts: dict[str, Any]) -> None:
    """RudderStack's: identifiers of any kind that mean one person."""
    columns["event_type"] = "alias"
    columns["props"] = {"mergeProperties": message.get("mergeProperties")}
    _user_traits(columns, contexts)


_READERS: dict[str, Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], str | None]] = {
    "track": _track,
    "page": _page,
    "screen": _screen,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
    "merge": _merge,
}
"""By type, what fills the columns from the message and the rest of its context; returns what is missing."""
