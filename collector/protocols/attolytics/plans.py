"""Apps and declared tables of the sites file, prepared for speed."""

from dataclasses import dataclass

from collector.protocols.attolytics.origins import Origins
from collector.protocols.attolytics.values import FITS, UNITS_US, Fit, timestamp_of
from landing.credentials import Secret, digest_of
from landing.declared import App, DeclaredColumn, DeclaredTable
from landing.sites import Sites


@dataclass(frozen=True, slots=True)
class TablePlan:
    """A declared table.

    Attributes:
        name: Its name.
        columns: Name, how to make a value fit, and whether there must be one; of the columns that events fill.
        header_columns: Name, header in small letters, and whether there must be a value.
        names: Fields of an event that are looked at.
    """

    name: str
    columns: tuple[tuple[str, Fit, bool], ...]
    header_columns: tuple[tuple[str, str, bool], ...]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class AppPlan:
    """An app.

    Attributes:
        app_id: Its key in the sites file.
        tables: By name.
        digests: Of its keys.
        secrets: Its hashed keys.
        origins: Who may post from a browser.
        refuses_type_errors: A value of another type refuses its batch.
        is_strict: Statuses say what went wrong, not what the original answers.
        body_bytes_max: Longest body.
        events_max: Most events of a request.
        quota: Its name among those whose events a minute are counted, and how many; None for any number.
    """

    app_id: str
    tables: dict[str, TablePlan]
    digests: tuple[bytes, ...]
    secrets: tuple[Secret, ...]
    origins: Origins
    refuses_type_errors: bool
    is_strict: bool
    body_bytes_max: int
    events_max: int
    quota: tuple[str, int] | None


def plan_apps(sites: Sites) -> dict[str, AppPlan]:
    """Every app of the file, by id."""
    tables = {name: _plan_table(name, table) for name, table in sites.tables.items()}
    return {app_id: _plan_app(app_id, app, tables) for app_id, app in sites.apps.items()}


def _plan_app(app_id: str, app: App, tables: dict[str, TablePlan]) -> AppPlan:
    digests = [] if app.secret_key is None else [digest_of(app.secret_key)]
    digests += [] if app.secret_key_sha256 is None else [bytes.fromhex(app.secret_key_sha256)]
    return AppPlan(
        app_id=app_id,
        tables={name: tables[name] for name in app.tables},
        digests=tuple(digests),
        secrets=app.secrets,
        origins=Origins(app.access_control_allow_origin),
        refuses_type_errors=app.on_type_error == "reject",
        is_strict=app.strict_http,
        body_bytes_max=app.body_bytes_max,
        events_max=app.events_max,
        quota=None if app.events_per_minute is None else (f"app {app_id}", app.events_per_minute),
    )


def _plan_table(name: str, table: DeclaredTable) -> TablePlan:
    columns = tuple((each.name, _fit(each), each.required) for each in table.columns if each.header is None)
    return TablePlan(
        name=name,
        columns=columns,
        header_columns=tuple(
            (each.name, each.header.lower(), each.required) for each in table.columns if each.header is not None
        ),
        names=frozenset(column for column, _, _ in columns),
    )


def _fit(column: DeclaredColumn) -> Fit:
    return timestamp_of(UNITS_US[column.unit]) if column.type == "timestamp" else FITS[column.type]
