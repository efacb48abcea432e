"""JSON Schema of one property, compiled once into a function that says what is wrong with a value."""

import re
from collections.abc import Callable
from typing import Any

Complaint = Callable[[Any], str | None]
"""What is wrong with a value; None when nothing is."""

_PATTERN_CHARS_MAX = 1_024
"""Characters up to which a pattern is tried: an extension's pattern may be slow on longer texts."""


def _is_integer(value: object) -> bool:
    return type(value) is int or (isinstance(value, float) and value.is_integer())


def _is_number(value: object) -> bool:
    return type(value) is int or isinstance(value, float)


_TESTS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def compile_property(schema: dict[str, Any]) -> Complaint:
    """The function of a property's schema, whose keywords the sites file has checked."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    tests = [_TESTS[each] for each in types]
    wanted = " or ".join(types)
    bounds = [maker(schema[keyword]) for keyword, maker in _BOUNDS.items() if keyword in schema]

    def complain(value: Any) -> str | None:  # noqa: ANN401  (any JSON value)
        if not any(test(value) for test in tests):
            return f"is no {wanted}"
        for bound in bounds:
            complaint = bound(value)
            if complaint is not None:
                return complaint
        return None

    return complain


def _compared(holds: Callable[[Any, Any], bool], words: str) -> Callable[[Any], Complaint]:
    def make(limit: Any) -> Complaint:  # noqa: ANN401  (a number)
        return lambda value: f"{words} {limit}" if _is_number(value) and not holds(value, limit) else None

    return make


def _sized(kind: type[str | list[Any]], holds: Callable[[int, int], bool], words: str) -> Callable[[Any], Complaint]:
    def make(limit: int) -> Complaint:
        return lambda value: f"{words} {limit}" if isinstance(value, kind) and not holds(len(value), limit) else None

    return make


def _pattern(text: str) -> Complaint:
    search = re.compile(text).search

    def complain(value: Any) -> str | None:  # noqa: ANN401  (any JSON value)
        if isinstance(value, str) and (len(value) > _PATTERN_CHARS_MAX or search(value) is None):
            return f"does not match {text}"
        return None

    return complain


def _items(schema: dict[str, Any]) -> Complaint:
    each = compile_property(schema)

    def complain(value: Any) -> str | None:  # noqa: ANN401  (any JSON value)
        found = (each(item) for item in value) if isinstance(value, list) else ()
        return next((f"an item {complaint}" for complaint in found if complaint is not None), None)

    return complain


def _is_multiple(value: Any, step: Any) -> bool:  # noqa: ANN401  (numbers)
    try:
        return bool(value % step == 0)
    except OverflowError:  # an integer beyond a double
        return False


def _same(left: object, right: object) -> bool:
    """Equal as JSON: true is not 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


_BOUNDS: dict[str, Callable[[Any], Complaint]] = {
    "minimum": _compared(lambda value, limit: value >= limit, "is less than"),
    "maximum": _compared(lambda value, limit: value <= limit, "is more than"),
    "exclusiveMinimum": _compared(lambda value, limit: value > limit, "is not more than"),
    "exclusiveMaximum": _compared(lambda value, limit: value < limit, "is not less than"),
    "multipleOf": _compared(_is_multiple, "is no multiple of"),
    "minLength": _sized(str, lambda size, limit: size >= limit, "has fewer characters than"),
    "maxLength": _sized(str, lambda size, limit: size <= limit, "has more characters than"),
    "minItems": _sized(list, lambda size, limit: size >= limit, "has fewer items than"),
    "maxItems": _sized(list, lambda size, limit: size <= limit, "has more items than"),
    "pattern": _pattern,
    "enum": lambda allowed: (
        lambda value: None if any(_same(value, each) for each in allowed) else "is none of the values allowed"
    ),
    "const": lambda only: lambda value: None if _same(value, only) else "is not the value allowed",
    "items": _items,
}
