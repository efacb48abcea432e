"""Orders: the e-commerce events with their entities, and the older events of carts, transactions and items."""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.protocols.snowplow.selfdescribing import SelfDescribing

ECOMMERCE = "com.snowplowanalytics.snowplow.ecommerce/"
ACTION = f"{ECOMMERCE}snowplow_ecommerce_action"

_ACTION_OF = {
    "list_click": "click",
    "product_view": "detail",
    "add_to_cart": "add",
    "remove_from_cart": "remove",
    "checkout_step": "checkout",
    "transaction": "purchase",
    "refund": "refund",
}
_COLUMNS_OF: dict[str, dict[str, str]] = {
    "transaction": {
        "transaction_id": "order_id",
        "revenue": "revenue",
        "tax": "tax",
        "shipping": "shipping",
        "currency": "currency",
        "discount_code": "coupon",
    },
    "refund": {"transaction_id": "order_id", "refund_amount": "revenue", "currency": "currency"},
    "checkout_step": {"coupon_code": "coupon"},
    "cart": {"currency": "currency"},
}
ENTITIES = frozenset(f"{ECOMMERCE}{name}" for name in (*_COLUMNS_OF, "product"))
"""Contexts that say what an e-commerce event is about."""

_TRANSACTION = {
    "tr_id": "order_id",
    "tr_af": "affiliation",
    "tr_tt": "revenue",
    "tr_tx": "tax",
    "tr_sh": "shipping",
    "tr_cu": "currency",
}
_ITEM = {
    "ti_sk": "sku",
    "ti_nm": "name",
    "ti_na": "name",
    "ti_ca": "category",
    "ti_pr": "price",
    "ti_qu": "quantity",
}
FIELDS = frozenset({*_TRANSACTION, *_ITEM, "ti_id", "ti_cu"})
"""Fields of transactions and items that have columns."""

_CART_ITEM = {"sku": "sku", "name": "name", "category": "category", "unitPrice": "price", "quantity": "quantity"}


def read_action(columns: dict[str, Any], data: Mapping[str, Any], contexts: Sequence[SelfDescribing]) -> None:
    """Fill the columns of an e-commerce event from it and its entities."""
    kind = data.get("type")
    action = _ACTION_OF.get(kind) if isinstance(kind, str) else None
    columns["order_action"] = action
    if action == "purchase":
        columns["event_type"] = "transaction"
    items = []
    for context in contexts:
        entity = context.name.removeprefix(ECOMMERCE)
        if entity == context.name or not isinstance(context.data, dict):
            continue
        if entity == "product":
            items.append({"sku": context.data.get("id"), **context.data})
        for key, column in _COLUMNS_OF.get(entity, {}).items():
            if context.data.get(key) is not None:
                columns[column] = context.data[key]
    if items:
        columns["items"] = items
        columns.setdefault("currency", items[0].get("currency"))


def read_cart(action: str, columns: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Fill the columns of the older `add_to_cart` and `remove_from_cart`."""
    columns["order_action"] = action
    columns["currency"] = data.get("currency")
    columns["items"] = [{name: data[key] for key, name in _CART_ITEM.items() if key in data}]


def read_transaction(columns: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Fill the columns of a transaction (`tr`)."""
    columns |= {column: fields[key] for key, column in _TRANSACTION.items() if key in fields}
    columns["order_action"] = "purchase"


def read_item(columns: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Fill the columns of an item of a transaction (`ti`)."""
    columns["order_id"] = fields.get("ti_id")
    columns["currency"] = fields.get("ti_cu")
    columns["items"] = [{name: fields[key] for key, name in _ITEM.items() if key in fields}]
