"""The contract as DDL of Postgres."""

import hashlib
from textwrap import indent

from landing.contract import CONTRACT_VERSION, Column, Dataset, Kind

_TYPES = {
    Kind.TEXT: "text",
    Kind.BOOLEAN: "boolean",
    Kind.INT16: "smallint",
    Kind.INT32: "integer",
    Kind.INT64: "bigint",
    Kind.FLOAT64: "double precision",
    Kind.DECIMAL: "numeric(18, 6)",
    Kind.TIMESTAMP: "timestamptz",
    Kind.JSON: "jsonb",
    Kind.TEXT_LIST: "text[]",
}

_FIXED_WIDTH = {Kind.BOOLEAN, Kind.INT16, Kind.INT32, Kind.INT64, Kind.FLOAT64, Kind.TIMESTAMP}

_HEADER = """\
-- Generated from landing/contract.py by `tidemill contract write`; edit the contract instead.
--
-- Each block does nothing while the table's comment names its own definition, so that a start takes no lock that
-- a running load or transform would wait for. A definition that differs adds columns; it never changes or drops one.

create schema if not exists raw;
"""

_BLOCK = """
do $$
begin
    if obj_description(to_regclass('raw.{name}'), 'pg_class') = {comment} then
        return;
    end if;

    -- grain: {grain}
    create table if not exists raw.{name} (
{definitions}
    ) partition by range (received_at);

    alter table raw.{name}
{additions};

    create index if not exists {name}_batch on raw.{name} using brin (batch_id);

{comments}
    comment on table raw.{name} is {comment};
end
$$;
"""


def postgres_type(dataset: Dataset, column: Column) -> str:
    """Type of the column in `raw.<dataset>`, with its collation.

    The key is a UUID, which saves 20 bytes a row; batch ids sort by byte, in load order, whatever the locale.
    """
    if column.name == dataset.key:
        return "uuid"
    if column.name == "batch_id":
        return 'text collate "C"'
    return _TYPES[column.kind]


def raw_ddl(datasets: tuple[Dataset, ...]) -> str:
    """Statements that make the tables of schema raw, or add the columns they lack. They may be run any time."""
    return _HEADER + "".join(_block(dataset) for dataset in datasets)


def _block(dataset: Dataset) -> str:
    definitions = ",\n".join(_definition(dataset, column) for column in stored_columns(dataset))
    # A required column has been there from the first version: a table with rows could not take it later.
    additions = ",\n".join(
        f"add column if not exists {_definition(dataset, column)}" for column in dataset.columns if not column.required
    )
    comments = "\n".join(
        f"    comment on column raw.{dataset.name}.{column.name} is {_quoted(column_meaning(column))};"
        for column in dataset.columns
    )
    fingerprint = hashlib.sha256(f"{definitions}{comments}".encode()).hexdigest()[:12]
    return _BLOCK.format(
        name=dataset.name,
        grain=dataset.grain,
        comment=_quoted(f"{dataset.grain} (contract {CONTRACT_VERSION}, definition {fingerprint})"),
        definitions=indent(definitions, " " * 8),
        additions=indent(additions, " " * 8),
        comments=comments,
    )


def stored_columns(dataset: Dataset) -> list[Column]:
    """The columns in the order in which a new table stores them.

    Postgres reaches a column of a row by passing over all before it, at a known distance as long as none is null or
    of varying width. So required columns come first, of these the ones of fixed width; every query asks for some.
    """
    return sorted(
        dataset.columns,
        key=lambda column: (not column.required, column.kind not in _FIXED_WIDTH and column.name != dataset.key),
    )


def _definition(dataset: Dataset, column: Column) -> str:
    return f"{column.name} {postgres_type(dataset, column)}" + (" not null" if column.required else "")


def column_meaning(column: Column) -> str:
    """What a column means, and its closed list where it has one."""
    return f"{column.meaning} One of {', '.join(column.values)}." if column.values else column.meaning


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
