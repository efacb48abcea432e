"""The original's schema file, made into a sites file: the same tables and apps, keys as hashes."""

import hashlib
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from landing import positions
from landing.errors import Problem, SitesFileInvalid
from landing.names import allowed_origin
from landing.sites import check_sites

_HEADER = "# Made of {name} by `tidemill sites import-attolytics`; instead of each key it holds its SHA-256.\n"
_SIZE_MAX_BYTES = 4 * 2**20
_DEFAULTS = {"type": "string", "header": None, "indexed": False, "required": False}


class _Part(BaseModel):
    """As the original reads it: unknown keys are ignored, no value is converted."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Column(_Part):
    name: str
    type: Literal["bool", "i32", "i64", "f32", "f64", "string", "timestamp"] = "string"
    header: str | None = None
    indexed: bool = False
    required: bool = False


class _Table(_Part):
    columns: list[_Column]


class _App(_Part):
    secret_key: str
    access_control_allow_origin: str = "*"
    tables: list[str]


class _Schema(_Part):
    tables: dict[str, _Table]
    apps: dict[str, _App]


def sites_file_of(source: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a sites file that declares the same tables and apps, and what people should know of it.

    Raises:
        SitesFileInvalid: the file cannot be read or breaks the original's rules; messages begin with its name.
    """
    document, lines = _read(source)
    try:
        schema = _Schema.model_validate(document)
    except ValidationError as error:
        problems = [
            _problem(source, lines, details["loc"], details["msg"]) for details in error.errors(include_url=False)
        ]
        raise SitesFileInvalid(problems) from None
    remarks: list[str] = []
    made = {
        "version": 1,
        "tables": {
            name: {"columns": [_column(each) for each in table.columns]} for name, table in schema.tables.items()
        },
        "apps": {app_id: _app(app_id, app, remarks) for app_id, app in schema.apps.items()},
    }
    text = _HEADER.format(name=source.name) + yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=118)
    # Names are the same in both files, so a path in one leads to the same place in the other.
    broken = check_sites(text).problems
    if broken:
        raise SitesFileInvalid(
            [Problem(_line(lines, each.path), f"{source}: {each.path}", each.message) for each in broken]
        )
    return text, tuple(remarks)


def _read(source: Path) -> tuple[Any, dict[positions.Path, int]]:
    try:
        with source.open(encoding="utf-8") as file:
            text = file.read(_SIZE_MAX_BYTES + 1)
    except OSError as error:
        raise SitesFileInvalid([Problem(1, str(source), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise SitesFileInvalid([Problem(1, str(source), f"is not UTF-8: {error.reason}")]) from error
    if len(text) > _SIZE_MAX_BYTES:
        raise SitesFileInvalid([Problem(1, str(source), f"is larger than {_SIZE_MAX_BYTES} bytes")])
    try:
        return positions.read_yaml(text)
    except SitesFileInvalid as error:
        raise SitesFileInvalid(
            [Problem(each.line, f"{source}: {each.path}".rstrip(": "), each.message) for each in error.problems]
        ) from None


def _column(column: _Column) -> dict[str, Any]:
    return {name: value for name, value in column.model_dump().items() if _DEFAULTS.get(name, ...) != value}


def _app(app_id: str, app: _App, remarks: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"secret_key_sha256": hashlib.sha256(app.secret_key.encode()).hexdigest()}
    if not app.secret_key:
        remarks.append(f"apps.{app_id}: its key is empty; anybody may post")
    if app.access_control_allow_origin != "*":
        try:
            made["access_control_allow_origin"] = allowed_origin(app.access_control_allow_origin)
        except ValueError:
            # The original starts, and lets nobody in.
            made["access_control_allow_origin"] = []
            origin = app.access_control_allow_origin
            remarks.append(f"apps.{app_id}: {origin!r} is no origin; as in the original no page may post")
    return made | {"tables": app.tables}


def _problem(source: Path, lines: dict[positions.Path, int], path: positions.Path, message: str) -> Problem:
    line_path = path
    while line_path not in lines and line_path:
        line_path = line_path[:-1]
    return Problem(lines.get(line_path, 1), f"{source}: {positions.spell(path)}", message)


def _line(lines: dict[positions.Path, int], spelled: str) -> int:
    """The line of a path as a message spells it, or of the nearest thing above it."""
    spellings = {positions.spell(path): line for path, line in lines.items()}
    while spelled and spelled not in spellings:
        spelled = spelled[: max(spelled.rfind("."), spelled.rfind("["), 0)]
    return spellings.get(spelled, 1)
