"""The original's schema file becomes a sites file, or is refused with its name, line and reason."""

from pathlib import Path

import pytest

from landing.attolytics_schema import sites_file_of
from landing.errors import SitesFileInvalid
from landing.sites import check_sites

ORIGINAL = """\
# the shipped example, with a key that has no effect
database_url: "postgres://user:pass@localhost/db"
tables:
  events:
    columns:
      - name: time
        type: timestamp
        indexed: true
        required: true
        comment: ignored
      - name: userId
      - name: user agent
        header: User-Agent
      - {name: _x, type: f32}
  nothing: {columns: []}
apps:
  "my app":
    secret_key: s3cret
    access_control_allow_origin: https://Shop.example
    tables: [events, nothing]
  other:
    secret_key: s3cret
    access_control_allow_origin: everywhere
    tables: []
"""


def read(folder: Path, text: str) -> tuple[str, tuple[str, ...]]:
    path = folder / "schema.conf.yaml"
    path.write_text(text)
    return sites_file_of(path)


def test_the_original_file_is_accepted_as_it_is(tmp_path: Path) -> None:
    text, remarks = read(tmp_path, ORIGINAL)
    check = check_sites(text)

    assert check.problems == check.warnings == ()
    assert check.sites is not None
    events = check.sites.tables["events"].columns
    assert [(each.name, each.type, each.header, each.indexed, each.required) for each in events] == [
        ("time", "timestamp", None, True, True),
        ("userId", "string", None, False, False),
        ("user agent", "string", "User-Agent", False, False),
        ("_x", "f32", None, False, False),
    ]
    assert check.sites.tables["nothing"].columns == ()
    app = check.sites.apps["my app"]
    assert app.tables == ("events", "nothing")
    assert app.access_control_allow_origin == ("https://shop.example",)
    assert check.sites.apps["other"].access_control_allow_origin == ()
    assert remarks == ("apps.other: 'everywhere' is no origin; as in the original no page may post",)


def test_no_key_is_in_the_new_file(tmp_path: Path) -> None:
    assert "s3cret" not in read(tmp_path, ORIGINAL)[0]


@pytest.mark.parametrize(
    ("text", "line", "path", "message"),
    [
        ("tables: {}", 1, "apps", "required"),
        ("apps: [", 1, "", "not YAML"),
        (ORIGINAL.replace("type: f32", "type: f16"), 14, "tables.events.columns[3].type", "Input should be"),
        (ORIGINAL.replace("indexed: true", "indexed: 1"), 8, "tables.events.columns[0].indexed", "valid boolean"),
        (ORIGINAL.replace("secret_key: s3cret", "secret_key: 7"), 18, 'apps["my app"].secret_key', "valid string"),
        (ORIGINAL.replace("tables: []", "tables: [lost]"), 24, "apps.other.tables[0]", "there is no table 'lost'"),
        (
            ORIGINAL.replace("name: _x, type: f32", "name: _x, type: f32, header: X"),
            14,
            "tables.events.columns[3]",
            "has the type string",
        ),
        (ORIGINAL.replace("name: userId", "name: _row_id"), 11, "tables.events.columns[1].name", "taken"),
    ],
)
def test_what_the_original_refuses_is_refused_with_the_files_name(
    tmp_path: Path, text: str, line: int, path: str, message: str
) -> None:
    with pytest.raises(SitesFileInvalid) as caught:
        read(tmp_path, text)
    problem = caught.value.problems[0]
    assert (problem.line, problem.path) == (line, f"{tmp_path / 'schema.conf.yaml'}: {path}".rstrip(": "))
    assert message in problem.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SitesFileInvalid, match=r"gone\.yaml: cannot be read"):
        sites_file_of(tmp_path / "gone.yaml")
