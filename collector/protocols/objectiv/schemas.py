"""The taxonomy for people and programs: in Objectiv's own notation, and as JSON Schema."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from collector.plans import SiteDirectory
from collector.request import Answer, Request
from landing.sites import Sites
from landing.taxonomy import Taxonomy, TypeRules, extended

_JSON = (("Content-Type", "application/json"),)


def show_taxonomy(_request: Request, directory: SiteDirectory) -> Answer:
    """Answer `GET /schema`: versions, events and contexts, extensions merged in."""
    return directory.prepared(_taxonomy)


def show_json_schema(_request: Request, directory: SiteDirectory) -> Answer:
    """Answer `GET /jsonschema`: what a list of events must look like, as far as JSON Schema can say it."""
    return directory.prepared(_json_schema)


def _taxonomy(sites: Sites) -> Answer:
    taxonomy = extended(sites.objectiv.extensions)
    document = {
        "version": dict(taxonomy.versions),
        "events": _notation(taxonomy.events),
        "contexts": _notation(taxonomy.contexts),
    }
    return Answer(200, msgspec.json.encode(document), _JSON)


def _notation(types: Mapping[str, TypeRules]) -> dict[str, Any]:
    return {name: rules.model_dump(by_alias=True, exclude_defaults=True) for name, rules in types.items()}


def _json_schema(sites: Sites) -> Answer:
    taxonomy = extended(sites.objectiv.extensions)
    globals_ = [name for name in taxonomy.contexts if _is_a(taxonomy, name, "AbstractGlobalContext")]
    locations = [name for name in taxonomy.contexts if _is_a(taxonomy, name, "AbstractLocationContext")]
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "array",
        "items": {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in taxonomy.events]},
        "$defs": {
            "location_contexts": _any_of(locations),
            "global_contexts": _any_of(globals_),
            **{name: _object(taxonomy, "contexts", name) for name in taxonomy.contexts},
            **{name: _object(taxonomy, "events", name) for name in taxonomy.events},
        },
    }
    return Answer(200, msgspec.json.encode(document), _JSON)


def _is_a(taxonomy: Taxonomy, name: str, ancestor: str) -> bool:
    return ancestor in taxonomy.lineage("contexts", name)


def _any_of(names: list[str]) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in names]}


def _object(taxonomy: Taxonomy, kind: Literal["events", "contexts"], name: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"_type": {"const": name}}
    required = ["_type"]
    for key, schema in taxonomy.properties(kind, name).items():
        properties[key] = _property(schema)
        if not schema.get("optional"):
            required.append(key)
    if kind == "events":
        properties["location_stack"] = {"type": "array", "items": {"$ref": "#/$defs/location_contexts"}}
        properties["global_contexts"] = {"type": "array", "items": {"$ref": "#/$defs/global_contexts"}}
    return {"type": "object", "properties": properties, "required": required}


def _property(schema: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in schema.items() if key != "optional"}
    if not schema.get("optional"):
        return plain
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**plain, "type": [*types, "null"]}
