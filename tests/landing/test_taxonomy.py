"""Extensions of Objectiv's taxonomy: what they may add, and how the sites file tells what they may not."""

import json
from pathlib import Path

import pytest

from landing.sites import check_sites, load_sites
from landing.taxonomy import base_taxonomy, extended

SITES = "version: 1\nsites: {shop: {name: Shop}}\nobjectiv: {extensions: [%s]}\n"
RATING = {
    "name": "rating",
    "version": {"rating": "1.0.0"},
    "events": {"RatedEvent": {"parents": ["NonInteractiveEvent"], "requiresContext": ["ScoreContext"]}},
    "contexts": {
        "ScoreContext": {
            "parents": ["AbstractGlobalContext"],
            "properties": {"score": {"type": "integer", "minimum": 1}},
        }
    },
}


def problems(extension: object) -> list[str]:
    return [f"{each.path}: {each.message}" for each in check_sites(SITES % json.dumps(extension)).problems]


def with_types(kind: str, **types: object) -> dict[str, object]:
    return {"name": "more", kind: types}


def test_an_extension_adds_types_parents_requirements_properties_and_keywords() -> None:
    more = {
        "name": "more",
        "events": {
            "PressEvent": {"requiresContext": ["ScoreContext"]},
            "RatedEvent": {"parents": ["InteractiveEvent"]},
        },
        "contexts": {"LinkContext": {"properties": {"href": {"minLength": 1}, "target": {"type": "string"}}}},
    }
    more["contexts"]["LinkContext"]["properties"]["href"]["type"] = "string"  # type: ignore[index]
    sites = load_sites(SITES % f"{json.dumps(RATING)}, {json.dumps(more)}")
    taxonomy = extended(sites.objectiv.extensions)
    assert taxonomy.versions == {"base_schema": "0.0.4", "rating": "1.0.0", "more": ""}
    assert taxonomy.lineage("events", "RatedEvent") == (
        "AbstractEvent",
        "NonInteractiveEvent",
        "InteractiveEvent",
        "RatedEvent",
    )
    assert taxonomy.events["PressEvent"].requires == ("PressableContext", "ScoreContext")
    assert taxonomy.properties("contexts", "LinkContext") == {
        "id": {"type": "string"},
        "href": {"type": "string", "minLength": 1},
        "target": {"type": "string"},
    }


def test_the_base_is_not_changed_by_an_extension() -> None:
    before = base_taxonomy().contexts["LinkContext"]
    extended(load_sites(SITES % json.dumps(RATING)).objectiv.extensions)
    assert base_taxonomy().contexts["LinkContext"] == before
    assert "RatedEvent" not in base_taxonomy().events


def test_an_extension_may_stand_in_a_file_beside_the_sites_file(tmp_path: Path) -> None:
    (tmp_path / "rating.json").write_text(json.dumps(RATING))
    (tmp_path / "sites.yml").write_text(SITES % "rating.json")
    assert "RatedEvent" in extended(load_sites(tmp_path / "sites.yml").objectiv.extensions).events


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        ("{", "not JSON"),
        ('{"name": "x", "events": {"RatedEvent": {"parent": []}}}', "in the file, events.RatedEvent.parent"),
    ],
)
def test_a_file_that_is_no_extension_is_told_with_its_place(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "rating.json").write_text(content)
    (tmp_path / "sites.yml").write_text(SITES % "rating.json")
    (problem,) = check_sites(tmp_path / "sites.yml").problems
    assert (problem.line, problem.path) == (3, "objectiv.extensions[0]")
    assert message in problem.message


def test_a_file_is_only_named_by_a_file() -> None:
    assert problems("rating.json") == [
        "objectiv.extensions[0]: a file can only be named in a sites file (is 'rating.json')"
    ]


@pytest.mark.parametrize(
    ("extension", "path", "message"),
    [
        (with_types("events", rated={}), "events.rated", "not a name"),
        (with_types("contexts", Score={}), "contexts.Score", "not a name"),
        (with_types("events", RatedEvent={"parents": ["NoEvent"]}), "events.RatedEvent.parents", "no event 'NoEvent'"),
        (
            with_types("events", RatedEvent={"requiresContext": ["NoContext"]}),
            "events.RatedEvent.requiresContext",
            "no context 'NoContext'",
        ),
        (
            with_types("events", AbstractEvent={"parents": ["PressEvent"]}),
            "events.AbstractEvent.parents",
            "its own ancestor",
        ),
        (
            with_types("contexts", LinkContext={"properties": {"href": {"type": "integer"}}}),
            "contexts.LinkContext.properties.href",
            "type is 'string' already",
        ),
        (
            with_types("contexts", LinkContext={"properties": {"href": {"type": "string", "optional": True}}}),
            "contexts.LinkContext.properties.href",
            "cannot become optional",
        ),
        (
            with_types("events", FailureEvent={"properties": {"message": {"type": "string", "minLength": 1}}}),
            "events.FailureEvent.properties.message",
            "has this property already",
        ),
        (
            with_types("contexts", AContext={"properties": {"a": {"type": "text"}}}),
            "contexts.AContext.properties.a",
            "type is needed",
        ),
        (
            with_types("contexts", AContext={"properties": {"a": {"type": "string", "pattern": "("}}}),
            "contexts.AContext.properties.a",
            "no regular expression",
        ),
        (
            with_types("contexts", AContext={"properties": {"a": {"type": "string", "minLength": True}}}),
            "contexts.AContext.properties.a",
            "minLength does not hold",
        ),
        (
            with_types("contexts", AContext={"properties": {"a": {"type": "object", "anyOf": []}}}),
            "contexts.AContext.properties.a",
            "unknown keyword 'anyOf'",
        ),
    ],
)
def test_what_an_extension_may_not_do_is_told_with_its_place(
    extension: dict[str, object], path: str, message: str
) -> None:
    (problem,) = problems(extension)
    assert problem.startswith(f"objectiv.extensions[0].{path}: ")
    assert message in problem
