"""An archive with something to compact, and what must be the same before and after."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from landing.keys import ArchiveKey
from landing.store import DirectoryStore, MemoryStore, Store
from orchestration.closing import close_days
from orchestration.compaction import CompactionLimits, CompactionReport, compact_archive
from orchestration.database import connect
from orchestration.load import load_inbox
from orchestration.plan import LoadLimits
from orchestration.rebuild import rebuild_raw
from tests.orchestration.ledger_state import dump
from tests.orchestration.traffic import NOON, Writer, event, reject, visits

RAW = ("raw.events", "raw.rejects")
LEDGER = ("ops.load_batches", "ops.load_objects", "ops.load_counts")
FORGOTTEN = ("committed_at", "noticed_at", "purge_horizon")
"""What the archive does not remember."""

MOVED = (*FORGOTTEN, "archive_key", "archive_bytes")
DAYS = (NOON, NOON + timedelta(days=1))
NOW = NOON + timedelta(days=40)


@dataclass(frozen=True)
class Filled:
    """What `fill` made.

    Attributes:
        database_url: The warehouse.
        store: The landing zone.
    """

    database_url: str
    store: MemoryStore

    def copy_objects(self, other: Store) -> None:
        """Put every object of the landing zone into another."""
        for info in self.store.list(""):
            other.put(info.key, self.store.get(info.key))

    def write_objects(self, folder: Path) -> DirectoryStore:
        """The landing zone in a folder, without the patience of a store that must not lose it."""
        for info in self.store.list(""):
            path = folder / info.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.store.get(info.key))
        return DirectoryStore(folder)


def fill(store: Store, database_url: str) -> None:
    """Two days of varied events and rejects in many batches, some rows late, the first day closed."""
    writer = Writer(store)
    for number, day in enumerate(DAYS):
        rows = list(visits(seed=number, start=day, seconds=3000, rows=60))
        for start in range(0, 60, 10):
            writer.ship(events=rows[start : start + 10], rejects=[reject(day)])
    load(store, database_url)
    with connect(database_url) as connection:
        connection.execute("insert into ops.purged_days values ('2026-03-09', 0, now())")
    late = [event(NOON, occurred_at=NOON - timedelta(days=1, minutes=n), raw='{"id": 1}') for n in range(3)]
    writer.ship(events=[*late, event(NOON)])
    load(store, database_url)
    close(database_url, 1)


def load(store: Store, database_url: str) -> None:
    load_inbox(store=store, database_url=database_url, clock=lambda: NOON, limits=LoadLimits(batch_objects_max=2))


def close(database_url: str, days: int) -> None:
    with connect(database_url) as connection:
        close_days(connection, [day.date() for day in DAYS[:days]], clock=lambda: NOW)


def compact(store: Store, database_url: str, limits: CompactionLimits | None = None) -> CompactionReport:
    with connect(database_url) as connection:
        return compact_archive(store=store, connection=connection, limits=limits, lock_wait_s=0.05)


def rebuild(store: Store, database_url: str) -> None:
    rebuild_raw(store=store, database_url=database_url, clock=lambda: NOW)


def contents(database_url: str, without: tuple[str, ...] = MOVED) -> tuple[dict[str, list[str]], ...]:
    return dump(database_url, *RAW), dump(database_url, *LEDGER, without=without)


def archived(store: Store, prefix: str = "archive/") -> list[ArchiveKey]:
    keys = [ArchiveKey.parse(info.key) for info in store.list(prefix)]
    return [key for key in keys if key is not None]
