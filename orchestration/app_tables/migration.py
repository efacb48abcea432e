"""From a declared and an existing table to the steps between them. Pure: nothing is executed here.

Rows are never rewritten to hold less: only what keeps every value that is there is a step, anything else is refused.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from landing.declared import LINEAGE_COLUMNS, DeclaredColumn, DeclaredTable
from orchestration.app_tables.catalog import ExistingColumn, ExistingTable

SCHEMA: Final = "apps"

TYPES: Final = {
    "bool": "boolean",
    "i32": "integer",
    "i64": "bigint",
    "f32": "real",
    "f64": "double precision",
    "string": "character varying",
    "timestamp": "timestamp with time zone",
}
"""As Postgres spells the types of the sites file."""

_WIDER: Final = {("integer", "bigint"), ("real", "double precision")}

_LINEAGE_TYPES: Final = {
    "_row_id": "uuid unique",
    "_app": "text",
    "_received_at": "timestamp with time zone",
    "_request_id": "text",
    "_batch_id": 'text collate "C"',
    "_other_fields": "jsonb",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a table.

    Attributes:
        words: What is done, for people.
        statement: How.
    """

    words: str
    statement: sql.Composed


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What brings a table in line with its declaration.

    Attributes:
        table: Its name.
        steps: In order; empty when nothing differs.
        refusals: Differences that no step removes; with any of them no step is taken.
    """

    table: str
    steps: tuple[Step, ...]
    refusals: tuple[str, ...] = ()


def plan_table(
    name: str, declared: DeclaredTable, existing: ExistingTable | None, *, declared_before: Collection[str]
) -> TablePlan:
    """The plan for one table.

    Args:
        name: Its name.
        declared: What the sites file says.
        existing: What Postgres has; None: nothing of that name.
        declared_before: Columns of versions that were applied earlier.
    """
    table = sql.Identifier(SCHEMA, name)
    if existing is None:
        return TablePlan(name, tuple(_creation(table, declared)))
    if not existing.is_table:
        return TablePlan(name, (), ("something that is no table has this name",))
    steps: list[Step] = []
    refusals: list[str] = []
    for column in declared.columns:
        _compare(table, column, existing.columns.get(column.name), steps, refusals)
    missing = [lineage for lineage in LINEAGE_COLUMNS if lineage not in existing.columns]
    steps.extend(_addition(table, lineage, _LINEAGE_TYPES[lineage]) for lineage in missing)
    own = {column.name for column in declared.columns} | set(LINEAGE_COLUMNS)
    for other, found in existing.columns.items():
        if other not in own and found.is_required and not found.has_default:
            if other in declared_before:
                steps.append(_relaxation(table, other))
            else:
                refusals.append(f"column {other}: extra required column, declare it or give it a default")
    return TablePlan(name, () if refusals else tuple(steps), tuple(refusals))


def _creation(table: sql.Identifier, declared: DeclaredTable) -> Iterator[Step]:
    definitions = [
        _definition(column.name, TYPES[column.type], is_required=column.required) for column in declared.columns
    ]
    definitions += [
        _definition(name, type_, is_required=name != "_other_fields") for name, type_ in _LINEAGE_TYPES.items()
    ]
    yield Step(
        f"create it with {', '.join(column.name for column in declared.columns) or 'no columns of its own'}",
        sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(definitions)),
    )
    yield from (_index(table, column.name) for column in declared.columns if column.indexed)


def _compare(
    table: sql.Identifier,
    column: DeclaredColumn,
    found: ExistingColumn | None,
    steps: list[Step],
    refusals: list[str],
) -> None:
    wanted = TYPES[column.type]
    if found is None:
        steps.append(_addition(table, column.name, wanted))
    elif (found.type, wanted) in _WIDER:
        steps.append(_widening(table, column.name, found.type, wanted))
    elif found.type != wanted:
        refusals.append(f"column {column.name} is {found.type}, declared as {column.type}, which is {wanted}")
    if found is not None and found.is_required and not column.required:
        steps.append(_relaxation(table, column.name))
    if column.indexed and (found is None or not found.is_indexed):
        steps.append(_index(table, column.name))


def _addition(table: sql.Identifier, name: str, type_: str) -> Step:
    # Nullable whatever is declared: the rows that are there have no value.
    definition = _definition(name, type_, is_required=False)
    return Step(f"add column {name}, nullable", sql.SQL("alter table {} add column {}").format(table, definition))


def _widening(table: sql.Identifier, name: str, old: str, new: str) -> Step:
    return Step(
        f"widen column {name} from {old} to {new}",
        sql.SQL("alter table {} alter column {} type {}").format(table, sql.Identifier(name), _type(new)),
    )


def _relaxation(table: sql.Identifier, name: str) -> Step:
    return Step(
        f"let column {name} be null",
        sql.SQL("alter table {} alter column {} drop not null").format(table, sql.Identifier(name)),
    )


def _index(table: sql.Identifier, name: str) -> Step:
    return Step(f"index column {name}", sql.SQL("create index on {} ({})").format(table, sql.Identifier(name)))


def _definition(name: str, type_: str, *, is_required: bool) -> sql.Composed:
    constraint = sql.SQL(" not null" if is_required else "")
    return sql.SQL("{} {}{}").format(sql.Identifier(name), _type(type_), constraint)


def _type(type_: str) -> sql.Composed:
    """The name of a type: one of `TYPES`, of `_LINEAGE_TYPES`, or what Postgres' own catalog says."""
    return sql.Composed([sql.SQL(type_)])
