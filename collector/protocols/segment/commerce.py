"""Money and products in a track's properties, by the names of Segment's e-commerce events."""

import re
from collections.abc import Mapping
from typing import Any

_ACTION_OF = {
    "product clicked": "click",
    "product viewed": "detail",
    "product added": "add",
    "product removed": "remove",
    "cart viewed": None,
    "checkout started": "checkout",
    "checkout step viewed": "checkout_option",
    "checkout step completed": "checkout_option",
    "order completed": "purchase",
    "order refunded": "refund",
}
"""Names, any case. The older ones put the verb first."""
_ACTION_OF |= {" ".join(reversed(name.split())): action for name, action in _ACTION_OF.items() if name.count(" ") == 1}

_COLUMN_OF = {
    "order_id": "order_id",
    "orderId": "order_id",
    "affiliation": "affiliation",
    "coupon": "coupon",
}
_MONEY_OF = {"revenue": "revenue", "tax": "tax", "shipping": "shipping"}

_PRODUCT_KEYS = {
    "product_id", "sku", "name", "brand", "category", "variant", "coupon", "price", "quantity", "position",
    "url", "image_url", "list_id",
}  # fmt: skip
_NUMBER = re.compile(r"-?\d[\d.,]{0,40}|-?[.,]\d{1,20}", re.ASCII)
_MONEY_CHARS_MAX = 64
_CENTS_DIGITS_MAX = 2


def read_order(columns: dict[str, Any], name: str, properties: Mapping[str, Any]) -> None:
    """Fill the columns of money, and of orders where the event's name is one of the shop's."""
    for key, column in _MONEY_OF.items():
        if properties.get(key) is not None:
            columns[column] = read_money(properties[key])
    if properties.get("value") is not None:
        columns["value"] = read_money(properties["value"])
    lower_name = name.strip().lower()
    if lower_name in _ACTION_OF:
        _read_shop(columns, lower_name, properties)
    currency = properties.get("currency")
    if currency or columns.get("revenue") is not None:
        columns["currency"] = currency or "USD"


def _read_shop(columns: dict[str, Any], name: str, properties: Mapping[str, Any]) -> None:
    action = _ACTION_OF[name]
    columns["order_action"] = action
    for key, column in _COLUMN_OF.items():
        if properties.get(key) is not None:
            columns[column] = properties[key]
    # The contract's revenue has tax and shipping in it, Segment's has not: that is `total`.
    if properties.get("total") is not None:
        columns["revenue"] = read_money(properties["total"])
    if action == "purchase":
        columns["event_type"] = "transaction"
    products = properties.get("products")
    if not isinstance(products, list):
        products = [{key: properties[key] for key in _PRODUCT_KEYS if key in properties}]
    items = [_item(product) for product in products if isinstance(product, dict) and product]
    if items:
        columns["items"] = items


def _item(product: Mapping[str, Any]) -> dict[str, Any]:
    """A product as an item of the contract: whatever names it is its SKU."""
    item = dict(product)
    sku = product.get("sku") or product.get("product_id") or product.get("id")
    if sku is not None:
        item["sku"] = sku
    return item


def read_money(value: object) -> object:
    """The amount in text such as "$19.99" or "1.234,50 €"; anything else as it is."""
    if not isinstance(value, str) or len(value) > _MONEY_CHARS_MAX:
        return value
    match = _NUMBER.search(value)
    if match is None:
        return value
    amount = match.group().rstrip(".,")
    comma, point = amount.rfind(","), amount.rfind(".")
    if comma > point and (point >= 0 or len(amount) - comma - 1 <= _CENTS_DIGITS_MAX):
        return amount.replace(".", "").replace(",", ".")
    return amount.replace(",", "")
