"""`/debug/mp/collect`: tells what is wrong with events, and keeps nothing."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from collector.decode import read_json
from collector.plans import SiteDirectory
from collector.protocols.measurement_protocol.answers import answer_json
from collector.protocols.measurement_protocol.ga4_envelope import client_of, read_time
from collector.protocols.measurement_protocol.ga4_limits import (
    AHEAD_US_MAX,
    BACKDATED_US_MAX,
    BODY_BYTES_MAX,
    EVENTS_MAX,
    ITEMS_MAX,
    NAME,
    PARAMS_MAX,
    RESERVED_EVENTS,
    RESERVED_PARAM_PREFIXES,
    RESERVED_PROPERTY_PREFIXES,
    TEXT_CHARS_MAX,
    TEXT_CHARS_MAX_OF,
    USER_ID_CHARS_MAX,
    USER_PROPERTIES_MAX,
    USER_PROPERTY_CHARS_MAX,
    USER_PROPERTY_NAME_CHARS_MAX,
)
from collector.refusal import Refused
from collector.request import Answer, Request
from collector.time import to_us

_MESSAGES_MAX = 500


class Code(StrEnum):
    """What kind of fault it is, as GA4 names it."""

    VALUE_INVALID = "VALUE_INVALID"
    VALUE_REQUIRED = "VALUE_REQUIRED"
    NAME_INVALID = "NAME_INVALID"
    NAME_RESERVED = "NAME_RESERVED"
    VALUE_OUT_OF_BOUNDS = "VALUE_OUT_OF_BOUNDS"
    EXCEEDED_MAX_ENTITIES = "EXCEEDED_MAX_ENTITIES"
    NAME_DUPLICATED = "NAME_DUPLICATED"


Problem = tuple[str, Code, str]
"""Where in the document, what kind of fault, and what is wrong in words."""


def show_problems(request: Request, _directory: SiteDirectory) -> Answer:
    """All faults of a document. Credentials are not checked."""
    problems = []
    for number, (path, code, description) in enumerate(_problems(request)):
        if number == _MESSAGES_MAX:
            break
        problems.append({"fieldPath": path, "description": description, "validationCode": code})
    return answer_json(msgspec.json.encode({"validationMessages": problems}))


def _problems(request: Request) -> Iterator[Problem]:
    if len(request.body) > BODY_BYTES_MAX:
        yield "", Code.VALUE_OUT_OF_BOUNDS, f"the body has more than {BODY_BYTES_MAX} bytes"
        return
    try:
        document, _ = read_json(request.body)
    except Refused as refused:
        yield "", Code.VALUE_INVALID, f"the body is no JSON: {refused.detail}"
        return
    if not isinstance(document, dict):
        yield "", Code.VALUE_INVALID, "the body is no JSON object"
        return
    for name in _repeated_names(request.body):
        yield name, Code.NAME_DUPLICATED, "the name stands twice in one object"
    yield from _problems_of_envelope(document)
    events = document.get("events")
    if isinstance(events, dict):
        yield "events", Code.VALUE_INVALID, "events is a single object; it is read as a list of one"
        events = [events]
    if not isinstance(events, list) or not events:
        yield "events", Code.VALUE_REQUIRED, "there are no events"
        return
    if len(events) > EVENTS_MAX:
        yield "events", Code.EXCEEDED_MAX_ENTITIES, f"{len(events)} events; at most {EVENTS_MAX} are taken"
    received_us = to_us(request.received_at)
    yield from _problems_of_time("timestamp_micros", document.get("timestamp_micros"), received_us)
    for index, event in enumerate(events):
        yield from _problems_of_event(f"events[{index}]", event, received_us)


def _repeated_names(body: bytes) -> list[str]:
    repeated: dict[str, None] = {}

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    repeated[name.encode("utf-8", "replace").decode()] = None
                seen.add(name)
        return found

    try:
        json.loads(body.decode("utf-8", "replace"), object_pairs_hook=note, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return []
    return list(repeated)


def _problems_of_envelope(document: dict[str, Any]) -> Iterator[Problem]:
    if client_of(document)[0] is None:
        yield "client_id", Code.VALUE_REQUIRED, "neither client_id nor app_instance_id is given"
    user_id = document.get("user_id")
    if user_id is not None and len(str(user_id)) > USER_ID_CHARS_MAX:
        yield "user_id", Code.VALUE_OUT_OF_BOUNDS, f"more than {USER_ID_CHARS_MAX} characters"
    properties = document.get("user_properties")
    if properties is None:
        return
    if not isinstance(properties, dict):
        yield "user_properties", Code.VALUE_INVALID, "no object"
        return
    if len(properties) > USER_PROPERTIES_MAX:
        detail = f"{len(properties)} user properties; at most {USER_PROPERTIES_MAX} are taken"
        yield "user_properties", Code.EXCEEDED_MAX_ENTITIES, detail
    for name, stated in properties.items():
        path = f"user_properties.{name}"
        value = stated.get("value") if isinstance(stated, dict) else stated
        if name.startswith(RESERVED_PROPERTY_PREFIXES):
            yield path, Code.NAME_RESERVED, "the name is reserved"
        elif len(name) > USER_PROPERTY_NAME_CHARS_MAX or not NAME.fullmatch(name):
            yield path, Code.NAME_INVALID, f"a letter and up to {USER_PROPERTY_NAME_CHARS_MAX - 1} letters, digits, _"
        if isinstance(value, str) and len(value) > USER_PROPERTY_CHARS_MAX:
            yield path, Code.VALUE_OUT_OF_BOUNDS, f"more than {USER_PROPERTY_CHARS_MAX} characters"


def _problems_of_time(path: str, sent: object, received_us: int) -> Iterator[Problem]:
    if sent is None:
        return
    time_us = read_time(sent)
    if time_us is None:
        yield path, Code.VALUE_INVALID, "no time in microseconds"
    elif time_us < received_us - BACKDATED_US_MAX:
        yield path, Code.VALUE_OUT_OF_BOUNDS, "more than 72 hours ago"
    elif time_us > received_us + AHEAD_US_MAX:
        yield path, Code.VALUE_OUT_OF_BOUNDS, "in the future"


def _problems_of_event(path: str, event: Any, received_us: int) -> Iterator[Problem]:  # noqa: ANN401  (any JSON value)
    if not isinstance(event, dict):
        yield path, Code.VALUE_INVALID, "the event is no object"
        return
    name = event.get("name")
    if name is None:
        yield f"{path}.name", Code.VALUE_REQUIRED, "the event has no name"
    elif not isinstance(name, str) or not NAME.fullmatch(name):
        yield f"{path}.name", Code.NAME_INVALID, "a name is a letter and up to 39 letters, digits and underscores"
    elif name in RESERVED_EVENTS:
        yield f"{path}.name", Code.NAME_RESERVED, "only Google's own clients send events of this name"
    yield from _problems_of_time(f"{path}.timestamp_micros", event.get("timestamp_micros"), received_us)
    params = event.get("params")
    if params is None:
        return
    if not isinstance(params, dict):
        yield f"{path}.params", Code.VALUE_INVALID, "no object"
        return
    if len(params) > PARAMS_MAX:
        detail = f"{len(params)} parameters; at most {PARAMS_MAX} are taken"
        yield f"{path}.params", Code.EXCEEDED_MAX_ENTITIES, detail
    for key, value in params.items():
        yield from _problems_of_param(f"{path}.params.{key}", key, value)


def _problems_of_param(path: str, name: str, value: Any) -> Iterator[Problem]:  # noqa: ANN401  (any JSON value)
    if name.startswith(RESERVED_PARAM_PREFIXES):
        yield path, Code.NAME_RESERVED, "the name is reserved"
    elif not NAME.fullmatch(name):
        yield path, Code.NAME_INVALID, "a name is a letter and up to 39 letters, digits and underscores"
    chars_max = TEXT_CHARS_MAX_OF.get(name, TEXT_CHARS_MAX)
    if isinstance(value, str) and len(value) > chars_max:
        yield path, Code.VALUE_OUT_OF_BOUNDS, f"more than {chars_max} characters"
    if name == "items":
        if not isinstance(value, list):
            yield path, Code.VALUE_INVALID, "no list"
        elif len(value) > ITEMS_MAX:
            yield path, Code.EXCEEDED_MAX_ENTITIES, f"{len(value)} items; at most {ITEMS_MAX} are taken"
