"""Declared tables in Postgres: made and changed as the sites file says, each row in them once, none ever lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from landing.sites import load_sites
from landing.store import MemoryStore
from orchestration import resources
from orchestration.app_tables import plan_tables
from orchestration.checks import declared_tables_take_their_rows
from orchestration.database import connect
from orchestration.load import LoadReport, load_inbox
from orchestration.purge import PurgeLimits, execute_purge, plan_purge
from orchestration.raw_copy import RawSession
from orchestration.rebuild import rebuild_raw
from tests.orchestration.ledger_state import dump, findings
from tests.orchestration.traffic import NOON, Writer, app_row, event

HEAD = "version: 1\napps: {game: {secret_key: k, tables: []}}\ntables:\n"
CLICKS = (
    HEAD
    + """
  clicks:
    columns:
      - {name: at, type: timestamp, required: true}
      - {name: userId, indexed: true}
      - {name: order, type: i32}
      - {name: price, type: f32}
      - {name: '%s "quoted"', type: bool}
"""
)


class Mill:
    """A warehouse, a landing zone and a sites file."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.url, self.store, self.sites = database_url, MemoryStore(), folder / "sites.yml"
        self.writer = Writer(self.store)
        self.declare(CLICKS)

    def declare(self, text: str) -> None:
        self.sites.write_text(text)

    def send(self, *fields: dict[str, Any], table: str = "clicks", **changes: Any) -> None:
        self.writer.ship(app_rows=[app_row(NOON, table, each, **changes) for each in fields])

    def load(self) -> LoadReport:
        return load_inbox(store=self.store, database_url=self.url, clock=lambda: NOON, sites_file=self.sites)

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def execute(self, statement: str) -> None:
        with connect(self.url) as connection:
            connection.execute(statement)

    def orders(self) -> list[int | None]:
        return [order for (order,) in self.query('select "order" from apps.clicks order by 1')]

    def waiting(self) -> list[tuple[Any, ...]]:
        return self.query("select table_name, landed_rows, problem from ops.app_loads where problem is not null")

    def columns(self, table: str = "clicks") -> dict[str, tuple[str, bool]]:
        rows = self.query(
            "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute"
            " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
            f"apps.{table}",
        )
        return {name: (type_, is_required) for name, type_, is_required in rows if not name.startswith("_")}

    def indexed(self) -> set[str]:
        rows = self.query("select indexdef from pg_indexes where schemaname = 'apps' and tablename = 'clicks'")
        return {definition.rpartition("(")[2].rstrip(")") for (definition,) in rows}


@pytest.fixture
def mill(warehouse: str, tmp_path: Path) -> Mill:
    return Mill(warehouse, tmp_path)


ROW = {"at": "2026-03-10T12:00:00.000001+00:00", "userId": "ü'\\", "order": -1, "price": 0.1, '%s "quoted"': True}


def test_a_load_creates_the_declared_tables_with_quoted_names(mill: Mill) -> None:
    mill.load()

    assert mill.columns() == {
        "at": ("timestamp with time zone", True),
        "userId": ("character varying", False),
        "order": ("integer", False),
        "price": ("real", False),
        '%s "quoted"': ("boolean", False),
    }
    assert mill.indexed() == {'"userId"', "_row_id"}


def test_rows_are_typed_and_carry_their_lineage(mill: Mill) -> None:
    mill.send(ROW, other_fields='{"x": 1}')
    report = mill.load()

    assert report.loaded_rows == {"app_rows": 1}
    assert mill.query(
        'select at, "userId", "order", price::float4, "%%s ""quoted""", _app, _received_at, _request_id, _batch_id,'
        " _other_fields from apps.clicks where %s",
        True,
    ) == [
        (
            datetime(2026, 3, 10, 12, 0, 0, 1, tzinfo=UTC), "ü'\\", -1, 0.1, True,
            "game", NOON, "r1", report.batch_ids[0], {"x": 1},
        )
    ]  # fmt: skip
    assert mill.query("select table_name, landed_rows, new_rows, problem from ops.app_loads") == [
        ("clicks", 1, 1, None)
    ]
    assert findings(mill.url, mill.store, NOON) == ()


@pytest.mark.parametrize(
    ("type_", "sent", "found"),
    [
        ("bool", False, False),
        ("i32", -(2**31), -(2**31)),
        ("i64", 2**63 - 1, 2**63 - 1),
        ("f32", "-Infinity", float("-inf")),
        ("f32", 1.401298464324817e-45, 1.401298464324817e-45),
        ("f64", 1.7976931348623157e308, 1.7976931348623157e308),
        ("f64", 5e-324, 5e-324),
        ("string", "", ""),
        ("timestamp", "0001-01-01T00:00:00+00:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("timestamp", "9999-12-31T23:59:59.999999+00:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_the_limits_of_each_type_arrive(mill: Mill, type_: str, sent: Any, found: Any) -> None:
    mill.declare(HEAD + f"  t: {{columns: [{{name: x, type: {type_}}}]}}")
    mill.send({"x": sent}, table="t")
    mill.load()
    value = mill.query("select x::float8 from apps.t" if type_ == "f32" else "select x from apps.t")[0][0]
    assert value == found


def test_a_row_delivered_twice_is_inserted_once(mill: Mill) -> None:
    same = "00000000-0000-4000-8000-000000000001"
    mill.send({**ROW, "order": 1}, {**ROW, "order": 2}, row_id=same)
    mill.load()
    mill.send({**ROW, "order": 3}, row_id=same)
    mill.load()

    assert mill.orders() == [1]
    assert mill.query("select landed_rows, new_rows from ops.app_loads order by batch_id") == [(2, 1), (1, 0)]


def test_rows_without_an_id_are_inserted_as_often_as_they_are_sent(mill: Mill) -> None:
    mill.send(ROW, ROW)
    mill.load()
    assert mill.orders() == [-1, -1]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_the_commit_leaves_each_row_once(
    mill: Mill, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    mill.send(ROW, {**ROW, "order": 2})
    commit = RawSession.commit

    def crash(session: RawSession) -> None:
        if moment == "after":
            commit(session)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RawSession, "commit", crash)
        with pytest.raises(KeyboardInterrupt):
            mill.load()
    mill.load()

    assert mill.orders() == [-1, 2]
    assert mill.query("select count(*) from ops.app_loads") == [(1,)]
    assert findings(mill.url, mill.store, NOON) == ()


def test_a_rebuild_leaves_each_row_once_and_restores_what_was_deleted(mill: Mill) -> None:
    mill.send(ROW, {**ROW, "order": 2})
    mill.load()
    before = dump(mill.url, "apps.clicks", "ops.app_table_versions")
    mill.execute('delete from apps.clicks where "order" = 2')

    for _ in range(2):
        rebuild_raw(store=mill.store, database_url=mill.url, clock=lambda: NOON, sites_file=mill.sites)

        assert dump(mill.url, "apps.clicks", "ops.app_table_versions") == before
    assert findings(mill.url, mill.store, NOON) == ()


CHANGES: list[tuple[str, str, str, dict[str, tuple[str, bool]]]] = [
    ("a new column is nullable", "price, type: f32}", "price, type: f32}\n      - {name: n, type: i64, required: true}",
     {"n": ("bigint", False)}),
    ("i32 becomes i64", "order, type: i32", "order, type: i64", {"order": ("bigint", False)}),
    ("f32 becomes f64", "price, type: f32", "price, type: f64", {"price": ("double precision", False)}),
    ("no longer required", ", required: true", "", {"at": ("timestamp with time zone", False)}),
    ("no longer declared", "      - {name: at, type: timestamp, required: true}\n", "",
     {"at": ("timestamp with time zone", False)}),
    ("required later", "order, type: i32", "order, type: i32, required: true", {"order": ("integer", False)}),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "found"), [pytest.param(*each[1:], id=each[0]) for each in CHANGES])
def test_what_keeps_every_value_is_applied_and_recorded(
    mill: Mill, old: str, new: str, found: dict[str, tuple[str, bool]]
) -> None:
    mill.send(ROW)
    mill.load()
    mill.declare(CLICKS.replace(old, new))
    mill.send({"order": 7})
    mill.load()

    assert mill.columns().items() >= found.items()
    assert mill.orders() == [-1] if "at" not in found else [-1, 7]
    versions = mill.query("select version, cardinality(statements) from ops.app_table_versions order by 1")
    assert [version for version, _ in versions] == [1, 2]


def test_an_index_is_added_and_never_dropped(mill: Mill) -> None:
    mill.load()
    mill.declare(
        CLICKS.replace("order, type: i32", "order, type: i32, indexed: true").replace("indexed: true}", "}", 1)
    )
    mill.load()
    mill.load()

    assert mill.indexed() == {'"userId"', '"order"', "_row_id"}
    assert mill.query("select count(*) from ops.app_table_versions") == [(2,)]


REFUSALS = [
    ("order, type: i32", "order, type: string", "column order is integer, declared as string"),
    ("price, type: f32", "price, type: i32", "column price is real, declared as i32"),
    ("at, type: timestamp", "at, type: i64", "column at is timestamp with time zone"),
]


@pytest.mark.parametrize(("old", "new", "problem"), REFUSALS)
def test_anything_else_is_refused_and_the_rows_wait_until_it_is_mended(
    mill: Mill, old: str, new: str, problem: str
) -> None:
    mill.send(ROW)
    mill.load()
    before = mill.columns()
    mill.declare(CLICKS.replace(old, new))
    mill.send({**ROW, "order": 2})
    mill.load()

    assert mill.columns() == before
    assert mill.orders() == [-1]
    ((table, rows, told),) = mill.waiting()
    assert (table, rows) == ("clicks", 1)
    assert problem in told
    assert findings(mill.url, mill.store, NOON) == ()

    mill.declare(CLICKS)
    mill.load()

    assert mill.orders() == [-1, 2]
    assert mill.waiting() == []
    assert mill.query("select count(*) from ops.app_table_problems") == [(0,)]


def test_i64_does_not_become_i32(mill: Mill) -> None:
    mill.declare(CLICKS.replace("order, type: i32", "order, type: i64"))
    mill.load()
    mill.declare(CLICKS)
    with connect(mill.url) as connection:
        (plan,) = plan_tables(connection, load_sites(mill.sites).tables)
    assert (plan.steps, len(plan.refusals)) == ((), 1)


def test_a_plan_with_a_refusal_takes_no_step(mill: Mill) -> None:
    mill.load()
    mill.declare(CLICKS.replace("order, type: i32", "order, type: bool") + "      - {name: n}\n")
    mill.load()
    assert "n" not in mill.columns()


def test_a_table_of_the_owner_is_used_as_it_is(mill: Mill) -> None:
    mill.execute(
        'create table apps.clicks (id serial, at timestamptz not null, "userId" varchar(3), "order" int4, price float4,'
        ' "%s ""quoted""" bool, note text, made timestamptz not null default now())'
    )
    mill.send({**ROW, "userId": "abc"})
    mill.load()

    assert mill.query("select id, note, made is not null from apps.clicks") == [(1, None, True)]


def test_a_required_column_of_the_owner_is_told(mill: Mill) -> None:
    mill.execute("create table apps.clicks (other int not null)")
    mill.send(ROW)
    mill.load()
    assert "column other: extra required column" in mill.waiting()[0][2]


def test_a_view_of_the_same_name_is_told(mill: Mill) -> None:
    mill.execute("create view apps.clicks as select 1 as x")
    mill.send(ROW)
    mill.load()
    assert "something that is no table has this name" in mill.waiting()[0][2]


TROUBLES = [
    ('alter column "userId" type varchar(1)', 'alter column "userId" type varchar', "too long"),
    ('add check ("order" > 0)', "drop constraint clicks_order_check", "violates check"),
    ("add column z int not null default 1, add check (z > 1)", "drop column z", "violates check"),
]


@pytest.mark.parametrize(("harm", "repair", "problem"), TROUBLES)
def test_rows_that_a_table_refuses_wait_and_events_do_not(mill: Mill, harm: str, repair: str, problem: str) -> None:
    mill.load()
    mill.execute(f"alter table apps.clicks {harm}")
    mill.send(ROW)
    mill.writer.ship(events=[event(NOON)])
    report = mill.load()

    assert report.loaded_rows == {"app_rows": 1, "events": 1}
    assert report.quarantined == []
    assert problem in mill.waiting()[0][2]
    assert mill.orders() == []

    mill.execute(f"alter table apps.clicks {repair}")
    mill.load()
    assert mill.orders() == [-1]
    assert mill.waiting() == []


def test_a_table_that_somebody_locks_makes_its_rows_wait(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.app_tables.filing._LOCK_WAIT", "10ms")
    mill.load()
    mill.send(ROW)
    with psycopg.connect(mill.url) as holder:
        holder.execute("lock table apps.clicks")
        mill.load()
        assert "lock timeout" in mill.waiting()[0][2]
        mill.load()
        assert "lock timeout" in mill.waiting()[0][2]
    mill.load()
    assert mill.orders() == [-1]


def test_rows_of_a_table_that_nobody_declares_wait_for_its_declaration(mill: Mill) -> None:
    mill.send({"x": 1}, table="later")
    mill.load()
    assert mill.waiting() == [("later", 1, "the sites file declares no such table")]

    mill.declare(CLICKS + "  later: {columns: [{name: x, type: i32}]}\n")
    mill.load()
    assert mill.query("select x from apps.later") == [(1,)]


def test_a_table_that_is_no_longer_declared_still_takes_its_rows(mill: Mill) -> None:
    mill.load()
    mill.send(ROW)
    mill.declare(HEAD + "  other: {columns: []}\n")
    mill.load()
    assert mill.orders() == [-1]


def test_a_broken_sites_file_stops_nothing(mill: Mill) -> None:
    mill.load()
    mill.declare("version: 1\nnonsense")
    mill.send(ROW)
    mill.load()
    assert mill.orders() == [-1]


def test_raw_rows_that_wait_are_not_purged(mill: Mill) -> None:
    mill.send({"x": 1}, table="later")
    mill.load()
    now = NOON + timedelta(days=40)

    def purge() -> list[str]:
        with connect(mill.url) as connection:
            plan = plan_purge(
                store=mill.store, connection=connection, now=now, limits=PurgeLimits(raw_days=30, archive_days=395)
            )
            report = execute_purge(plan, store=mill.store, connection=connection, clock=lambda: now)
        return [each.reason for each in report.kept]

    (reason,) = purge()
    assert "wait for the declared table later" in reason
    mill.declare(CLICKS + "  later: {columns: [{name: x, type: i32}]}\n")
    mill.load()
    assert purge() == []
    assert mill.query("select count(*) from raw.app_rows") == [(0,)]
    assert mill.query("select x from apps.later") == [(1,)]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=15)
        .filter(lambda name: not name.startswith("_"))
        , min_size=1, max_size=3, unique=True),
)  # fmt: skip
def test_any_name_works(mill: Mill, names: list[str]) -> None:
    declared = {"version": 1, "apps": {"a": {"secret_key": "k", "tables": []}}}
    tables = {names[0]: {"columns": [{"name": name, "indexed": True} for name in names]}}
    mill.declare(yaml.safe_dump({**declared, "tables": tables}, allow_unicode=False))
    mill.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("apps", names[0])).as_string())
    mill.execute("truncate ops.app_table_versions")
    mill.send(dict.fromkeys(names, "x"), table=names[0])
    mill.load()
    with connect(mill.url) as connection:
        query = sql.SQL("select {} from {}").format(sql.Identifier(names[-1]), sql.Identifier("apps", names[0]))
        assert ("x",) in connection.execute(query).fetchall()


def test_the_check_names_table_and_reason(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMILL_DATABASE_URL", mill.url)
    check: Any = declared_tables_take_their_rows
    mill.send(ROW)
    mill.load()
    assert check(resources.Mill()).passed

    mill.declare(CLICKS.replace("order, type: i32", "order, type: bool"))
    mill.send(ROW)
    mill.load()
    result = check(resources.Mill())
    assert not result.passed
    assert "apps.clicks: 1 rows wait: column order is integer, declared as bool" in result.description
