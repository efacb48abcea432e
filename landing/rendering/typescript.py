"""The contract as TypeScript types of the tracker."""

import json

from landing.contract import EVENT_TYPES, ORDER_ACTIONS
from landing.wire import WIRE_FIELDS, Place, WireField

_HEADER = """\
// Generated from landing/contract.py and landing/wire.py by `tidemill contract write`; edit those instead.

/** Kinds of events that models know; the collector finds the kind of an event by its name. */
export type EventType =
{event_types};

/** Steps of an order. */
export type OrderAction =
{order_actions};

/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | {{ [key: string]: Json }};

/** What a page attaches to an event. */
export type Props = {{ [key: string]: Json }};
"""


def tracker_types() -> str:
    """Types of the wire format and of the closed lists."""
    header = _HEADER.format(event_types=_union(EVENT_TYPES), order_actions=_union(ORDER_ACTIONS))
    shared = [field for field in WIRE_FIELDS if field.place is Place.EITHER]
    request = [field for field in WIRE_FIELDS if field.place is Place.REQUEST]
    event = [field for field in WIRE_FIELDS if field.place is Place.EVENT]
    return (
        header
        + _interface("WireShared", "Fields of an event that may stand once beside `events`, for all of them.", shared)
        + _interface("WireEvent extends WireShared", "One event as sent.", event)
        + _interface("WireRequest extends WireShared", "Body of POST /e.", request, ["  events: WireEvent[];"])
    )


def _union(values: tuple[str, ...]) -> str:
    return "\n".join(f"  | {json.dumps(value)}" for value in values)


def _interface(name: str, meaning: str, fields: list[WireField], more: list[str] | None = None) -> str:
    lines = [f"\n/** {meaning} */", f"export interface {name} {{"]
    for field in fields:
        becomes = f" Becomes {field.column}." if field.column else ""
        lines.append(f"  /** {field.meaning}{becomes} */")
        lines.append(f"  {field.name}{'' if field.required else '?'}: {field.type};")
    return "\n".join([*lines, *(more or []), "}", ""])
