"""Each command answers clearly: the result on stdout, one line on stderr when it cannot do what was asked."""

import base64
import hashlib
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from landing.credentials import Secret, SecretVerifier
from tidemill.checkout import EXAMPLE_SITES
from tidemill.main import app


def run(*arguments: str, **options: str) -> Result:
    return CliRunner().invoke(app, arguments, **options)  # type: ignore[arg-type]


def error_of(result: Result) -> str:
    """The one line on stderr of a command that failed without a traceback."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    monkeypatch.setenv("TIDEMILL_HOME", str(home))
    monkeypatch.setenv("TIDEMILL_SITES", str(EXAMPLE_SITES))
    return home


def test_the_version_is_that_of_the_package() -> None:
    assert run("version").stdout == f"{importlib.metadata.version('tidemill')}\n"
    assert json.loads(run("version", "--json").stdout) == {"version": importlib.metadata.version("tidemill")}


SNIPPET_SITES = """
version: 1
sites:
  plain: {name: Plain}
  client: {name: Client, privacy: {visitor: client}}
  cookie: {name: Cookie, privacy: {visitor: cookie, gpc: ignore}}
  signals: {name: Signals, privacy: {gpc: drop, dnt: cookieless}}
"""


@pytest.fixture
def built(example: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Integrities of a build of the tracker, by file, for sites that want different things."""
    folder = example / "dist"
    folder.mkdir()
    names = ("t.js", "t-more.js")
    for name in names:
        for suffix in ("", ".gz", ".br"):
            (folder / f"{name}{suffix}").write_bytes(name.encode())
    (folder / "manifest.json").write_text(json.dumps({"release": "abc", "files": {name: {} for name in names}}))
    (example / "sites.yml").write_text(SNIPPET_SITES)
    monkeypatch.setenv("TIDEMILL_SITES", str(example / "sites.yml"))
    monkeypatch.setenv("TIDEMILL_TRACKER_FOLDER", str(folder))
    return {name: f"sha384-{base64.b64encode(hashlib.sha384(name.encode()).digest()).decode()}" for name in names}


@pytest.mark.parametrize(
    ("site", "file", "settings", "options"),
    [
        ("plain", "t.js", "", ()),
        ("client", "t-more.js", ' data-id="user"', ()),
        ("cookie", "t-more.js", ' data-id="user" data-gpc="ignore"', ()),
        ("signals", "t-more.js", ' data-gpc="drop" data-dnt="cookieless"', ()),
        ("plain", "t-more.js", ' data-consent="required"', ("--consent",)),
        ("plain", "t-more.js", ' data-modules="forms,vitals"', ("--modules", "forms,vitals")),
    ],
)
def test_the_snippet_does_what_the_sites_file_says_from_a_release_with_its_integrity(
    built: dict[str, str], site: str, file: str, settings: str, options: tuple[str, ...]
) -> None:
    assert run("snippet", "--site", site, "--url", "https://c.example/", *options).stdout == (
        f'<script defer src="https://c.example/p/abc/{file}" data-site="{site}"{settings} integrity="{built[file]}"'
        ' crossorigin="anonymous"></script>\n'
    )


@pytest.mark.usefixtures("built")
def test_the_snippet_follows_the_path_at_which_the_tracker_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMILL_TRACKER_PATH", "/x/y.js")

    assert json.loads(run("snippet", "--site", "plain", "--json").stdout)["src"] == "/x/abc/y.js"
    assert json.loads(run("snippet", "--site", "client", "--json").stdout)["src"] == "/x/abc/t-more.js"


def test_the_snippet_of_an_unknown_site_or_without_a_build_is_an_error(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMILL_TRACKER_FOLDER", str(example / "none"))

    assert "site nobody is not in" in error_of(run("snippet", "--site", "nobody"))
    assert "`make tracker` builds it" in error_of(run("snippet", "--site", "shop"))


def test_help_and_version_import_none_of_the_parts() -> None:
    heavy = {"dagster", "dbt", "pyarrow", "flask", "psycopg", "pydantic", "rich", "granian"}
    code = "import sys, tidemill.main; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert heavy.isdisjoint(loaded)


@pytest.mark.parametrize(
    ("variable", "value", "command"),
    [
        ("TIDEMILL_COLLECTOR_PORT", "99999", ["collector"]),
        ("TIDEMILL_COLLECTOR_PORT", "many", ["up"]),
        ("TIDEMILL_LANDING_URL", "ftp://example", ["status"]),
        ("TIDEMILL_DATABASE_URL", "mysql://example/mill", ["load"]),
        ("TIDEMILL_S3_ENDPOINT_URL", "nowhere", ["load"]),
        ("TIDEMILL_SEGMENT_MAX_SECONDS", "-1", ["demo"]),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_line_that_names_the_variable(
    example: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, command: list[str]
) -> None:
    monkeypatch.setenv(variable, value)

    assert error_of(run(*command)).startswith(f"tidemill: {variable}: ")
    assert not (example / "postgres").exists()


def test_an_unreachable_database_is_named(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMILL_DATABASE_URL", f"postgresql://nobody@/mill?host={example}")

    assert error_of(run("load")).startswith("tidemill: TIDEMILL_DATABASE_URL: ")


def test_up_without_a_sites_file_names_the_variable_the_file_and_the_example(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMILL_SITES", str(example / "sites.yml"))

    line = error_of(run("up"))

    assert line.startswith(f"tidemill: TIDEMILL_SITES: there is no sites file {example / 'sites.yml'}; ")
    assert str(EXAMPLE_SITES) in line


def test_the_collector_without_a_sites_file_says_so_in_one_line(example: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tidemill", "collector"],
        env=os.environ | {"TIDEMILL_SITES": str(example / "sites.yml")},
        capture_output=True,
        text=True,
        check=False,
    )

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("tidemill: ")
    assert str(example / "sites.yml") in line


def test_a_taken_port_stops_up(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("TIDEMILL_COLLECTOR_PORT", str(taken.getsockname()[1]))

        line = error_of(run("up", "--no-ui"))

    assert line.startswith("tidemill: TIDEMILL_COLLECTOR_PORT: ")
    assert "is taken" in line
    assert not (example / "postgres").exists()


def test_the_example_sites_file_is_valid_but_for_its_plain_secret(example: Path) -> None:
    assert example.exists()
    result = run("sites", "check", "--json")

    found = json.loads(result.stdout)
    assert (result.exit_code, found["valid"]) == (0, True)
    assert [(each["severity"], each["path"]) for each in found["findings"]] == [
        ("warning", "sites.app.secrets[0].plain")
    ]


def test_a_wrong_sites_file_is_told_with_line_and_path(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = example / "wrong.yml"
    wrong.write_text("version: 1\nsites:\n  shop:\n    name: Shop\n    timezone: Mars/Olympus\n")
    monkeypatch.setenv("TIDEMILL_SITES", str(wrong))

    result = run("sites", "check", "--json")

    (finding,) = json.loads(result.stdout)["findings"]
    assert result.exit_code == 1
    assert (finding["line"], finding["path"]) == (5, "sites.shop.timezone")
    assert "Mars/Olympus" in run("sites", "check").stdout


def test_a_hashed_secret_is_accepted_and_never_echoed() -> None:
    result = run("sites", "hash-secret", input="open sesame\n")

    made = result.stdout.splitlines()[-1]
    assert made.startswith("scrypt$")
    assert "open sesame" not in result.output
    assert SecretVerifier().verify("open sesame", (Secret(name="made", hash=made),))


def test_the_derived_files_are_fresh() -> None:
    assert run("contract", "check").exit_code == 0


def test_the_database_url_of_an_embedded_server_points_into_the_home(example: Path) -> None:
    result = run("database-url")

    assert result.stdout == f"postgresql://postgres@/tidemill?host={example}/postgres\n"
    assert "not running" in result.stderr


def test_the_database_url_of_a_server_is_the_variable(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert example.exists()
    monkeypatch.setenv("TIDEMILL_DATABASE_URL", "postgresql://db.example/mill")

    result = run("database-url")

    assert (result.stdout, result.stderr) == ("postgresql://db.example/mill\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("daily", "--date", "yesterday"),
        ("load", "--now", "noon"),
        ("backfill", "--from", "2026-03-02", "--to", "2026-03-01"),
        ("backfill", "--from", "2026-03-02"),
        ("replay", "/nonexistent"),
        ("import-log", "/nonexistent", "--site", "shop"),
        ("nonsense",),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_usage(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert "Traceback" not in result.output


def test_a_day_that_is_not_over_is_refused_before_any_work(example: Path) -> None:
    line = error_of(run("daily", "--date", "2031-03-13", "--now", "2031-03-13T12:00:00Z"))

    assert line.startswith("tidemill: 2031-03-13 is not over yet")
    assert not (example / "postgres").exists()


def test_a_log_of_an_unknown_site_is_refused(example: Path) -> None:
    log = example / "access.log"
    log.write_text("")

    # A process of its own: the command sets up logging for the whole process.
    done = subprocess.run(
        [sys.executable, "-m", "tidemill", "import-log", str(log), "--site", "nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"tidemill: site nowhere is not in {EXAMPLE_SITES}\n"
