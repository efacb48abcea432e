"""Every family against the vectors written from its specification, and its page of documentation against them."""

import re
from pathlib import Path

import pytest

from tests.protocols.vectors import Vector, check, read_vectors, run

FOLDER = Path(__file__).parent
DOCS = FOLDER.parent.parent / "docs" / "protocols"
FAMILIES = sorted(path.name for path in FOLDER.iterdir() if (path / "sites.yml").exists())


@pytest.mark.parametrize(
    "vector",
    [pytest.param(each, id=f"{family}-{each}") for family in FAMILIES for each in read_vectors(FOLDER / family)],
)
def test_a_request_becomes_what_its_vector_says(vector: Vector) -> None:
    check(vector, *run(vector))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_of_a_family_names_every_vector_and_no_other(family: str) -> None:
    names = [each.name for each in read_vectors(FOLDER / family)]
    assert len(names) == len(set(names)), "two vectors have one name"
    page = (DOCS / f"{family}.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`vector:([^`]+)`", page)) == set(names)
