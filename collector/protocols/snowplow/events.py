"""One event of a Snowplow tracker: its fields and contexts, in the columns of the contract."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from collector.protocols.snowplow import commerce
from collector.protocols.snowplow.contexts import HELD, read_entities, without_ids
from collector.protocols.snowplow.selfdescribing import SelfDescribing, Undecodable, read_contexts, read_event
from collector.reading import Candidate
from collector.refusal import Reject
from collector.time import parse_epoch_ms


class SnowplowReason(StrEnum):
    """Why an event is refused that other families' reasons do not tell."""

    MISSING_FIELD = "missing_field"
    """One of `e`, `p` and `tv`, which every event has."""
    INVALID_SELF_DESCRIBING = "invalid_self_describing"
    """A self-describing event that is none."""
    REDIRECT_REFUSED = "redirect_refused"
    """A redirect to a host that `redirects` does not list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What the request says of the visitor beside its events.

    Attributes:
        user_id: The network user id; None without one.
        is_ours: It is that of our cookie.
        is_anonymous: The tracker asks that nothing tells the visitor apart.
    """

    user_id: str | None = None
    is_ours: bool = False
    is_anonymous: bool = False


_COLUMN_OF = {
    "eid": "client_event_id",
    "uid": "user_id",
    "duid": "visitor_id",
    "sid": "client_session_id",
    "vid": "client_session_number",
    "url": "page_url",
    "page": "page_title",
    "refr": "page_referrer",
    "lang": "language",
    "tz": "time_zone",
    "ua": "user_agent",
    "ip": "ip",
    "aid": "app_id",
    "tv": "library_version",
    "se_ca": "category",
    "se_ac": "action",
    "se_la": "label",
    "se_va": "value",
}
_SIZES = {"res": "screen", "vp": "viewport"}
_PROPS = {"se_pr", "tr_ci", "tr_st", "tr_co", "pp_mix", "pp_max", "pp_miy", "pp_may"}
_READ = {"e", "dtm", "stm", "ttm", "ue_px", "ue_pr", "cx", "co", "tnuid", "nuid", *_SIZES, *commerce.FIELDS}
_DROPPED = {"mac", "fp", "tid"}
"""Marks of a device that nobody asked for."""

FIELDS = frozenset({*_COLUMN_OF, *_PROPS, *_READ, *_DROPPED})
"""Fields that the collector knows; others become contexts under their names."""

_NOWHERE_KEPT = {*_DROPPED, "ip"}
_NOT_OF_THE_ANONYMOUS = {*_NOWHERE_KEPT, "nuid", "tnuid"}
_NO_NETWORK_ID = "00000000-0000-0000-0000-000000000000"
_NOT_INTERACTIONS = {"heartbeat", "timing", "exception", "vitals", "consent"}


def read_fields(index: int, fields: Mapping[str, Any], network: Network) -> Candidate | Reject:
    """The event in the fields that a tracker sent, or why there is none."""
    original = kept_fields(fields, is_anonymous=network.is_anonymous)
    missing = [key for key in ("e", "p", "tv") if not fields.get(key)]
    if missing:
        return Reject(index, SnowplowReason.MISSING_FIELD, f"{' and '.join(missing)} is missing", original)
    warnings: list[str] = []
    columns: dict[str, Any] = {"library": "snowplow"}
    rest: dict[str, Any] = {}
    _spread(fields, columns, rest)
    entities = _entities(fields, rest, warnings)
    kind = fields["e"]
    try:
        columns["event_type"] = "event"
        _READERS.get(kind if isinstance(kind, str) else "", _other)(columns, fields, rest, entities)
    except Undecodable as error:
        return Reject(index, SnowplowReason.INVALID_SELF_DESCRIBING, str(error), original)
    read_entities(columns, entities)
    if kind == "ue" and columns["event_name"] not in HELD:
        warnings.append("unvalidated:props")
    columns["is_interaction"] = columns["event_type"] not in _NOT_INTERACTIONS
    impersonal = _identify(columns, rest, fields, network)
    if rest:
        columns["contexts"] = rest
        impersonal["contexts"] = without_ids(rest) or None
    return _candidate(index, columns, original, warnings, impersonal)


def kept_fields(fields: Mapping[str, Any], *, is_anonymous: bool = False) -> dict[str, Any]:
    """What is kept of an event as it was sent: the column ip has what the site keeps of an address."""
    dropped = _NOT_OF_THE_ANONYMOUS if is_anonymous else _NOWHERE_KEPT
    return {key: value for key, value in fields.items() if key not in dropped}


def _spread(fields: Mapping[str, Any], columns: dict[str, Any], rest: dict[str, Any]) -> None:
    """Each field to its column, to props, or to the rest."""
    props: dict[str, Any] = {}
    for key, value in fields.items():
        column = _COLUMN_OF.get(key)
        if column is not None:
            columns[column] = value
        elif key in _SIZES:
            width, _, height = str(value).lower().partition("x")
            columns[f"{_SIZES[key]}_width"], columns[f"{_SIZES[key]}_height"] = width, height
        elif key in _PROPS:
            props[key] = value
        elif key not in FIELDS and not key.startswith("f_"):
            rest[key] = value
    if props:
        columns["props"] = props


def _entities(fields: Mapping[str, Any], rest: dict[str, Any], warnings: list[str]) -> list[SelfDescribing]:
    """The contexts, which `rest` gets too; as sent where they are none."""
    encoded, plain = fields.get("cx"), fields.get("co")
    if encoded is None and plain is None:
        return []
    try:
        entities = read_contexts(encoded, plain)
    except Undecodable:
        warnings.append("invalid:contexts")
        rest["co"] = plain if encoded is None else encoded
        return []
    rest["co"] = [{"schema": each.schema, "data": each.data} for each in entities]
    if any(each.name not in HELD for each in entities):
        warnings.append("unvalidated:contexts")
    return entities


def _identify(
    columns: dict[str, Any], rest: dict[str, Any], fields: Mapping[str, Any], network: Network
) -> dict[str, Any]:
    """Set the visitor; returns what stands for it where ids are not kept."""
    if network.is_anonymous:
        columns.pop("ip", None)
        if not columns.get("visitor_id"):
            columns["visitor_id"] = columns.get("client_session_id")
            columns["visitor_id_kind"] = "session" if columns["visitor_id"] else "none"
        return {"visitor_id_kind": "none"}
    sent = fields.get("tnuid") or fields.get("nuid")
    network_id = sent or network.user_id
    if network_id and network_id != _NO_NETWORK_ID:
        rest["nuid"] = network_id
        if not columns.get("visitor_id"):
            columns["visitor_id"] = network_id
            columns["visitor_id_kind"] = "cookie" if network.is_ours and not sent else "client"
    return {}


def _candidate(
    index: int,
    columns: dict[str, Any],
    original: dict[str, Any],
    warnings: list[str],
    impersonal: dict[str, Any],
) -> Candidate:
    true_us, created_us, sent_us = (_time(original, key, warnings) for key in ("ttm", "dtm", "stm"))
    return Candidate(
        index,
        columns,
        created_us if true_us is None else true_us,
        original,
        warnings,
        sent_us=sent_us,
        # Without the time of sending nothing says how far the client's clock is off: receipt is the better guess.
        queued_us=0 if true_us is None and created_us is not None and sent_us is None else None,
        has_true_time=true_us is not None,
        content={key: value for key, value in original.items() if key != "stm"} if "stm" in original else None,
        impersonal=impersonal or None,
    )


def _time(fields: Mapping[str, Any], key: str, warnings: list[str]) -> int | None:
    value = fields.get(key)
    if value is None:
        return None
    number = float(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
    moment_us = parse_epoch_ms(number)
    if moment_us is None:
        warnings.append(f"invalid:{key}")
    return moment_us


def remap(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """What today's mapping makes of a kept event.

    Raises:
        ValueError: it would be refused today.
    """
    contexts = msgspec.json.decode(row["contexts"]) if row["contexts"] else {}
    read = read_fields(row["request_index"], raw, Network(user_id=contexts.get("nuid")))
    if isinstance(read, Reject):
        raise ValueError(f"{read.reason}: {read.detail}")  # noqa: TRY004  (the value is wrong, whatever its type)
    return read


_Columns = dict[str, Any]
_Fields = Mapping[str, Any]
_Entities = list[SelfDescribing]


def _page_view(columns: _Columns, _fields: _Fields, _rest: _Columns, _entities: _Entities) -> None:
    columns["event_type"] = "page_view"


def _page_ping(columns: _Columns, fields: _Fields, rest: _Columns, _entities: _Entities) -> None:
    columns["event_type"] = "heartbeat"
    depth, window = _number(fields.get("pp_may")), _number(columns.get("viewport_height"))
    whole = _number(str(rest.get("ds", "")).lower().partition("x")[2])
    if depth is not None and window is not None and whole:
        columns["scroll_percent"] = min(100, round(100 * (depth + window) / whole))


def _number(value: object) -> int | None:
    """A length in pixels; None for anything else."""
    text = str(value)
    return int(text) if len(text) <= 9 and text.isascii() and text.isdecimal() else None  # noqa: PLR2004  (digits)


def _structured(columns: _Columns, _fields: _Fields, _rest: _Columns, _entities: _Entities) -> None:
    columns["event_name"] = columns.get("action")


def _self_describing(columns: _Columns, fields: _Fields, rest: _Columns, entities: _Entities) -> None:
    event = read_event(fields.get("ue_px"), fields.get("ue_pr"))
    data = event.data if isinstance(event.data, dict) else {}
    columns["event_name"] = event.name
    columns["props"] = event.data
    columns["event_type"] = _TYPE_OF.get(event.name, "event")
    rest["schema"] = event.schema
    if event.name == commerce.ACTION:
        commerce.read_action(columns, data, entities)
    elif event.name in _CART_ACTION_OF:
        commerce.read_cart(_CART_ACTION_OF[event.name], columns, data)
    elif columns["event_type"] == "screen_view":
        columns["screen_name"] = data.get("name")
    elif columns["event_type"] == "consent":
        columns["consent"] = event.data


def _transaction(columns: _Columns, fields: _Fields, _rest: _Columns, _entities: _Entities) -> None:
    columns["event_type"] = "transaction"
    commerce.read_transaction(columns, fields)


def _item(columns: _Columns, fields: _Fields, _rest: _Columns, _entities: _Entities) -> None:
    columns["event_type"] = "item"
    commerce.read_item(columns, fields)


def _other(columns: _Columns, fields: _Fields, _rest: _Columns, _entities: _Entities) -> None:
    """An advertisement (`ad`) of old trackers, or what future ones call an event."""
    columns["event_name"] = fields["e"]


_READERS: dict[str, Callable[[_Columns, _Fields, _Columns, _Entities], None]] = {
    "pv": _page_view,
    "pp": _page_ping,
    "se": _structured,
    "ue": _self_describing,
    "tr": _transaction,
    "ti": _item,
}

_OWN = "com.snowplowanalytics.snowplow/"
_TYPE_OF = {
    f"{_OWN}link_click": "link_click",
    f"{_OWN}submit_form": "form",
    f"{_OWN}change_form": "form",
    f"{_OWN}focus_form": "form",
    f"{_OWN}application_error": "exception",
    f"{_OWN}timing": "timing",
    f"{_OWN}web_vitals": "vitals",
    f"{_OWN}social_interaction": "social",
    f"{_OWN}screen_view": "screen_view",
    "com.snowplowanalytics.mobile/screen_view": "screen_view",
    f"{_OWN}consent_preferences": "consent",
    f"{_OWN}consent_granted": "consent",
    f"{_OWN}consent_withdrawn": "consent",
}
_CART_ACTION_OF = {f"{_OWN}add_to_cart": "add", f"{_OWN}remove_from_cart": "remove"}
