"""What is derived from the contract: committed, fresh, and right for the systems that read it."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import psycopg
import pyarrow as pa
import pytest
import yaml

from collector.protocols.api import FIELDS
from landing import contract
from landing.contract import DATASETS, EVENTS, REJECTS, Column, Dataset, Kind
from landing.generate import generated_files, stale_files, write_files
from landing.rendering.json_schema import settable_columns
from landing.rendering.postgres import raw_ddl
from landing.schema import loaded_schema
from landing.wire import WIRE_FIELDS

ROOT = Path(__file__).parents[2]

POSTGRES_TYPE = {
    pa.string(): {"text", "jsonb", "uuid"},
    pa.bool_(): {"boolean"},
    pa.int16(): {"smallint"},
    pa.int32(): {"integer"},
    pa.int64(): {"bigint"},
    pa.float64(): {"double precision"},
    pa.decimal128(18, 6): {"numeric(18,6)"},
    pa.timestamp("us", "UTC"): {"timestamp with time zone"},
    pa.list_(pa.string()): {"text[]"},
}


def columns(connection: psycopg.Connection, dataset: str) -> dict[str, SimpleNamespace]:
    query = """
        select attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum),
            (select collname from pg_collation where pg_collation.oid = attcollation)
        from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
        order by attnum
    """
    return {
        name: SimpleNamespace(type=type_, is_required=is_required, comment=comment, collation=collation)
        for name, type_, is_required, comment, collation in connection.execute(query, (f"raw.{dataset}",))
    }


def test_committed_files_are_fresh() -> None:
    assert stale_files(ROOT) == [], "the contract has changed: run `tidemill contract write`"


def test_stale_files_are_told_and_written(tmp_path: Path) -> None:
    everything = sorted(generated_files())

    assert stale_files(tmp_path) == everything
    assert write_files(tmp_path) == everything
    assert write_files(tmp_path) == []
    (tmp_path / everything[2]).write_text("edited by hand")
    shutil.rmtree((tmp_path / everything[0]).parent)
    assert everything[2] in stale_files(tmp_path)
    assert everything[0] in stale_files(tmp_path)


def test_every_file_says_that_it_is_generated() -> None:
    for path, content in generated_files().items():
        assert "enerated from landing/contract.py" in content[:300], path
        assert content.endswith("\n")
        assert not content.endswith("\n\n")


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_table_matches_the_arrow_schema_column_by_column(dataset: Dataset, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(raw_ddl(DATASETS))
        found = columns(connection, dataset.name)

    schema = loaded_schema(dataset)
    assert sorted(found) == sorted(schema.names)
    for field in schema:
        column = found[field.name]
        assert column.type in POSTGRES_TYPE[field.type], field.name
        assert column.is_required == (not field.nullable), field.name
        assert column.comment, field.name
    assert found[dataset.key].type == "uuid"
    assert found["batch_id"].collation == "C"
    documents = {column.name for column in dataset.columns if column.kind is Kind.JSON}
    assert {name for name, column in found.items() if column.type == "jsonb"} == documents


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_new_table_stores_what_is_always_there_first_and_of_that_what_has_a_fixed_width(
    dataset: Dataset, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(raw_ddl(DATASETS))
        stored = connection.execute(
            "select attnotnull, attlen > 0 from pg_attribute where attrelid = %s::regclass and attnum > 0"
            " order by attnum",
            (f"raw.{dataset.name}",),
        ).fetchall()

    assert stored == sorted(stored, reverse=True)
    assert stored[0] == (True, True)
    assert stored[-1] == (False, False)


def test_tables_are_partitioned_by_receipt_and_have_a_brin_index_on_the_batch_alone(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(raw_ddl(DATASETS))
        for dataset in DATASETS:
            name = f"raw.{dataset.name}"
            (key,) = connection.execute("select pg_get_partkeydef(to_regclass(%s))", (name,)).fetchone()
            indexes = connection.execute(
                "select pg_get_indexdef(indexrelid) from pg_index where indrelid = to_regclass(%s)", (name,)
            ).fetchall()
            (checks,) = connection.execute(
                "select count(*) from pg_constraint where conrelid = to_regclass(%s) and contype = 'c'", (name,)
            ).fetchone()

            assert key == "RANGE (received_at)"
            assert len(indexes) == 1
            assert "USING brin (batch_id)" in indexes[0][0]
            assert checks == 0


def test_running_the_ddl_again_changes_nothing_and_waits_for_nobody(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as first, psycopg.connect(database_url) as second:
        first.execute(raw_ddl(DATASETS))
        before = columns(first, "events")
        # A load that holds its lock on the table: what would wait for it gives up at once.
        second.execute("lock table raw.events, raw.rejects in access exclusive mode")
        first.execute("set lock_timeout = '10ms'")
        first.execute(raw_ddl(DATASETS))
        second.rollback()

        assert columns(first, "events") == before


def test_a_column_added_to_the_contract_is_added_to_the_table_and_its_partitions(database_url: str) -> None:
    older = _without(EVENTS, "gpc", "content_group")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(raw_ddl((older, REJECTS)))
        connection.execute(
            "create table raw.events_20260102 partition of raw.events for values from ('2026-01-02') to ('2026-01-03')"
        )
        assert "gpc" not in columns(connection, "events")
        connection.execute(raw_ddl(DATASETS))

        for table in ("events", "events_20260102"):
            found = columns(connection, table)
            assert set(found) == set(loaded_schema(EVENTS).names)
            assert found["gpc"].type == "boolean"
            assert found["content_group"].type == "text[]"


def test_a_changed_meaning_reaches_the_comment(database_url: str) -> None:
    changed = tuple(
        Column(**{**_fields(column), "meaning": "It's another."}) if column.name == "gpc" else column
        for column in EVENTS.columns
    )
    other = Dataset(name="events", grain=EVENTS.grain, key=EVENTS.key, columns=changed)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(raw_ddl(DATASETS))
        connection.execute(raw_ddl((other, REJECTS)))

        assert columns(connection, "events")["gpc"].comment == "It's another."


def test_dbt_sources_name_every_table_and_column_with_its_asset() -> None:
    document = yaml.safe_load(generated_files()["dbt_project/models/staging/_sources.yml"])

    (source,) = document["sources"]
    assert source["name"] == "raw"
    for table, dataset in zip(source["tables"], DATASETS, strict=True):
        assert table["name"] == dataset.name
        assert table["description"]
        assert table["config"]["meta"]["dagster"]["asset_key"] == ["raw", dataset.name]
        assert table["config"]["loaded_at_field"] == "received_at"
        assert [column["name"] for column in table["columns"]] == [column.name for column in dataset.columns]
        assert all(column["description"] for column in table["columns"])


API = json.loads(generated_files()["landing/generated/events.schema.json"])
EVENT = {
    "event_id": "order-17",
    "event_type": "transaction",
    "occurred_at": "2026-01-02T03:04:05.678Z",
    "visitor_id": "v1",
    "revenue": "12.50",
    "items": [{"sku": "a"}],
    "props": {"plan": "pro"},
    "is_interaction": None,
    "colour": "red",
}


@pytest.mark.parametrize(
    "body",
    [
        EVENT,
        {"events": []},
        {"events": [EVENT, {"event_name": "Signed up", "occurred_at": 1_767_323_045_678}]},
        {"site": "shop", "sent_at": 1_767_323_045_678, "events": [EVENT]},
    ],
)
def test_the_schema_of_the_api_accepts_what_is_meant(body: object) -> None:
    jsonschema.Draft202012Validator(API).validate(body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_type": "hit"},
        {"event_type": None, "event_name": 5},
        {"visitor_id": "v" * 257},
        {"scroll_percent": 40_000},
        {"engaged_ms": 1.5},
        {"revenue": "ten"},
        {"items": {}},
        {"props": []},
        {"occurred_at": True},
        {"is_interaction": "yes"},
    ],
)
def test_the_schema_of_the_api_refuses_what_a_column_cannot_hold(wrong: dict[str, object]) -> None:
    validator = jsonschema.Draft202012Validator(API)

    assert not validator.is_valid({**EVENT, **wrong})
    assert not validator.is_valid({"events": [{**EVENT, **wrong}]})


def test_the_schema_of_the_api_needs_a_type_or_a_name() -> None:
    assert not jsonschema.Draft202012Validator(API).is_valid({"props": {}})


def test_the_api_takes_every_field_of_its_schema() -> None:
    """The collector reads what the schema promises; `client_event_id` is promised as `event_id`."""
    assert {column.name for column in settable_columns()} == set(FIELDS) - {"client_event_id"}


def test_wire_fields_become_columns_that_exist() -> None:
    names = {column.name for column in EVENTS.columns}

    assert {field.column for field in WIRE_FIELDS if field.column} <= names
    assert len({field.name for field in WIRE_FIELDS}) == len(WIRE_FIELDS)


def test_the_types_of_the_tracker_hold_every_wire_field_and_closed_list() -> None:
    text = generated_files()["tracker/src/contract.ts"]

    for field in WIRE_FIELDS:
        assert re.search(rf"^  {field.name}\??: {field.type};$", text, re.MULTILINE), field.name
    for value in (*contract.EVENT_TYPES, *contract.ORDER_ACTIONS):
        assert f'  | "{value}"' in text


def test_the_page_lists_every_column() -> None:
    page = generated_files()["docs/event-contract.md"]

    for dataset in DATASETS:
        for column in dataset.columns:
            assert f"| `{column.name}` |" in page
            assert column.meaning in page


def _without(dataset: Dataset, *names: str) -> Dataset:
    kept = tuple(column for column in dataset.columns if column.name not in names)
    return Dataset(name=dataset.name, grain=dataset.grain, key=dataset.key, columns=kept)


def _fields(column: Column) -> dict[str, object]:
    return {name: getattr(column, name) for name in Column.__dataclass_fields__}
