"""Items of GA4's events, in the words of the contract."""

from typing import Any

from collector.columns import warn
from collector.protocols.measurement_protocol.ga4_limits import ITEM_CUSTOM_MAX, ITEMS_MAX, TEXT_CHARS_MAX
from collector.protocols.measurement_protocol.values import read_amount, read_integer

_FIELD_OF = {
    "item_id": "sku",
    "item_name": "name",
    "item_brand": "brand",
    "item_category": "category",
    "item_category2": "category2",
    "item_category3": "category3",
    "item_category4": "category4",
    "item_category5": "category5",
    "item_variant": "variant",
    "price": "price",
    "quantity": "quantity",
    "coupon": "coupon",
    "index": "position",
    "item_list_name": "list",
    "item_list_id": "list_id",
    "discount": "discount",
    "affiliation": "affiliation",
    "location_id": "location_id",
    "creative_name": "creative_name",
    "creative_slot": "creative_slot",
    "promotion_id": "promotion_id",
    "promotion_name": "promotion_name",
    "currency": "currency",
}
_WIRE_NAME_OF = {
    "id": "item_id",
    "nm": "item_name",
    "br": "item_brand",
    "ca": "item_category",
    "c2": "item_category2",
    "c3": "item_category3",
    "c4": "item_category4",
    "c5": "item_category5",
    "va": "item_variant",
    "pr": "price",
    "qt": "quantity",
    "cp": "coupon",
    "ds": "discount",
    "ln": "item_list_name",
    "li": "item_list_id",
    "lp": "index",
    "af": "affiliation",
    "lo": "location_id",
    "cn": "creative_name",
    "cs": "creative_slot",
    "pi": "promotion_id",
    "pn": "promotion_name",
}
"""Two letters of the web client, and what the JSON calls the same."""

_AMOUNTS = {"price", "discount"}
_COUNTS = {"quantity", "index"}
_KEY_CHARS = 2


def read_items(items: Any, warnings: list[str]) -> list[dict[str, Any]]:  # noqa: ANN401  (any JSON value)
    """The items of an event's JSON; what is no object is left out, with a warning."""
    if not isinstance(items, list):
        warn(warnings, "invalid_value", "items")
        return []
    if len(items) > ITEMS_MAX:
        warn(warnings, "truncated", "items")
    read = []
    for item in items[:ITEMS_MAX]:
        if isinstance(item, dict):
            read.append(_read_item(item, warnings))
        else:
            warn(warnings, "invalid_value", "items")
    return read


def _read_item(item: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    custom = 0
    for name, value in item.items():
        if value is None:
            continue
        field = _FIELD_OF.get(name)
        if field is None:
            custom += 1
            if custom > ITEM_CUSTOM_MAX:
                warn(warnings, "too_many_params", "items")
                continue
        read[field or name] = _fit(name, value, warnings)
    return {name: value for name, value in read.items() if value is not None}


def _fit(name: str, value: Any, warnings: list[str]) -> Any:  # noqa: ANN401  (any JSON value)
    if not isinstance(value, str):
        return value
    if name in _AMOUNTS:
        return read_amount(value, name, warnings)
    if name in _COUNTS:
        return read_integer(value, name, warnings)
    if len(value) > TEXT_CHARS_MAX:
        warn(warnings, "truncated", "items")
        return value[:TEXT_CHARS_MAX]
    return value


def split_item(text: str) -> dict[str, Any]:
    """An item of the web client, `id12~nmShoe~k0colour~v0red`, as the JSON would name its fields."""
    item: dict[str, Any] = {}
    custom: dict[str, str] = {}
    for field in text.split("~"):
        key, value = field[:_KEY_CHARS], field[_KEY_CHARS:]
        if not value:
            continue
        if key in _WIRE_NAME_OF:
            item[_WIRE_NAME_OF[key]] = value
        elif key[0] == "k" and key[1:].isdecimal():
            custom[key[1:]] = value
        elif key[0] == "v" and key[1:] in custom:
            item[custom[key[1:]]] = value
        else:
            item[key] = value
    return item
