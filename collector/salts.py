"""Salts of cookieless visitors: one random key per site-local date, the same for all collectors, then destroyed.

The landing zone decides: whoever stores the key of a date first wins (`put_new`). A copy in the home folder
lets a collector start and count while the store is away; should another collector have won meanwhile, its key
is taken over as soon as the store answers, and the visitors of that outage count once more.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from collector.time import local_date
from landing.errors import LandingError, ObjectExists, ObjectMissing
from landing.keys import SALTS_PREFIX, salt_key
from landing.store import Store

log = structlog.get_logger(__name__)

IMPORT_SALT = "import"
"""Name of the lasting key of log imports: reading a log twice must give the same visitors."""

_SALT_BYTES = 32
_STORE_WAIT_S = 2.0
_OVER_EVERYWHERE = timedelta(days=1, hours=12)
"""A date ends last at UTC-12, that is 36 hours after it began in UTC."""


class Salts:
    """Hands out salts and destroys them when their date is over everywhere on Earth.

    Args:
        store: The landing zone, shared by all collectors.
        home: A store in the home folder, shared by the processes of this machine.
        clock: Now, UTC.
    """

    def __init__(self, store: Store, home: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._home = home
        self._clock = clock
        self._known: dict[str, bytes] = {}
        self._agreed: set[str] = set()
        self._lock = threading.Lock()

    def of_date(self, day: date) -> bytes:
        """The salt of a site-local date."""
        return self.named(day.isoformat())

    def named(self, name: str) -> bytes:
        """The salt called `name`. Waits up to two seconds for the store when it is first asked for, then never."""
        salt = self._known.get(name)
        if salt is None:
            with self._lock:
                salt = self._known.get(name) or self._find(name)
                self._known[name] = salt
        return salt

    def tend(self, zones: Iterable[ZoneInfo]) -> None:
        """Agree with the store on the salts of today and tomorrow in `zones`; destroy those that are over.

        For the background: it may take as long as the store does.

        Raises:
            LandingError: the store is away; call again later.
        """
        now = self._clock()
        for day in sorted(
            {local_date(now + ahead, zone) for zone in zones for ahead in (timedelta(), timedelta(days=1))}
        ):
            self._agree(f"{day:%Y-%m-%d}")
        for name in sorted(self._known):
            self._agree(name)
        self._destroy(now)

    def _find(self, name: str) -> bytes:
        """From the home folder, else from the store if it answers soon, else made up and agreed on later."""
        try:
            return self._home.get(salt_key(name))
        except LandingError:
            pass
        found: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found.put(_first(self._store, name, os.urandom(_SALT_BYTES)))
            except LandingError as error:
                log.warning("store unavailable; a provisional visitor salt is used", error=str(error))
                found.put(None)

        threading.Thread(target=ask, name="salt", daemon=True).start()
        try:
            agreed = found.get(timeout=_STORE_WAIT_S)
        except queue.Empty:
            agreed = None
        proposal = agreed or os.urandom(_SALT_BYTES)
        try:
            return _first(self._home, name, proposal)
        except LandingError:  # a full disk: this process counts with its own salt until the store answers
            return proposal

    def _agree(self, name: str) -> None:
        """Make the store's salt ours."""
        if name in self._agreed:
            return
        agreed = _first(self._store, name, self._known.get(name) or _get(self._home, name) or os.urandom(_SALT_BYTES))
        self._home.put(salt_key(name), agreed)
        self._known[name] = agreed
        self._agreed.add(name)

    def _destroy(self, now: datetime) -> None:
        over = f"{(now - _OVER_EVERYWHERE).date():%Y-%m-%d}"
        for store in (self._store, self._home):
            for found in list(store.list(SALTS_PREFIX)):
                name = found.key.removeprefix(SALTS_PREFIX)
                if _is_date(name) and name <= over:
                    store.delete(found.key)
        for name in [name for name in self._known if _is_date(name) and name <= over]:
            del self._known[name]
            self._agreed.discard(name)


def _first(store: Store, name: str, proposal: bytes) -> bytes:
    """What the store holds under the name after proposing `proposal`."""
    try:
        return store.get(salt_key(name))
    except ObjectMissing:
        pass
    try:
        store.put_new(salt_key(name), proposal)
    except ObjectExists:
        return store.get(salt_key(name))
    return proposal


def _get(store: Store, name: str) -> bytes | None:
    try:
        return store.get(salt_key(name))
    except ObjectMissing:
        return None


def _is_date(name: str) -> bool:
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return len(name) == len("2000-01-01")
