"""One event of GA4, from its JSON or from its web client, in the words of the contract."""

import math
from collections.abc import Mapping
from typing import Any

from collector.columns import warn
from collector.protocols.measurement_protocol.ga4_items import read_items
from collector.protocols.measurement_protocol.ga4_limits import (
    NAME,
    PARAMS_MAX,
    RESERVED_PARAM_PREFIXES,
    TEXT_CHARS_MAX,
    TEXT_CHARS_MAX_OF,
)
from collector.protocols.measurement_protocol.screen import add_size
from collector.protocols.measurement_protocol.values import read_amount

_TYPE_OF = {"page_view": "page_view", "screen_view": "screen_view"}
_NOT_INTERACTIONS = {"user_engagement", "session_start", "first_visit"}
"""What the client says of itself, not what a person did."""

_ACTION_OF = {
    "view_item": "detail",
    "select_item": "click",
    "add_to_cart": "add",
    "remove_from_cart": "remove",
    "begin_checkout": "checkout",
    "add_payment_info": "checkout_option",
    "add_shipping_info": "checkout_option",
    "purchase": "purchase",
    "refund": "refund",
}
_COLUMN_OF = {
    "page_location": "page_url",
    "page_referrer": "page_referrer",
    "page_title": "page_title",
    "screen_name": "screen_name",
    "language": "language",
    "session_id": "client_session_id",
    "session_number": "client_session_number",
    "engagement_time_msec": "engaged_delta_ms",
    "transaction_id": "order_id",
    "currency": "currency",
    "tax": "tax",
    "shipping": "shipping",
    "coupon": "coupon",
    "affiliation": "affiliation",
    "value": "value",
    "content_group": "content_group",
    "gclid": "click_id",
}
_CAMPAIGN_COLUMN_OF = {
    "campaign_id": "campaign_id",
    "campaign": "campaign_name",
    "source": "campaign_source",
    "medium": "campaign_medium",
    "term": "campaign_term",
    "content": "campaign_content",
}
_NUMBERS = {"tax", "shipping", "value"}


def map_event(name: str, params: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """The columns of an event with a valid name.

    Parameters without a column become props under their own names; those of campaigns have one in
    `campaign_details` only, where they mean the visit's.
    """
    columns: dict[str, Any] = {
        "event_type": _TYPE_OF.get(name, "event"),
        "event_name": name,
        "is_interaction": name not in _NOT_INTERACTIONS,
    }
    if name in _ACTION_OF:
        columns["order_action"] = _ACTION_OF[name]
    props: dict[str, Any] = {}
    column_of = _COLUMN_OF | _CAMPAIGN_COLUMN_OF if name == "campaign_details" else _COLUMN_OF
    for key, value in params.items():
        column = column_of.get(key)
        if key == "items":
            columns["items"] = read_items(value, warnings)
        elif column is None:
            props[key] = value
        else:
            columns[column] = _number(value, key, warnings) if key in _NUMBERS else value
    size = props.pop("screen_resolution", None)
    if size is not None and not add_size("sr", str(size), columns):
        props["screen_resolution"] = size
    if "click_id" in columns:
        columns["click_id_kind"] = "gclid"
    if name in {"purchase", "refund"}:
        columns["revenue"] = columns.get("value")
    if props:
        columns["props"] = props
    return columns


def _number(value: Any, name: str, warnings: list[str]) -> Any:  # noqa: ANN401  (any JSON value)
    return read_amount(value, name, warnings) if isinstance(value, str) else value


def fit_params(params: Any, warnings: list[str]) -> dict[str, Any]:  # noqa: ANN401  (any JSON value)
    """The parameters of an event's JSON within GA4's limits: surplus ones dropped, texts cut, each with a warning."""
    if params is None:
        return {}
    if not isinstance(params, dict):
        warn(warnings, "invalid_value", "params")
        return {}
    fitted: dict[str, Any] = {}
    for name, value in params.items():
        if value is None:
            continue
        if name.startswith(RESERVED_PARAM_PREFIXES):
            _note(warnings, "reserved_param")
        elif len(fitted) == PARAMS_MAX:
            _note(warnings, "too_many_params")
        else:
            if not NAME.fullmatch(name):
                warn(warnings, "invalid_value", name[:TEXT_CHARS_MAX])
            fitted[name] = _fit_text(name, value, warnings)
    return fitted


def _fit_text(name: str, value: Any, warnings: list[str]) -> Any:  # noqa: ANN401  (any JSON value)
    chars_max = TEXT_CHARS_MAX_OF.get(name, TEXT_CHARS_MAX)
    if isinstance(value, str) and len(value) > chars_max:
        warn(warnings, "truncated", name)
        return value[:chars_max]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _note(warnings: list[str], code: str) -> None:
    """A warning that names no field."""
    if code not in warnings:
        warnings.append(code)
