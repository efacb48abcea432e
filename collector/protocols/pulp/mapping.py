"""From a document to a check-in, as the fleet's configuration says."""

import math
import re
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from collector.columns import json_text
from collector.protocols.pulp.codecs import DESCRIPTORS, Codec, Document, decode_json, decode_query, protobuf_codec
from collector.refusal import Reason, Refused
from landing.fleets import Fleet

_CHARS_MAX: Final = 256
_SINGLE_MAX: Final = 2**31 - 1
"""The largest number that the original's tables hold."""
_DOUBLE_MAX: Final = 2**53
_NUMBER: Final = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)

Path = tuple[str, ...]


class Cause(StrEnum):
    """Reasons that only fleets know."""

    INVALID_INSTALL_ID = "invalid_install_id"
    """No id of the installation, or one that is no UUID where the fleet says it is one."""
    COMPONENT_VERSION = "component_version"
    """A component's version is not of the form that the fleet counts: kept aside, answered as if it were taken."""
    DUPLICATE_COMPONENT = "duplicate_component"
    """A component is named twice: kept aside, answered as if it were taken."""


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """A fleet as the collector needs it.

    Attributes:
        fleet_id: Its key in the sites file.
        codec: Reads messages.
        is_typed: Numbers are numbers of at most 31 bits and an absent code is 0, as in protobuf.
        body_bytes_max: Longest message.
        ok_status: Status of a good answer.
        install_id: Where the message names its installation.
        is_uuid: That is a UUID.
        components: Where the list is, and where an item has its name and version; None without one.
        version: What every version must match; None for any.
        refuses_duplicates: A component named twice is refused.
        gauges: By name; absent ones are 0.
        numbers: By name; unknown where their parent is absent, else 0.
        codes: By name.
    """

    fleet_id: str
    codec: Codec
    is_typed: bool
    body_bytes_max: int
    ok_status: int
    install_id: Path
    is_uuid: bool
    components: tuple[Path, Path, Path] | None
    version: re.Pattern[str] | None
    refuses_duplicates: bool
    gauges: tuple[tuple[str, Path], ...]
    numbers: tuple[tuple[str, Path], ...]
    codes: tuple[tuple[str, Path], ...]


def plan_fleet(fleet_id: str, fleet: Fleet) -> FleetPlan:
    """The plan of one fleet."""
    receive, listed, pattern = fleet.receive, fleet.components, fleet.drop_if.any_component_version_not
    codec: Codec = decode_json if receive.codec == "json" else decode_query
    if receive.descriptor is not None:
        codec = protobuf_codec(DESCRIPTORS[receive.descriptor])
    return FleetPlan(
        fleet_id=fleet_id,
        codec=codec,
        is_typed=receive.codec == "protobuf",
        body_bytes_max=receive.max_body,
        ok_status=receive.ok_status,
        install_id=_path(fleet.install_id.from_),
        is_uuid=fleet.install_id.type == "uuid",
        components=None if listed is None else (_path(listed.from_), _path(listed.name), _path(listed.version)),
        version=None if pattern is None else re.compile(pattern),
        refuses_duplicates=fleet.drop_if.duplicate_component,
        gauges=tuple((name, _path(path)) for name, path in fleet.gauges.items()),
        numbers=tuple((name, _path(path)) for name, path in fleet.numbers.items()),
        codes=tuple((name, _path(code.from_)) for name, code in fleet.codes.items()),
    )


def columns_of(plan: FleetPlan, document: Document) -> dict[str, Any]:
    """The columns of a check-in that come from its message.

    Raises:
        Refused: something is missing or cannot be, or the fleet's rules keep it aside.
    """
    columns: dict[str, Any] = {
        "fleet": plan.fleet_id,
        "install_id": _install_id(plan, _find(document, plan.install_id)),
    }
    gauges = {name: _number(plan, name, _find(document, path)) or 0 for name, path in plan.gauges}
    numbers = {name: _counted(plan, name, document, path) for name, path in plan.numbers}
    codes = {name: _code(plan, name, _find(document, path)) for name, path in plan.codes}
    if plan.components is not None:
        components = _components(plan.components, document)
        _check_components(plan, components)
        columns["components"] = json_text(components)
    for name, values in (("gauges", gauges), ("numbers", numbers), ("codes", codes)):
        if values:
            columns[name] = json_text(values)
    return columns


def _install_id(plan: FleetPlan, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Refused(Cause.INVALID_INSTALL_ID, 400, "the message names no installation")
    if not plan.is_uuid:
        return _text("install_id", value)[:_CHARS_MAX]
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise Refused(Cause.INVALID_INSTALL_ID, 400, "the installation's id is no UUID") from None


def _components(paths: tuple[Path, Path, Path], document: Document) -> list[dict[str, str]]:
    where, name, version = paths
    found = _find(document, where)
    if found is None:
        return []
    if isinstance(found, str):  # of a query
        pairs = (each.partition(":") for each in found.split(",") if each)
        return [{"name": _text("components", first), "version": _text("components", last)} for first, _, last in pairs]
    if not isinstance(found, list):
        raise Refused(Reason.INVALID_FIELD, 400, "the components are no list")
    return [
        {"name": _text("components", _find(each, name)), "version": _text("components", _find(each, version))}
        for each in found
    ]


def _check_components(plan: FleetPlan, components: list[dict[str, str]]) -> None:
    if plan.refuses_duplicates and len({each["name"] for each in components}) < len(components):
        raise Refused(Cause.DUPLICATE_COMPONENT, plan.ok_status, "a component is named twice")
    if plan.version is not None:
        for each in components:
            if plan.version.fullmatch(each["version"]) is None:
                detail = f"{each['name'][:64]} {each['version'][:64]}"
                raise Refused(Cause.COMPONENT_VERSION, plan.ok_status, detail)


def _counted(plan: FleetPlan, name: str, document: Document, path: Path) -> int | float | None:
    if len(path) > 1 and _find(document, path[:-1]) is None:
        return None
    number = _number(plan, name, _find(document, path))
    return 0 if number is None and len(path) > 1 else number


def _code(plan: FleetPlan, name: str, value: object) -> int | float | str | None:
    if value is None:
        return 0 if plan.is_typed else None
    return _text(name, value) if isinstance(value, str) else _number(plan, name, value)


def _number(plan: FleetPlan, name: str, value: object) -> int | float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if value is None:
        return None
    largest = _SINGLE_MAX if plan.is_typed else _DOUBLE_MAX
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > largest:  # type: ignore[arg-type]
        raise Refused(Reason.INVALID_FIELD, 400, f"{name} is no number of at most {largest}")
    return value  # type: ignore[return-value]


def _text(name: str, value: object) -> str:
    text = "" if value is None else value
    if not isinstance(text, str) or "\0" in text:
        raise Refused(Reason.INVALID_FIELD, 400, f"{name} holds something else than text without NUL")
    return text


def _find(node: object, path: Path) -> Any:  # noqa: ANN401  (any value of a document)
    """What the path leads to; None where it ends before."""
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node


def _path(text: str) -> Path:
    return tuple(text.split("."))
