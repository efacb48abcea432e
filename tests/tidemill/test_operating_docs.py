"""The page for operators and the code name the same variables, commands and defaults."""

import re
from pathlib import Path

import pytest
import typer.main
from pydantic.fields import FieldInfo

from collector.settings import CollectorSettings
from landing.settings import ENV_PREFIX
from orchestration.schedules import BURST_OBJECTS
from orchestration.settings import OrchestrationSettings
from tidemill.embedded import SOCKET_PATH_LENGTH_MAX
from tidemill.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
FIELDS: dict[str, FieldInfo] = {**CollectorSettings.model_fields, **OrchestrationSettings.model_fields}
VARIABLES = {f"{ENV_PREFIX}{name.upper()}": field for name, field in FIELDS.items()}


def commands() -> dict[str, set[str]]:
    """Every command by its full name, with its options."""
    group = typer.main.get_command(app)
    found: dict[str, set[str]] = {}

    def collect(prefix: str, command: object) -> None:
        for name, each in getattr(command, "commands", {}).items():
            if hasattr(each, "commands"):
                collect(f"{prefix}{name} ", each)
            else:
                found[prefix + name] = {
                    option
                    for parameter in each.params
                    if not getattr(parameter, "hidden", False)
                    for option in parameter.opts
                    if option.startswith("--")
                }

    collect("", group)
    return found


def test_every_variable_of_the_code_is_in_the_table_and_the_reverse() -> None:
    assert set(re.findall(r"^\| `(TIDEMILL_\w+)`", PAGE, re.MULTILINE)) == set(VARIABLES)


def test_no_variable_is_mentioned_that_does_not_exist() -> None:
    for page in (PAGE, (ROOT / "README.md").read_text()):
        assert set(re.findall(r"TIDEMILL_\w+", page)) <= set(VARIABLES)


@pytest.mark.parametrize("variable", sorted(VARIABLES))
def test_a_documented_default_is_the_codes(variable: str) -> None:
    row = re.search(rf"^\| `{variable}` \| (.+?) \|", PAGE, re.MULTILINE)
    assert row is not None
    default = VARIABLES[variable].default

    if isinstance(default, int | float | Path) or (isinstance(default, str) and default):
        shown = (
            f"./{default}" if isinstance(default, Path) else f"{default:g}" if isinstance(default, float) else default
        )
        assert row[1] == f"`{shown}`"


def test_every_command_is_in_the_table_and_the_reverse() -> None:
    assert set(re.findall(r"^\| `tidemill ([a-z -]+)`", PAGE, re.MULTILINE)) == set(commands())


def test_commands_and_options_that_the_pages_use_exist() -> None:
    known = commands()
    options = set().union(*known.values())
    for page in (PAGE, (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()):
        for used in re.findall(r"(?<!\.)tidemill ((?:sites |contract )?[a-z-]+)", page):
            assert used.strip() in known or used.split()[0] in {"sites", "contract", "rejects", "tables"}, used
    assert set(re.findall(r"`(?:[^`]* )?(--[a-z][a-z-]*)", PAGE)) <= options | {"--help"}


def test_numbers_on_the_page_are_the_codes() -> None:
    home_length_max = SOCKET_PATH_LENGTH_MAX - len("/postgres/.s.PGSQL.5432")

    assert f"may have {home_length_max} characters" in PAGE
    assert f"when {BURST_OBJECTS} objects wait" in PAGE


def test_every_page_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text())

    assert links
    for link in links:
        assert link.startswith("http") or (ROOT / link).exists(), link
