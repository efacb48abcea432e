"""Who may work beside whom: two advisory locks of the warehouse, freed by the server however their holder ends.

            load   transform   closing a day   compaction   replay from the archive   purge   rebuild
    ledger   x                                     x                    x               x        x
    models             x             x                                                  x        x

A load goes on beside a transform, whose window was fixed before it began. A purge and a rebuild remove rows that a
transform reads. Whoever needs both takes the models first, so no two can wait for each other.
"""

import contextlib
from collections.abc import Iterator
from enum import IntEnum

import psycopg

from orchestration.database import Connection
from orchestration.errors import LedgerBusy, ModelsBusy

_APPLICATION = "tidemill "
"""Begins the name under which a holder is seen in `pg_stat_activity`; the kind of its work follows."""


class Lock(IntEnum):
    """What is held; the value is the key of the advisory lock."""

    LEDGER = 0x7469_6465_0002
    MODELS = 0x7469_6465_0003


@contextlib.contextmanager
def exclusive_ledger(connection: Connection, *, work: str, wait_s: float) -> Iterator[None]:
    """Hold the ledger and what it describes: `raw` and the landing zone.

    The lock orders the work; that nothing is counted twice does not rest on it but on the conditional updates of the
    ledger, so a session lost while its lock is taken by another does no harm.

    Args:
        connection: Session that carries the lock.
        work: One word for those who have to wait: `load`, `purge`, …
        wait_s: Seconds to wait for another holder.

    Raises:
        LedgerBusy: the other holder did not finish in time.
    """
    with _exclusive(connection, Lock.LEDGER, work, wait_s, LedgerBusy):
        yield


@contextlib.contextmanager
def exclusive_models(connection: Connection, *, work: str, wait_s: float) -> Iterator[None]:
    """Hold the models' tables and the transform's window.

    Args:
        connection: Session that carries the lock.
        work: One word for those who have to wait: `transform`, `purge`, …
        wait_s: Seconds to wait for another holder.

    Raises:
        ModelsBusy: the other holder did not finish in time.
    """
    with _exclusive(connection, Lock.MODELS, work, wait_s, ModelsBusy):
        yield


def holder(connection: Connection, lock: Lock) -> str | None:
    """Who holds the lock and since when, in words such as `transform since 14:03:05 UTC`; None: nobody."""
    row = connection.execute(
        "select application_name, to_char(backend_start at time zone 'UTC', 'HH24:MI:SS')"
        " from pg_locks left join pg_stat_activity using (pid)"
        " where locktype = 'advisory' and granted and objsubid = 1"
        " and pg_locks.database = (select oid from pg_database where datname = current_database())"
        " and (classid::bigint << 32) + objid::bigint = %s",
        (lock.value,),
    ).fetchone()
    if row is None:
        return None
    name, started = row  # null for those who may not look into other roles' sessions
    return f"{(name or 'run').removeprefix(_APPLICATION)} since {started} UTC" if started else "run"


@contextlib.contextmanager
def _exclusive(
    connection: Connection, lock: Lock, work: str, wait_s: float, busy: type[LedgerBusy | ModelsBusy]
) -> Iterator[None]:
    wait_ms = max(1, round(wait_s * 1000))
    connection.execute("select set_config('lock_timeout', %s, false)", (f"{wait_ms}ms",))
    try:
        connection.execute("select pg_advisory_lock(%s)", (lock.value,))
    except psycopg.errors.LockNotAvailable:
        other = holder(connection, lock) or "run"
        raise busy(f"another {other} is at work (waited {wait_s:g} s); try again later") from None
    finally:
        connection.execute("reset lock_timeout")
    connection.execute("select set_config('application_name', %s, false)", (_APPLICATION + work,))
    try:
        yield
    finally:
        with contextlib.suppress(psycopg.OperationalError):  # a lost session has lost its lock
            connection.execute("select pg_advisory_unlock(%s)", (lock.value,))
