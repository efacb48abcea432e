"""`tidemill rejects`: finding what was refused, and sending it again once the cause is removed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from collector.intake import Delivery
from collector.runtime import Collector
from collector.settings import CollectorSettings
from orchestration.conservation import check
from orchestration.database import connect, migrate
from orchestration.load import load_inbox
from tests.fixtures.transform import transform
from tidemill.main import app

SITES = "version: 1\nsites:\n  shop: {name: Shop, secrets: [{name: dev, plain: s3cret}]}\n"
LATER = SITES + "  later: {name: Later}\n"
AT = datetime.now(UTC) - timedelta(hours=1)


class Mill:
    """A home, its warehouse, and requests that were refused."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.settings = CollectorSettings(home=home, sites=home / "sites.yml")
        self.database_url = database_url
        self.settings.sites.write_text(SITES)
        migrate(database_url)

    def send(self, path: str, document: Any, **headers: str) -> None:
        collector = Collector(self.settings, clock=lambda: AT)
        collector.intake.take(
            Delivery(
                method="POST",
                path=path,
                query="",
                headers={"user-agent": "Mozilla/5.0", **headers},
                body=json.dumps(document).encode(),
                received_at=AT,
                peer="203.0.113.9",
            )
        )
        assert collector.close(10)

    def load(self) -> None:
        load_inbox(store=self.settings.open_store(), database_url=self.database_url, clock=lambda: datetime.now(UTC))

    def run(self, *arguments: str) -> Any:
        result = CliRunner().invoke(app, ["rejects", *arguments, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def fails(self, *arguments: str) -> str:
        result = CliRunner().invoke(app, ["rejects", *arguments])
        assert result.exit_code == 1
        return result.stderr

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture
def mill(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Mill:
    monkeypatch.setenv("TIDEMILL_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMILL_SITES", str(tmp_path / "sites.yml"))
    monkeypatch.setenv("TIDEMILL_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_PG_URL", "postgresql+psycopg2://unused/")
    return Mill(tmp_path, database_url)


def test_what_named_no_site_is_accepted_once_there_is_one_and_only_once(mill: Mill) -> None:
    mill.send("/e", {"v": 1, "site": "later", "events": [{"n": "page"}, {"n": "page"}]})
    mill.send("/s/later/e", {"v": 1, "events": [{"n": "page"}]})
    mill.load()
    assert [each["reason"] for each in mill.run("list")] == ["unknown_site", "unknown_site"]

    mill.settings.sites.write_text(LATER)
    report = mill.run("replay", "--reason", "unknown_site")
    mill.load()

    assert (report["accepted"], report["events"], report["refused again"]) == (2, 3, 0)
    assert mill.rows("select site_id, protocol, received_at from raw.events") == [("later", "tracker", AT)] * 3
    assert mill.run("list") == []
    assert len(mill.run("list", "--replayed")) == 2
    assert "sent again already" in mill.fails("replay", "--reason", "unknown_site")


def test_sending_a_reject_twice_gives_the_same_event_even_where_its_client_names_none(mill: Mill) -> None:
    mill.send("/e", {"v": 1, "site": "later", "events": [{"n": "page"}]})
    mill.load()
    mill.settings.sites.write_text(LATER)
    mill.run("replay", "--site", "")
    with psycopg.connect(mill.database_url) as connection:  # as a crash between the spool and the mark would leave it
        connection.execute("delete from ops.replayed_rejects")
    mill.run("replay", "--site", "")
    mill.load()

    assert mill.rows("select count(*), count(distinct event_id) from raw.events") == [(2, 1)]


def test_what_is_refused_again_leaves_the_one_reject_that_was_there(mill: Mill) -> None:
    mill.send("/v1/events", {"events": [{"event_name": "a", "revenue": "x"}, {}]}, authorization="Bearer s3cret")
    mill.load()
    report = mill.run("replay", "--site", "shop")
    mill.load()

    assert (report["accepted"], report["refused again"]) == (0, 2)
    assert mill.rows("select count(*) from raw.rejects") == [(2,)]
    assert len(mill.run("list")) == 2


def test_a_server_side_reject_is_sent_again_without_its_secret(mill: Mill) -> None:
    mill.send("/v1/events", {"events": [{"event_name": "a"}]}, authorization="Bearer wrong")
    mill.load()
    (found,) = mill.run("list")
    shown = mill.run("show", found["reject"])

    assert (found["reason"], found["site"]) == ("wrong_secret", None)
    assert "authorization" not in shown["headers"]
    assert (shown["method"], shown["path"]) == ("POST", "/v1/events")


def test_a_wish_not_to_be_tracked_leaves_nothing_to_send_again(mill: Mill) -> None:
    mill.settings.sites.write_text("version: 1\nsites:\n  shop: {name: Shop, privacy: {gpc: drop}}\n")
    mill.send("/e", {"v": 1, "site": "shop", "events": [{"n": "page"}]}, **{"sec-gpc": "1"})
    mill.load()
    report = mill.run("replay", "--reason", "gpc_drop")

    assert (report["rejects"], report["cannot be sent"], report["accepted"]) == (1, 1, 0)


def test_another_event_under_a_taken_id_is_a_reject_that_shows_what_was_sent(mill: Mill) -> None:
    taken = "0190a0a0-0000-7000-8000-000000000001"
    sent = [{"id": taken, "n": "page", "ti": title} for title in ("first", "first", "second")]
    mill.send("/e", {"v": 1, "site": "shop", "events": sent})
    mill.load()
    assert mill.run("list") == [], "the models find it"
    transform(mill.database_url, mill.settings.home)

    (found,) = mill.run("list", "--reason", "id_conflict", "--site", "shop", "--protocol", "tracker")
    assert (found["reason"], found["site"]) == ("id_conflict", "shop")
    assert taken in found["detail"]
    assert mill.run("list", "--reason", "unknown_site") == mill.run("list", "--site", "later") == []
    shown = mill.run("show", found["reject"])
    assert json.loads(shown["raw"])["ti"] == "second"
    assert "second" in CliRunner().invoke(app, ["rejects", "show", found["reject"]]).stdout
    report = mill.run("replay", found["reject"])
    assert (report["rejects"], report["cannot be sent"], report["accepted"]) == (1, 1, 0)
    assert list(report["obstacles"].values()) == [1]
    assert "under the id of another event" in next(iter(report["obstacles"]))
    assert mill.rows(
        "select landed_count, event_count, duplicate_count, conflict_count from marts.fct_pipeline_ledger"
    ) == [(3, 1, 1, 1)]
    with connect(mill.database_url) as connection:
        assert check(connection, now=datetime.now(UTC)) == ()
        connection.execute("update marts.fct_pipeline_ledger set conflict_count = 0, is_balanced = false")
        (finding,) = check(connection, now=datetime.now(UTC))
    assert (finding.severity, "conflict_count 0" in finding.message) == ("failure", True)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["replay"], "name the rejects to send again"),
        (["show", "00000000-0000-4000-8000-000000000000"], "there is no reject 00000000"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(mill: Mill, arguments: list[str], line: str) -> None:
    assert line in mill.fails(*arguments)
