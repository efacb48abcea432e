"""`tidemill sites import-attolytics` and `tidemill tables check`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from landing.sites import load_sites
from landing.store import MemoryStore
from orchestration.database import connect
from orchestration.load import load_inbox
from tests.orchestration.traffic import NOON
from tidemill.main import app

SCHEMA = """\
tables:
  clicks: {columns: [{name: at, type: timestamp, required: true}, {name: userId, indexed: true}]}
apps:
  game: {secret_key: s3cret, tables: [clicks]}
"""


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.conf.yaml"
    path.write_text(SCHEMA)
    return path


@pytest.fixture
def sites(tmp_path: Path, schema: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The imported file, as the one that commands read."""
    path = tmp_path / "sites.yml"
    assert CliRunner().invoke(app, ["sites", "import-attolytics", str(schema), "--out", str(path)]).exit_code == 0
    monkeypatch.setenv("TIDEMILL_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMILL_SITES", str(path))
    monkeypatch.setenv("TIDEMILL_DATABASE_URL", database_url)
    return path


def test_an_imported_file_is_printed(schema: Path) -> None:
    result = CliRunner().invoke(app, ["sites", "import-attolytics", str(schema)])

    assert result.exit_code == 0
    assert list(load_sites(result.stdout).tables) == ["clicks"]


def test_a_file_that_is_there_is_not_replaced(sites: Path, schema: Path) -> None:
    before = sites.read_text()
    result = CliRunner().invoke(app, ["sites", "import-attolytics", str(schema), "--out", str(sites)])

    assert result.exit_code == 1
    assert "exists" in result.output
    assert sites.read_text() == before


def test_a_refusal_names_the_file(schema: Path) -> None:
    schema.write_text("tables: {}")
    result = CliRunner().invoke(app, ["sites", "import-attolytics", str(schema)])

    assert result.exit_code == 1
    assert "schema.conf.yaml: apps" in result.output


def test_the_plan_is_printed_and_a_refusal_fails(sites: Path, database_url: str) -> None:
    def check() -> tuple[int, list[tuple[str, str]]]:
        result = CliRunner().invoke(app, ["tables", "check", "--json"])
        return result.exit_code, [(each["fate"], each["what"]) for each in json.loads(result.stdout)["plan"]]

    assert check() == (0, [("change", "create it with at, userId"), ("change", "index column userId")])
    load_inbox(store=MemoryStore(), database_url=database_url, clock=lambda: NOON, sites_file=sites)
    assert check() == (0, [])

    sites.write_text(sites.read_text().replace("type: timestamp", "type: bool"))
    assert check() == (1, [("refused", "column at is timestamp with time zone, declared as bool, which is boolean")])
    with connect(database_url) as connection:
        assert connection.execute("select count(*) from ops.app_table_versions").fetchone() == (1,)
