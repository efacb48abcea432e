"""What is in schema `apps`."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from orchestration.database import Connection

_RELATIONS: Final = "select relname, relkind in ('r', 'p') from pg_class where relnamespace = to_regnamespace('apps')"

_COLUMNS: Final = """
    select relname, attname, format_type(atttypid, null), attnotnull, atthasdef or attidentity <> '',
        exists (
            select from pg_index
            where indrelid = attrelid and indkey[0] = attnum and indpred is null and indisvalid
        )
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    where relnamespace = to_regnamespace('apps') and relkind in ('r', 'p') and attnum > 0 and not attisdropped
    order by relname, attnum
"""


@dataclass(frozen=True, slots=True)
class ExistingColumn:
    """A column as Postgres has it.

    Attributes:
        type: As Postgres spells it, without a length.
        is_required: It takes no null.
        has_default: A row that does not name it gets a value.
        is_indexed: An index of all rows begins with it.
    """

    type: str
    is_required: bool
    has_default: bool
    is_indexed: bool


@dataclass(frozen=True, slots=True)
class ExistingTable:
    """A relation of schema `apps`.

    Attributes:
        name: Its name.
        is_table: It takes rows; a view or a sequence does not.
        columns: By name, in order.
    """

    name: str
    is_table: bool
    columns: dict[str, ExistingColumn] = field(default_factory=dict)


def read_tables(connection: Connection) -> dict[str, ExistingTable]:
    """Every relation of schema `apps`, by name."""
    found = {name: ExistingTable(name, is_table) for name, is_table in connection.execute(_RELATIONS)}
    for name, column, type_, is_required, has_default, is_indexed in connection.execute(_COLUMNS):
        found[name].columns[column] = ExistingColumn(type_, is_required, has_default, is_indexed)
    return found


def read_declared_columns(connection: Connection) -> dict[str, Collection[str]]:
    """The columns of each table that any applied version declared."""
    rows = connection.execute(
        "select table_name, array_agg(distinct declared ->> 'name') from ops.app_table_versions,"
        " jsonb_array_elements(columns) as declared group by table_name"
    )
    return {name: set(columns) for name, columns in rows}
