"""Parameters whose names hold numbers: custom dimensions and metrics, content groups, products, promotions."""

import functools
import re
from collections.abc import Callable
from typing import Any

import msgspec

from collector.protocols.measurement_protocol.parameters import Reader, text_of
from collector.protocols.measurement_protocol.values import read_amount, read_integer, read_text

_N = r"([1-9][0-9]?|1[0-9][0-9]|200)"
_NAME = re.compile(
    rf"(?P<custom>cd|cm){_N}"
    r"|cg(?P<group>[1-9]|10)"
    rf"|pr{_N}(?:(?P<product>id|nm|br|ca|va|cc|pr|qt|ps)|(?P<product_custom>cd|cm){_N})"
    rf"|il{_N}(?:(?P<list_name>nm)|pi{_N}(?:(?P<listed>id|nm|br|ca|va|ps|pr)|(?P<listed_custom>cd|cm){_N}))"
    rf"|promo{_N}(?P<promotion>id|nm|cr|ps)"
)
_GROUP_BYTES_MAX = 100
_count = functools.partial(read_integer, is_signed=False)
_text = text_of(500)
_dimension: Reader = text_of(150)

_PRODUCT_FIELDS: dict[str, tuple[str, Reader]] = {
    "id": ("sku", _text),
    "nm": ("name", _text),
    "br": ("brand", _text),
    "ca": ("category", _text),
    "va": ("variant", _text),
    "cc": ("coupon", _text),
    "pr": ("price", read_amount),
    "qt": ("quantity", _count),
    "ps": ("position", _count),
}
_PROMOTION_FIELDS = {"id": "id", "nm": "name", "cr": "creative", "ps": "position"}


class Indexed(msgspec.Struct):
    """What a hit says in parameters with numbers in their names.

    Attributes:
        money: Indices of custom metrics that are amounts of money.
        expand: Replaces the macros of a custom value.
        dimensions: Custom dimensions by index.
        metrics: Custom metrics by index.
        groups: Content groups by index.
        products: By index.
        lists: Impression lists by index, each {name, products by index}.
        promotions: By index.
    """

    money: frozenset[int]
    expand: Callable[[str], str] | None = None
    dimensions: dict[str, str] = msgspec.field(default_factory=dict)
    metrics: dict[str, Any] = msgspec.field(default_factory=dict)
    groups: dict[int, str] = msgspec.field(default_factory=dict)
    products: dict[int, dict[str, Any]] = msgspec.field(default_factory=dict)
    lists: dict[int, tuple[dict[str, Any], dict[int, dict[str, Any]]]] = msgspec.field(default_factory=dict)
    promotions: dict[int, dict[str, Any]] = msgspec.field(default_factory=dict)

    def add(self, name: str, value: str, warnings: list[str]) -> bool:
        """Take a parameter; False where the name is none of these."""
        place = _place(name)
        if place is None:
            return False
        kind, numbers, key = place
        first, last = numbers[0], numbers[-1]
        match kind:
            case "custom":
                self._add_custom(self.dimensions if key == "cd" else self.metrics, last, name, value, warnings)
            case "group":
                self.groups[first] = read_text(value, name, _GROUP_BYTES_MAX, warnings)
            case "promotion":
                self.promotions.setdefault(first, {})[_PROMOTION_FIELDS[key]] = _text(value, name, warnings)
            case "list_name":
                self._list(first)[0]["name"] = value
            case "product":
                _add_field(self.products.setdefault(first, {}), key, name, value, warnings)
            case "product_custom":
                self._add_product_custom(self.products.setdefault(first, {}), last, name, value, warnings)
            case "listed":
                _add_field(self._list(first)[1].setdefault(numbers[1], {}), key, name, value, warnings)
            case _:
                self._add_product_custom(self._list(first)[1].setdefault(numbers[1], {}), last, name, value, warnings)
        return True

    def _list(self, number: int) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
        return self.lists.setdefault(number, ({}, {}))

    def _add_product_custom(
        self, product: dict[str, Any], index: int, name: str, value: str, warnings: list[str]
    ) -> None:
        kind = "dimensions" if _kind_of_custom(name) == "cd" else "metrics"
        values = product.get(kind, {})
        self._add_custom(values, index, name, value, warnings)
        if values:
            product[kind] = values

    def _add_custom(self, values: dict[str, Any], index: int, name: str, value: str, warnings: list[str]) -> None:
        """A custom dimension is text; a metric a number, with decimals where it is money."""
        if self.expand is not None and "{" in value:
            value = self.expand(value)
            if not value:
                return
        read = _dimension if _kind_of_custom(name) == "cd" else read_amount if index in self.money else read_integer
        typed = read(value, name, warnings)
        if typed is not None:
            values[str(index)] = typed

    def content_groups(self) -> tuple[list[str] | None, dict[str, str]]:
        """The groups in their order; and those by name whose number the order does not tell."""
        if not self.groups:
            return None, {}
        numbers = sorted(self.groups)
        has_gaps = numbers[-1] != len(numbers)
        named = {f"cg{number}": self.groups[number] for number in numbers} if has_gaps else {}
        return [self.groups[number] for number in numbers], named

    def impressions(self) -> list[dict[str, Any]]:
        """Impression lists with their products, in order."""
        return [
            head | {"products": [products[number] for number in sorted(products)]} if products else head
            for _, (head, products) in sorted(self.lists.items())
        ]


_Place = tuple[str, tuple[int, ...], str]


@functools.lru_cache(maxsize=8_192)
def _place(name: str) -> _Place | None:
    """What a name means, the numbers in it, and the field it names; None for a name that is none of these."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    kind = next(group for group in _KINDS if match[group])
    numbers = tuple(int(each) for each in _NUMBER.findall(name))
    return kind, numbers, match[kind]


_KINDS = ("custom", "group", "product", "product_custom", "list_name", "listed", "listed_custom", "promotion")
_NUMBER = re.compile(r"[0-9]+")


def _kind_of_custom(name: str) -> str:
    """`cd` or `cm`: the last letters of `cd7`, `pr1cm2`, `il1pi2cd3`."""
    return name.rstrip("0123456789")[-2:]


def _add_field(product: dict[str, Any], key: str, name: str, value: str, warnings: list[str]) -> None:
    column, read = _PRODUCT_FIELDS[key]
    typed = read(value, name, warnings)
    if typed is not None:
        product[column] = typed
