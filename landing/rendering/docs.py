"""The contract as a page of the documentation."""

from itertools import groupby

from landing.contract import CONTRACT_VERSION, Column, Dataset, Kind, Origin
from landing.rendering.json_schema import settable_columns
from landing.rendering.postgres import column_meaning, postgres_type
from landing.schema import arrow_field
from landing.wire import WIRE_FIELDS

_HEADER = """\
<!-- Generated from landing/contract.py by `tidemill contract write`; edit the contract instead. -->

# The event contract

Version {version}. These names are what protocols map to, what the objects of the landing zone and the tables of schema
`raw` hold, and what staging reads. A column never changes its meaning; additions are nullable columns. Times are UTC
with microseconds. Text is valid Unicode without NUL; longer text than the length given is cut and a warning kept.

Who fills a column: *collector*, before the event is acknowledged; *spool*, when a segment becomes an object; *load*,
by enrichment. **not null** columns have a value in every row.
"""

_WIRE = """
## The tracker's wire format

`POST /e` takes {"v", "site", "sent_at", "lib", "events": […]}. A field marked *either* may stand in an event, or once
beside `events` for all of them.

| field | type | where | becomes | meaning |
| --- | --- | --- | --- | --- |
"""

_API = """
## The server-side API

`POST /v1/events` takes `{"events": […]}` or one event; the fields of an event are these columns, and any other field
becomes one of `props`. `event_id` may be any text; `occurred_at` and `sent_at` are ISO 8601 text or milliseconds since
1970. The JSON Schema is `landing/generated/events.schema.json`.

"""


def contract_page(datasets: tuple[Dataset, ...]) -> str:
    """Every dataset, its columns by group; the wire format; the API's fields."""
    parts = [_HEADER.format(version=CONTRACT_VERSION)]
    parts.extend(_dataset(dataset) for dataset in datasets)
    parts.append(_WIRE)
    parts.extend(
        f"| `{field.name}` | {field.type} | {field.place.value} | {_code(field.column)} | {field.meaning} |\n"
        for field in WIRE_FIELDS
    )
    parts.append(_API)
    parts.append(", ".join(f"`{column.name}`" for column in settable_columns()) + ".\n")
    return "".join(parts)


def _dataset(dataset: Dataset) -> str:
    about = f"Grain: {dataset.grain}. Key: `{dataset.key}`."
    parts = [f"\n## {dataset.name}\n\n{about} Table `raw.{dataset.name}`, partitioned by day of `received_at`.\n"]
    for group, columns in groupby(dataset.columns, key=lambda column: column.group):
        parts.append(f"\n### {dataset.name}: {group}\n\n")
        parts.append("| column | Arrow | Postgres | filled by | meaning |\n| --- | --- | --- | --- | --- |\n")
        parts.extend(_row(dataset, column) for column in columns)
    return "".join(parts)


def _row(dataset: Dataset, column: Column) -> str:
    required = ", **not null**" if column.required else ""
    length = f" At most {column.length_max} characters." if _is_cut(dataset, column) else ""
    return (
        f"| `{column.name}` | {arrow_field(column).type} | {postgres_type(dataset, column)}{required} "
        f"| {column.origin.value} | {column_meaning(column)}{length} |\n"
    )


def _is_cut(dataset: Dataset, column: Column) -> bool:
    """Whether somebody else decides how long the text is."""
    return (
        column.kind is Kind.TEXT
        and column.origin is Origin.COLLECTOR
        and not column.values
        and column.name != dataset.key
        and column.group != "lineage"
    )


def _code(name: str) -> str:
    return f"`{name}`" if name else ""
