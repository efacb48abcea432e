"""Salts: the same for all collectors, there when the store is not, destroyed when their date is over everywhere."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collector.salts import IMPORT_SALT, Salts
from landing.errors import ObjectMissing, StoreUnavailable
from landing.keys import salt_key
from landing.store import DirectoryStore, MemoryStore

DAY = date(2026, 3, 10)
KEY = salt_key("2026-03-10")
ZONES = [ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class AwayStore(MemoryStore):
    """A store that can be away."""

    is_away = True

    def get(self, key: str) -> bytes:
        if self.is_away:
            raise StoreUnavailable("away")
        return super().get(key)

    def put_new(self, key: str, data: bytes) -> None:
        if self.is_away:
            raise StoreUnavailable("away")
        super().put_new(key, data)


def test_all_collectors_get_the_same_salt_and_each_date_its_own(tmp_path: Path) -> None:
    store = MemoryStore()
    first, second = (Salts(store, DirectoryStore(tmp_path / name), clock=Clock()) for name in "ab")
    assert first.of_date(DAY) == second.of_date(DAY) == store.get(KEY)
    assert len(first.of_date(DAY)) == 32
    assert first.of_date(DAY) != first.of_date(DAY + timedelta(days=1))


def test_while_the_store_is_away_the_processes_of_a_machine_agree(tmp_path: Path) -> None:
    store, home = AwayStore(), DirectoryStore(tmp_path)
    salts = Salts(store, home, clock=Clock())
    provisional = salts.of_date(DAY)
    assert Salts(store, home, clock=Clock()).of_date(DAY) == provisional
    with pytest.raises(StoreUnavailable):
        salts.tend(ZONES)

    store.is_away = False
    salts.tend(ZONES)

    assert store.get(KEY) == provisional == salts.of_date(DAY)


def test_the_first_collector_to_store_a_salt_wins_over_provisional_ones(tmp_path: Path) -> None:
    store = AwayStore()
    salts = Salts(store, DirectoryStore(tmp_path), clock=Clock())
    provisional = salts.of_date(DAY)
    store.is_away = False
    store.put_new(KEY, b"x" * 32)

    salts.tend(ZONES)

    assert provisional != salts.of_date(DAY) == b"x" * 32
    assert Salts(AwayStore(), DirectoryStore(tmp_path), clock=Clock()).of_date(DAY) == b"x" * 32


def test_salts_of_today_and_tomorrow_everywhere_are_made_ahead(tmp_path: Path) -> None:
    store = MemoryStore()
    Salts(store, DirectoryStore(tmp_path), clock=Clock()).tend(ZONES)
    assert [info.key for info in store.list("")] == [
        "salts/2026-03-10",  # noon in UTC: Kiritimati is in the 11th already
        "salts/2026-03-11",
        "salts/2026-03-12",
    ]


def test_a_salt_is_destroyed_once_its_date_is_over_everywhere_and_no_sooner(tmp_path: Path) -> None:
    store, home, clock = MemoryStore(), DirectoryStore(tmp_path), Clock()
    salts = Salts(store, home, clock=clock)
    old = salts.of_date(DAY)
    lasting = salts.named(IMPORT_SALT)

    clock.now = datetime(2026, 3, 11, 11, 59, 59, tzinfo=UTC)
    salts.tend(ZONES)
    assert store.get(KEY) == home.get(KEY) == salts.of_date(DAY) == old

    clock.now += timedelta(seconds=1)
    salts.tend(ZONES)
    for each in (store, home):
        with pytest.raises(ObjectMissing):
            each.get(KEY)
    assert salts.of_date(DAY) != old
    assert store.get(salt_key(IMPORT_SALT)) == lasting == salts.named(IMPORT_SALT)
