"""What a worker does besides answering: it seals its segment in time, measures the spool, and does its chores."""

import threading
import time
from collections.abc import Callable

import structlog

from collector.spool import Spool, remove_unfinished

log = structlog.get_logger(__name__)

_TICK_S = 0.1
_CHORES_PERIOD_S = 1.0


class Tender:
    """Looks after a spool in a thread of its own.

    Args:
        spool: Sealed by age and hour; its folder is measured and cleaned.
        chores: Called about once a second.
    """

    def __init__(self, spool: Spool, *, chores: Callable[[], None] = lambda: None) -> None:
        self._spool = spool
        self._chores = chores
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tender", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once what is being done is done."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        chores_at_s = 0.0
        while not self._stopping.wait(_TICK_S):
            try:
                if self._spool.is_due():
                    self._spool.seal()
                if time.monotonic() >= chores_at_s:
                    chores_at_s = time.monotonic() + _CHORES_PERIOD_S
                    remove_unfinished(self._spool.folder)
                    self._spool.measure()
                    self._chores()
            except Exception:
                log.exception("a chore failed in an unforeseen way; they go on")
