"""What a hit says of an order: classic transactions and items, and enhanced e-commerce."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from collector.columns import warn
from collector.protocols.measurement_protocol.draft import Draft
from collector.protocols.measurement_protocol.parameters import Reader, text_of
from collector.protocols.measurement_protocol.values import read_amount, read_currency, read_integer

ACTIONS = frozenset({"detail", "click", "add", "remove", "checkout", "checkout_option", "purchase", "refund"})
"""Values of `pa`."""

_text = text_of(500)


def _count(value: str, name: str, warnings: list[str]) -> int | None:
    return read_integer(value, name, warnings, is_signed=False)


def _any(value: str, _name: str, _warnings: list[str]) -> str:
    return value


_Fields = Mapping[str, tuple[str, Reader]]
"""By parameter, its column (or what it is called in an item or among the props), and how it is read."""

_OF_ORDER: _Fields = {"ti": ("order_id", _text), "cu": ("currency", text_of(10))}
_OF_TOTALS: _Fields = {
    "tr": ("revenue", read_currency),
    "ts": ("shipping", read_currency),
    "tt": ("tax", read_currency),
    "ta": ("affiliation", _text),
}
_OF_COUPON: _Fields = {"tcc": ("coupon", _text)}
_OF_STEP: _Fields = {"pal": ("pal", _any), "cos": ("cos", _count), "col": ("col", _any)}
_OF_ITEM: _Fields = {
    "ic": ("sku", _text),
    "in": ("name", _text),
    "iv": ("category", _text),
    "ip": ("price", read_amount),
    "iq": ("quantity", _count),
}
ORDER_PARAMETERS = frozenset({"pa", "promoa", *_OF_ORDER, *_OF_TOTALS, *_OF_COUPON, *_OF_STEP, *_OF_ITEM})


def add_order(draft: Draft, products: Mapping[int, dict[str, Any]]) -> None:
    """Fill the columns of an order. Parameters that mean nothing in such a hit become props.

    Without a product action products mean nothing, and stay in the hit as it is kept.
    """
    parameters = draft.parameters
    unused = ORDER_PARAMETERS & parameters.keys() - {"pa", "promoa"}
    if unused:
        unused = unused - _add_known(draft, parameters["t"])
    if "pa" in parameters:
        unused -= _add_action(draft, products)
    if parameters["t"] == "transaction":
        for column in ("revenue", "shipping", "tax"):
            draft.columns.setdefault(column, "0")
    for name in sorted(unused):
        draft.props[name] = parameters[name]


def _add_known(draft: Draft, hit_type: str) -> set[str]:
    """What a classic transaction or one of its items says; returns the parameters that were read."""
    if hit_type == "transaction":
        return _add(draft, draft.columns, _OF_ORDER) | _add(draft, draft.columns, _OF_TOTALS)
    if hit_type == "item":
        item: dict[str, Any] = {}
        read = _add(draft, draft.columns, _OF_ORDER) | _add(draft, item, _OF_ITEM)
        draft.columns["items"] = [{"price": 0, "quantity": 0} | item]
        return read
    return set()


def _add_action(draft: Draft, products: Mapping[int, dict[str, Any]]) -> set[str]:
    """What enhanced e-commerce says; returns the parameters that were read."""
    action = draft.parameters["pa"]
    if action not in ACTIONS:
        warn(draft.warnings, "invalid_value", "pa")
        return set()
    columns = draft.columns
    columns["order_action"] = action
    if products:
        columns["items"] = [*columns.get("items", ()), *(products[number] for number in sorted(products))]
    read = _add(draft, draft.props, _OF_STEP) | _add(draft, columns, _OF_ORDER)
    if action in {"purchase", "refund"}:
        read |= _add(draft, columns, _OF_TOTALS) | _add(draft, columns, _OF_COUPON)
        if "revenue" not in columns and products:
            columns["revenue"] = str(sum(map(_worth, products.values())))
    return read


def _add(draft: Draft, target: dict[str, Any], fields: _Fields) -> set[str]:
    read = set()
    for name, (key, reader) in fields.items():
        sent = draft.parameters.get(name)
        if sent is None:
            continue
        read.add(name)
        value = reader(sent, name, draft.warnings)
        if value is not None:
            target[key] = value
    return read


def _worth(product: dict[str, Any]) -> Decimal:
    """Price times quantity; a product without quantity is one."""
    return Decimal(str(product.get("price", 0))) * int(product.get("quantity", 1))
