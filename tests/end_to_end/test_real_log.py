"""Ten thousand real requests, from the log file to the marts, checked against DuckDB reading the log itself.

DuckDB shares no code with the mill: its own parser, its own notion of a page, its own session rule.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from tests.end_to_end.mill import ROOT, Mill
from tests.fixtures.marts import dump_marts
from tidemill.embedded import embedded_postgres

LOG = Path(os.environ.get("TIDEMILL_TEST_LOG", ROOT.parent / "shared" / "data" / "access.log.gz"))
SITES = """
version: 1
sites:
  blog:
    name: Blog
    url: http://semicomplete.com/
    timezone: UTC
    session: {split_on_campaign: false}
"""
"""Campaigns do not split, so that a session is the plain half-hour rule, which SQL can say in three lines."""

pytestmark = [
    pytest.mark.skipif(not LOG.exists(), reason=f"the real log is not here: {LOG} (or set TIDEMILL_TEST_LOG)"),
    pytest.mark.xdist_group("real_log"),
]

REQUESTS = r"""
create table requests as
with lines as (
    select line, row_number() over () as line_number
    from read_csv($log, delim = '\x01', header = false, quote = '', escape = '', columns = {'line': 'varchar'},
        auto_detect = false)
),
parsed as (
    select line_number, regexp_extract(
        line,
        '^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (\S+) [^"]*" (\d{3}) \S+ "([^"]*)" "(.*)"$',
        ['address', 'time', 'method', 'target', 'status', 'referrer', 'user_agent']
    ) as field
    from lines
)
select
    line_number,
    field.address,
    field.user_agent,
    field.method,
    field.status,
    split_part(split_part(field.target, '#', 1), '?', 1) as path,
    timezone('UTC', strptime(field.time, '%d/%b/%Y:%H:%M:%S %z')) as happened_at
from parsed
where field.address <> ''
"""

PAGE_VIEWS = r"""
create table page_views as
select * from requests
where method = 'GET'
    and (status = '304' or status like '2__')
    and not regexp_matches(lower(path), $assets)
"""

ASSETS = (
    r"\.(png|jpe?g|gif|svg|webp|avif|bmp|ico|tiff?|css|m?js|map|xsl|wasm|woff2?|ttf|otf|eot|webmanifest"
    r"|mp[34]|m4[av]|og[gva]|wav|webm|avi|mov|flv|swf|pdf|docx?|xlsx?|pptx?|od[ts]|csv"
    r"|zip|t?gz|bz2|xz|7z|rar|tar|[jw]ar|exe|msi|dmg|deb|rpm|iso|apk|xml|rss|atom|rdf|json|txt)$"
)

SESSIONS = """
with ordered as (
    select *, lag(happened_at) over (
        partition by address, user_agent, happened_at::date order by happened_at, line_number
    ) as previous_at
    from page_views
)
select count(*) from ordered where previous_at is null or happened_at - previous_at >= interval '30 minutes'
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the mill made of the log, and the log as DuckDB reads it."""

    mill: Mill
    log: duckdb.DuckDBPyConnection
    imported: dict[str, Any]
    status: dict[str, Any]
    first: dict[str, str]
    again: dict[str, str]
    rebuilt: dict[str, str]
    tables: dict[str, list[tuple[Any, ...]]]


QUERIES = {
    "page_views": "select count(*) from marts.fct_page_views",
    "visitors": "select count(*) from marts.dim_visitors",
    "sessions": "select count(*) from marts.fct_sessions",
    "pages": "select page_path, count(*) from marts.fct_page_views group by page_path",
    "daily": "select session_date, page_view_count + bot_page_view_count from marts.fct_daily_summary order by 1",
    "people_pages": "select page_path, sum(page_view_count)::bigint from marts.fct_daily_pages group by page_path",
    "bots": "select distinct coalesce(user_agent, '-') from raw.events where is_bot",
    "raw": "select count(*) from raw.events",
    "flags": "select distinct time_flag from raw.events",
}


@pytest.fixture(scope="session")
def facts(make_mill: Callable[[str], Mill]) -> Iterator[Facts]:
    """Import, load and transform; the same log again and the daily run; then everything rebuilt from the archive."""
    mill = make_mill(SITES)
    with embedded_postgres(mill.home) as urls:  # keeps one server up for all commands
        url = urls["tidemill"]
        imported = mill.report("import-log", str(LOG), "--site", "blog")
        for command in ("load", "transform"):
            assert mill.report(command)["success"]
        status = mill.report("status")
        first = dump_marts(url)
        with psycopg.connect(url) as connection:
            tables = {name: connection.execute(query).fetchall() for name, query in QUERIES.items()}
        mill.report("import-log", str(LOG), "--site", "blog")
        assert mill.report("daily")["success"]
        again = dump_marts(url)
        assert mill.report("rebuild")["success"]
        rebuilt = dump_marts(url)
    with duckdb.connect() as log:
        log.execute(REQUESTS, {"log": str(LOG)})
        log.execute(PAGE_VIEWS, {"assets": ASSETS})
        yield Facts(mill, log, imported, status, first, again, rebuilt, tables)


def counted(facts: Facts, query: str) -> int:
    """One number from the log itself."""
    row = facts.log.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_every_page_of_the_log_is_a_page_view(facts: Facts) -> None:
    expected = counted(facts, "select count(*) from page_views")

    assert expected > 3_000
    assert facts.tables["page_views"] == [(expected,)]
    assert facts.tables["raw"] == [(expected,)]
    assert facts.tables["flags"] == [("imported",)]


def test_a_visitor_is_an_address_and_user_agent_on_a_day(facts: Facts) -> None:
    expected = counted(facts, "select count(distinct (address, user_agent, happened_at::date)) from page_views")

    assert facts.tables["visitors"] == [(expected,)]


def test_half_an_hour_of_silence_ends_a_session(facts: Facts) -> None:
    assert facts.tables["sessions"] == [(counted(facts, SESSIONS),)]


def test_page_views_by_day_are_those_of_the_log(facts: Facts) -> None:
    expected = facts.log.execute("select happened_at::date, count(*) from page_views group by 1 order by 1").fetchall()

    assert facts.tables["daily"] == expected


def test_top_pages_are_those_of_the_log(facts: Facts) -> None:
    expected = facts.log.execute("select path, count(*) from page_views group by path").fetchall()

    assert top(facts.tables["pages"]) == top(expected)


def test_top_pages_without_crawlers_are_those_of_the_log_without_their_user_agents(facts: Facts) -> None:
    crawlers = [agent for (agent,) in facts.tables["bots"]]
    assert any("Googlebot" in agent for agent in crawlers)

    expected = facts.log.execute(
        "select path, count(*) from page_views where user_agent not in (select unnest($crawlers)) group by path",
        {"crawlers": crawlers},
    ).fetchall()

    assert top(facts.tables["people_pages"]) == top(expected)


def test_status_shows_the_days_of_the_log(facts: Facts) -> None:
    shown = {day["day"]: day["page_views"] for day in facts.status["days"]}

    assert set(shown) == {"2015-05-17", "2015-05-18", "2015-05-19", "2015-05-20"}


def test_reading_the_log_again_changes_nothing_but_the_count_of_duplicates(facts: Facts) -> None:
    changed = {name for name, dump in facts.first.items() if facts.again[name] != dump}

    assert changed <= {"fct_pipeline_ledger", "fct_pipeline_rejects"}
    assert facts.first["fct_pipeline_ledger"] != facts.again["fct_pipeline_ledger"]


def test_a_rebuild_from_the_archive_gives_equal_marts_byte_for_byte(facts: Facts) -> None:
    assert set(facts.rebuilt) == set(facts.again)
    assert {name for name, dump in facts.again.items() if facts.rebuilt[name] != dump} == set()


def top(pages: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The ten pages with the most views; equal counts in order of path."""
    return sorted(pages, key=lambda page: (-page[1], page[0]))[:10]
