"""`tidemill replay --from-archive`: a corrected mapping reaches archive, raw and marts, as if it had always been so."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from collector.intake import Delivery
from collector.protocols import FAMILIES, tracker
from collector.runtime import Collector
from collector.settings import CollectorSettings
from orchestration.closing import close_days
from orchestration.compaction import compact_archive
from orchestration.database import connect, migrate
from orchestration.load import load_inbox
from orchestration.rebuild import rebuild_raw
from orchestration.sites_table import sync_sites
from tests.fixtures.marts import dump_marts
from tests.fixtures.transform import transform
from tidemill.main import app

SITES = "version: 1\nsites:\n  shop: {name: Shop, url: 'https://shop.example/'}\n  blog: {name: Blog, url: 'https://blog.example/'}\n"
START = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=4)


class Mill:
    """A home and its warehouse, with the visits of three days in it."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.settings = CollectorSettings(home=home, sites=home / "sites.yml")
        self.url = database_url
        self.settings.sites.write_text(SITES)
        migrate(database_url)
        with connect(database_url) as connection:
            sync_sites(connection, self.settings.sites, clock=lambda: datetime.now(UTC))

    def visit(self, day: int, visitor: int, site: str = "shop") -> None:
        """A landing with a campaign, a second page, a purchase, and the landing once more."""
        at = START + timedelta(days=day, minutes=visitor)
        page = f"https://{site}.example"
        events = [
            {"n": "page", "u": f"{page}/a?utm_source=letter&utm_medium=mail"},
            {"n": "page", "u": f"{page}/b", "r": f"{page}/a"},
            {"n": "purchase", "u": f"{page}/b", "p": {"value": "12.50", "currency": "EUR", "order_id": "o"}},
        ]
        for number, each in enumerate(events):
            each |= {"id": f"0190a0a0-{day:04d}-7000-8000-{visitor:08d}{number:04d}"}
            each |= {"ts": int((at + timedelta(seconds=40 * number)).timestamp() * 1000)}
        body = json.dumps({"v": 1, "site": site, "events": [*events, events[0]]}).encode()
        received_at = at + timedelta(minutes=3)
        collector = Collector(self.settings, clock=lambda: received_at)
        collector.intake.take(
            Delivery(
                method="POST",
                path="/e",
                query="",
                headers={"user-agent": f"Mozilla/5.0 (X11; Linux x86_64) {visitor}"},
                body=body,
                received_at=received_at,
                peer="203.0.113.9",
            )
        )
        assert collector.close(10)

    def load(self) -> None:
        load_inbox(store=self.settings.open_store(), database_url=self.url, clock=lambda: datetime.now(UTC))

    def replay(self, *arguments: str) -> dict[str, Any]:
        days = ("--from", START.date().isoformat(), "--to", (START + timedelta(days=1)).date().isoformat())
        result = CliRunner().invoke(app, ["replay", "--from-archive", *arguments, *days, "--json"])
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture
def mill(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Mill:
    monkeypatch.setenv("TIDEMILL_HOME", str(home))
    monkeypatch.setenv("TIDEMILL_SITES", str(home / "sites.yml"))
    monkeypatch.setenv("TIDEMILL_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_PG_URL", "postgresql+psycopg2://unused/")
    mill = Mill(home, database_url)
    for day in range(3):
        for visitor in range(3):
            mill.visit(day, visitor)
            mill.visit(day, visitor, "blog")
        mill.load()
    return mill


def corrected(raw: Any, row: Any) -> Any:
    """The page in lower case under another path, the source of another tag, purchases ten minutes earlier."""
    candidate = tracker.remap(raw, row)
    columns = candidate.columns
    columns["page_url"] = columns["page_url"].replace("/b", "/corrected").replace("letter", "newsletter")
    if raw["n"] == "purchase":
        columns["revenue"] = "99"
        candidate.client_time_us -= 600_000_000
    return candidate


@pytest.mark.long
def test_marts_equal_those_of_a_full_refresh_and_of_a_rebuild_from_the_archive(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mill.settings.home
    with connect(mill.url) as connection:
        close_days(connection, [START.date()], clock=lambda: datetime.now(UTC))
        assert compact_archive(store=mill.settings.open_store(), connection=connection).kept == []
    transform(mill.url, folder)
    before = dump_marts(mill.url)
    assert mill.replay("--protocol", "tracker")["changed"] == 0, "today's mapping made these events"
    family = replace(tracker.FAMILY, remap=corrected)
    monkeypatch.setattr("tidemill.remap.FAMILIES", (family, *FAMILIES[1:]))

    report = mill.replay("--protocol", "tracker")
    transform(mill.url, folder)

    assert (report["mapped"], report["failed"], report["kept"], report["days_not_in_raw"]) == (48, 0, [], [])
    assert report["changed"] == 48
    marts = dump_marts(mill.url)
    assert marts["fct_pipeline_ledger"] == before["fct_pipeline_ledger"]
    assert marts["fct_sessions"] != before["fct_sessions"]
    assert mill.rows("select distinct source from marts.fct_sessions order by 1") == [
        ("(direct)",),  # a purchase before the landing
        ("letter",),
        ("newsletter",),
    ]
    assert mill.rows("select sum(revenue)::int from marts.fct_sessions") == [(6 * 12 + 3 + 12 * 99,)]
    transform(mill.url, folder, full_refresh=True)
    assert dump_marts(mill.url) == marts
    rebuild_raw(store=mill.settings.open_store(), database_url=mill.url, clock=lambda: datetime.now(UTC))
    transform(mill.url, folder)
    assert dump_marts(mill.url) == marts


@pytest.mark.usefixtures("mill")
def test_a_table_tells_what_became_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidemill.remap.FAMILIES", (replace(tracker.FAMILY, remap=corrected),))
    day = START.date().isoformat()

    result = CliRunner().invoke(app, ["replay", "--from-archive", "--protocol", "tracker", "--from", day, "--to", day])

    assert result.exit_code == 0
    assert all(word in result.stdout for word in ("objects", "mapped", "changed", "failed", "days not in raw"))
    assert "tidemill transform" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--protocol", "fax"], "events of 'fax' cannot be mapped anew; those of "),
        ([], "--from-archive takes --protocol, --from and --to, and no file"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(arguments: list[str], line: str) -> None:
    days = ("--from", "2026-03-10", "--to", "2026-03-10")
    result = CliRunner().invoke(app, ["replay", "--from-archive", *arguments, *days])

    assert result.exit_code == 1
    assert line in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_or_the_archive_has_to_be_named() -> None:
    result = CliRunner().invoke(app, ["replay"])

    assert (result.exit_code, "name a file of recorded requests" in result.stderr) == (1, True)
