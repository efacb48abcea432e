"""Objectiv's open taxonomy: types of events and contexts, and how a file extends them without code.

A type has parents, properties, and contexts that must be present wherever it is; it inherits all three. The base is
`objectiv_taxonomy.json`; extensions have the same format, which is that of the original collector.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo

from landing.names import Section
from landing.positions import Path as Place
from landing.positions import spell

JSON_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")

_NUMBER = (int, float)
_KEYWORDS: dict[str, tuple[type, ...]] = {
    "type": (str, list),
    "optional": (bool,),
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "exclusiveMaximum": _NUMBER,
    "multipleOf": _NUMBER,
    "minLength": (int,),
    "maxLength": (int,),
    "pattern": (str,),
    "enum": (list,),
    "const": (str, int, float, bool, list, dict, type(None)),
    "minItems": (int,),
    "maxItems": (int,),
    "items": (dict,),
    # What follows only describes.
    "description": (str,),
    "title": (str,),
    "format": (str,),
    "default": (str, int, float, bool, list, dict, type(None)),
    "examples": (list,),
}
"""Keywords of JSON Schema that a property may use, and what each holds."""

_NAMES = {
    "events": re.compile(r"[A-Z][a-zA-Z0-9]*Event", re.ASCII),
    "contexts": re.compile(r"[A-Z][a-zA-Z0-9]*Context", re.ASCII),
}
_DEPTH_MAX = 100


def _property(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a property, or why it is none."""
    for keyword, value in schema.items():
        kinds = _KEYWORDS.get(keyword)
        if kinds is None:
            raise ValueError(f"unknown keyword {keyword!r}: known are {', '.join(_KEYWORDS)}")
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{keyword} does not hold what JSON Schema wants there")
    types = schema.get("type")
    named = types if isinstance(types, list) else [types]
    if not named or not all(each in JSON_TYPES for each in named):
        raise ValueError(f"type is needed: one of {', '.join(JSON_TYPES)}, or a list of them")
    if schema.get("multipleOf", 1) <= 0:
        raise ValueError("multipleOf is more than 0")
    try:
        re.compile(schema.get("pattern", ""))
    except re.error as error:
        raise ValueError(f"pattern is no regular expression: {error}") from None
    if "items" in schema:
        _property(schema["items"])
    return schema


Property = Annotated[
    dict[str, Any], BeforeValidator(lambda value: _property(value) if isinstance(value, dict) else value)
]


class TypeRules(Section):
    """One type of events or contexts.

    Attributes:
        description: For people.
        parents: Types that it is a special case of.
        requires: Types of contexts that are there wherever this is.
        properties: What it carries, as JSON Schema; `optional` ones may be absent or null.
    """

    description: str = ""
    parents: tuple[str, ...] = ()
    requires: tuple[str, ...] = Field(default=(), alias="requiresContext")
    properties: dict[str, Property] = Field(default_factory=dict)


class Extension(Section):
    """A file of types: new ones, and additions to those that there are."""

    name: str = Field(min_length=1, max_length=256)
    version: dict[str, Any] | str = ""
    description: str = ""
    events: dict[str, TypeRules] = Field(default_factory=dict)
    contexts: dict[str, TypeRules] = Field(default_factory=dict)


def _read(value: object, info: ValidationInfo) -> object:
    """An extension that stands in a file of its own, named relative to the sites file."""
    if not isinstance(value, str):
        return value
    folder = (info.context or {}).get("folder")
    if folder is None:
        raise ValueError("a file can only be named in a sites file")
    try:
        return Extension.model_validate(json.loads((Path(folder) / value).read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"in the file, {spell(first['loc'])}: {first['msg'].removeprefix('Value error, ')}") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


class Objectiv(Section):
    """How Objectiv's events are checked.

    Attributes:
        extensions: Types besides the base taxonomy's: as they are, or names of JSON files beside the sites file.
        rules: `g1` asks what the older collector asked; `either` also takes what only the newer one took: a press
            without a root location or a path, media events without a player, ids that are UUIDs of any version.
        error_reporting: Answers say what was wrong with each event.
    """

    extensions: tuple[Annotated[Extension, BeforeValidator(_read)], ...] = ()
    rules: Literal["g1", "either"] = "g1"
    error_reporting: bool = False


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The base and its extensions as one.

    Attributes:
        versions: By name of the base and of each extension.
        events: By name.
        contexts: By name.
    """

    versions: Mapping[str, Any]
    events: Mapping[str, TypeRules]
    contexts: Mapping[str, TypeRules]

    def lineage(self, kind: Literal["events", "contexts"], name: str) -> tuple[str, ...]:
        """The type after its ancestors, each after its own; without repetition."""
        types: Mapping[str, TypeRules] = getattr(self, kind)
        found: dict[str, None] = {}
        for parent in types[name].parents:
            found |= dict.fromkeys(self.lineage(kind, parent))
        return (*found, name)

    def properties(self, kind: Literal["events", "contexts"], name: str) -> dict[str, dict[str, Any]]:
        """What the type carries, inherited properties included; a nearer type's keywords win."""
        types: Mapping[str, TypeRules] = getattr(self, kind)
        found: dict[str, dict[str, Any]] = {}
        for ancestor in self.lineage(kind, name):
            for key, schema in types[ancestor].properties.items():
                found[key] = {**found.get(key, {}), **schema}
        return found


@functools.cache
def base_taxonomy() -> Taxonomy:
    """The open taxonomy itself."""
    text = Path(__file__).with_name("objectiv_taxonomy.json").read_text(encoding="utf-8")
    base = Extension.model_validate_json(text)
    return Taxonomy({base.name: _version(base)}, base.events, base.contexts)


def extended(extensions: tuple[Extension, ...]) -> Taxonomy:
    """The base with extensions, in their order. They are valid: `broken_extensions` finds nothing."""
    taxonomy = base_taxonomy()
    for extension in extensions:
        taxonomy = Taxonomy(
            {**taxonomy.versions, extension.name: _version(extension)},
            _merged(taxonomy.events, extension.events),
            _merged(taxonomy.contexts, extension.contexts),
        )
    return taxonomy


def broken_extensions(extensions: tuple[Extension, ...]) -> Iterator[tuple[Place, str]]:
    """What is wrong with extensions, by the place in them."""
    contexts, events = dict(base_taxonomy().contexts), dict(base_taxonomy().events)
    for index, extension in enumerate(extensions):
        for kind, known, added in (("contexts", contexts, extension.contexts), ("events", events, extension.events)):
            for name in added:
                yield from _broken_type(kind, name, known=known, added=added, place=(index, kind, name))
            known.update(_merged(known, added))
        for kind, added in (("contexts", extension.contexts), ("events", extension.events)):
            for name, rules in added.items():
                for required in rules.requires:
                    if required not in contexts:
                        yield (index, kind, name, "requiresContext"), f"there is no context {required!r}"


def _broken_type(
    kind: str, name: str, *, known: Mapping[str, TypeRules], added: Mapping[str, TypeRules], place: Place
) -> Iterator[tuple[Place, str]]:
    rules = added[name]
    if not _NAMES[kind].fullmatch(name):
        yield place, f"not a name: it begins with a capital and ends in {kind[:-1].capitalize()}"
    for parent in rules.parents:
        if parent not in known and parent not in added:
            yield (*place, "parents"), f"there is no {kind[:-1]} {parent!r}"
    if _is_cyclic(name, _merged(known, added)):
        yield (*place, "parents"), "it is its own ancestor"
    before = known[name].properties if name in known else {}
    for key, schema in rules.properties.items():
        for keyword, value in schema.items():
            if keyword in before.get(key, {}) and before[key][keyword] != value:
                yield (*place, "properties", key), f"{keyword} is {before[key][keyword]!r} already"
        if key in before and schema.get("optional") and not before[key].get("optional"):
            yield (*place, "properties", key), "it is required already, and cannot become optional"
        if key in before and kind == "events":
            yield (*place, "properties", key), "the event has this property already"


def _is_cyclic(name: str, types: Mapping[str, TypeRules]) -> bool:
    """A walk to the ancestors does not end within the depth allowed."""
    level = {name}
    for _ in range(_DEPTH_MAX):
        level = {parent for each in level if each in types for parent in types[each].parents}
        if not level:
            return False
    return True


def _merged(known: Mapping[str, TypeRules], added: Mapping[str, TypeRules]) -> dict[str, TypeRules]:
    merged = dict(known)
    for name, rules in added.items():
        before = known.get(name)
        merged[name] = rules if before is None else _joined(before, rules)
    return merged


def _joined(before: TypeRules, rules: TypeRules) -> TypeRules:
    properties = dict(before.properties)
    for key, schema in rules.properties.items():
        properties[key] = {**properties.get(key, {}), **schema}
    return TypeRules(
        description=before.description or rules.description,
        parents=tuple(dict.fromkeys(before.parents + rules.parents)),
        requiresContext=tuple(dict.fromkeys(before.requires + rules.requires)),
        properties=properties,
    )


def _version(extension: Extension) -> Any:  # noqa: ANN401  (as the file has it)
    version = extension.version
    return version.get(extension.name, version) if isinstance(version, dict) else version
