"""A warehouse for tests of the dbt project: raw rows go in by batches, dbt runs in this process."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from orchestration.dbt_files import PROJECT
from tests.fixtures.transform import failures, run_dbt

SQL_FOLDER = PROJECT.parent / "orchestration" / "sql"
Row = dict[str, Any]

SITE_DEFAULTS: Row = {
    "timezone": "UTC",
    "home_host": "shop.example",
    "session_timeout_s": 1800,
    "splits_at_midnight": True,
    "splits_on_campaign": True,
    "campaign_timeout_days": 183,
    "referral_exclusions": [],
    "ignored_search_terms": [],
    "has_manual_tagging_override": False,
}


def utc(text: str) -> datetime:
    """An instant from ISO text without zone, meant as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def event_uuid(name: str) -> str:
    """The same id for the same name."""
    return str(uuid.UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()))


def event_row(occurred_at: datetime, **values: Any) -> Row:
    """A row of raw.events as the load writes it, from what a test cares about.

    `page_url` and `page_referrer` fill the columns that enrichment derives from them.
    """
    row: Row = {
        "event_id": str(uuid.uuid4()),
        "site_id": "shop",
        "protocol": "test",
        "event_type": "page_view",
        "is_interaction": True,
        "occurred_at": occurred_at,
        "received_at": values.get("received_at") or occurred_at,
        "time_flag": "ok",
        "visitor_id": "ann",
        "visitor_id_kind": "client",
        "request_id": "r",
        "request_index": 0,
        "collector_id": "c",
        "segment_id": "seg",
        "segment_row": 0,
        "is_bot": False,
        "device_kind": "desktop",
        "geo_country": "DE",
    }
    return row | _page_columns(values.get("page_url", "https://shop.example/")) | _referrer_columns(values) | values


def _page_columns(url: str | None) -> Row:
    parts = urlsplit(url or "")
    query = parse_qs(parts.query)
    tags = {
        f"utm_{name}": query[f"utm_{name}"][0]
        for name in ("source", "medium", "campaign", "term", "content", "id")
        if f"utm_{name}" in query
    }
    kind = next((name for name in ("gclid", "dclid", "yclid", "msclkid", "fbclid") if name in query), None)
    click = {"click_id": query[kind][0], "click_id_kind": kind} if kind else {}
    page = (
        {"page_host": parts.hostname, "page_path": parts.path or "/", "page_query": parts.query or None} if url else {}
    )
    return {"page_url": url} | page | tags | click


def _referrer_columns(values: Mapping[str, Any]) -> Row:
    referrer = values.get("page_referrer")
    return {"referrer_host": urlsplit(referrer).hostname} if referrer else {}


class Warehouse:
    """A database with the mill's schemas, and the transform.

    Attributes:
        url: The database.
        target: Folder for what dbt writes.
    """

    def __init__(self, url: str, target: Path) -> None:
        self.url = url
        self.target = target
        self._manifest: Any = None
        self._batches = 0
        self._loaded: dict[str, list[Row]] = {}

    @property
    def deliveries(self) -> list[Row]:
        """Every row of raw.events."""
        return [row for rows in self._loaded.values() for row in rows]

    @property
    def batch_ids(self) -> list[str]:
        """Every batch, in the order of loading."""
        return list(self._loaded)

    def reset(self) -> None:
        """Empty everything, as after installation."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("set client_min_messages = warning")
            # Schema staging stays for its seeds: they are the same for every test.
            for schema in ("marts", "intermediate", "raw", "ops"):
                connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
            for name in ("001_ops.sql", "010_remapping.sql", "raw.sql"):
                connection.execute((SQL_FOLDER / name).read_bytes())
        self._batches = 0
        self._loaded = {}

    def execute(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        """Run one statement."""
        with psycopg.connect(self.url) as connection:
            connection.execute(query.encode(), parameters)

    def rows(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """The rows of a query, times in UTC."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            connection.execute("set time zone 'UTC'")
            return connection.execute(query.encode(), parameters).fetchall()

    def set_site(self, site_id: str, **settings: Any) -> None:
        """Write a site's settings, to be rebuilt by the next transform."""
        row = SITE_DEFAULTS | settings | {"site_id": site_id, "name": site_id}
        columns = sql.SQL(", ").join(map(sql.Identifier, row))
        values = sql.SQL(", ").join(map(sql.Placeholder, row))
        with psycopg.connect(self.url) as connection:
            connection.execute("delete from ops.sites where site_id = %s", (site_id,))
            connection.execute(
                sql.SQL("insert into ops.sites ({}, updated_at) values ({}, now())").format(columns, values), row
            )

    def load(
        self, events: Iterable[Row], *, late: Sequence[Row] = (), rejects: Mapping[tuple[str, str], int] | None = None
    ) -> list[str]:
        """Load rows as the orchestration would, a batch for each UTC day of receipt; returns the batch ids.

        Args:
            events: Rows of raw.events.
            late: Rows that are counted and not loaded.
            rejects: Number of rejects by (site, reason), all received on the first day.
        """
        days: dict[date, list[Row]] = {}
        for event in events:
            days.setdefault(_day(event), []).append(event)
        late_days = Counter((_day(event), event["site_id"]) for event in late)
        with psycopg.connect(self.url) as connection:
            return [
                self._load_day(connection, day, days.get(day, []), late_days, rejects if not place else None)
                for place, day in enumerate(sorted(set(days) | {day for day, _ in late_days}))
            ]

    def _load_day(
        self,
        connection: psycopg.Connection[Any],
        day: date,
        events: list[Row],
        late_days: Counter[tuple[date, str]],
        rejects: Mapping[tuple[str, str], int] | None,
    ) -> str:
        self._batches += 1
        batch_id = f"{self._batches:012d}-00000000"
        late = {site: count for (late_day, site), count in late_days.items() if late_day == day}
        loaded, missed = len(events), sum(late.values())
        connection.execute(
            "insert into ops.load_batches (batch_id, dataset, day, state, planned_at, landed_rows, loaded_rows,"
            " late_rows) values (%s, 'events', %s, 'committed', now(), %s, %s, %s)",
            (batch_id, day, loaded + missed, loaded, missed),
        )
        counts = Counter(event["site_id"] for event in events)
        for site in {*counts, *late}:
            connection.execute(
                "insert into ops.load_counts values (%s, %s, %s, '', %s, %s)",
                (batch_id, site, day, counts[site] + late.get(site, 0), late.get(site, 0)),
            )
        for (site, reason), count in (rejects or {}).items():
            connection.execute(
                "insert into ops.load_counts values (%s, %s, %s, %s, %s, 0)", (batch_id, site, day, reason, count)
            )
        self._loaded[batch_id] = [event | {"batch_id": batch_id} for event in events]
        _copy_events(connection, day, self._loaded[batch_id])
        return batch_id

    def remap(self, batch_id: str, change: Callable[[Row], Row]) -> None:
        """Replace the rows of a batch by what `change` makes of them, as a replay from the archive would."""
        rows = [change(row) for row in self._loaded[batch_id]]
        self._loaded[batch_id] = rows
        with psycopg.connect(self.url) as connection:
            connection.execute("delete from raw.events where batch_id = %s", (batch_id,))
            if rows:
                _copy_events(connection, _day(rows[0]), rows)
            connection.execute(
                "insert into ops.remapped_batches (batch_id) values (%s)"
                " on conflict (batch_id) do update set remapped_at = clock_timestamp()",
                (batch_id,),
            )

    def transform(self, *arguments: str, full_refresh: bool = False, finish: bool = True, command: str = "run") -> Any:
        """Plan a transform, run dbt, mark it finished, as the orchestration does; returns dbt's result.

        Args:
            arguments: Further arguments of dbt, such as --select.
            full_refresh: Build everything anew.
            finish: False: leave it unfinished, as a crash would.
            command: "build" to run the data tests too.
        """
        with psycopg.connect(self.url) as connection:
            connection.execute("delete from ops.transforms where finished_at is null")
            planned = connection.execute(
                "insert into ops.transforms (after_batch_id, upto_batch_id, is_full_refresh, started_at)"
                " select after_batch_id, upto_batch_id, %s, now() from ops.transform_window returning transform_id",
                (full_refresh,),
            ).fetchone()
        unit_tests = ["--exclude-resource-type", "unit_test"] if command == "build" else []
        result = self.dbt(command, *unit_tests, *arguments, *(["--full-refresh"] if full_refresh else []))
        if finish:
            assert result.success, failures(result)
            with psycopg.connect(self.url) as connection:
                connection.execute("update ops.transforms set finished_at = now() where transform_id = %s", planned)
                connection.execute("update ops.sites set is_rebuild_pending = false")
                connection.execute("delete from ops.requested_days")
                connection.execute("delete from ops.remapped_batches")
        return result

    def dbt(self, *arguments: str) -> Any:
        """Run dbt in this process, parsed once."""
        if self._manifest is None:
            parsed = run_dbt(self.url, self.target, "parse")
            assert parsed.success, parsed.exception
            self._manifest = parsed.result
            self.dbt("seed")
        return run_dbt(self.url, self.target, *arguments, manifest=self._manifest)


def _day(event: Row) -> date:
    received: datetime = event["received_at"]
    return received.astimezone(UTC).date()


def _copy_events(connection: psycopg.Connection[Any], day: date, events: list[Row]) -> None:
    connection.execute(
        sql.SQL("create table if not exists {} partition of raw.events for values from ({}) to ({})").format(
            sql.Identifier("raw", f"events_{day:%Y_%m_%d}"),
            sql.Literal(f"{day} 00:00+00"),
            sql.Literal(f"{day + timedelta(days=1)} 00:00+00"),
        )
    )
    columns = sorted({name for event in events for name in event} | {"loaded_at"})
    copy = sql.SQL("copy raw.events ({}) from stdin").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    with connection.cursor().copy(copy) as rows:
        for event in events:
            rows.write_row([event.get(name) if name != "loaded_at" else event["received_at"] for name in columns])
