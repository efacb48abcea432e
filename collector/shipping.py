"""The process that ships, one beside the workers: converting to Parquet needs memory and must not delay answers.

It lives as long as somebody holds the other end of its standard input, that is the server and the workers forked from
it; then it ships what they left and ends. So it outlives every worker whose last segment it is to ship, and nobody has
to tell it how they ended. `python -m collector.shipping` is only for `ShippingProcess`.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time

import structlog

from collector.log import configure_logs
from collector.settings import CollectorSettings
from collector.ship import Shipper

log = structlog.get_logger(__name__)

THREADS = 2
"""One segment is converted while the store is waited for with another, or both at once where a core is free."""

_NICENESS = 14
"""The threads together have less than a tenth of a worker's share of a busy processor: what is in the spool is safe and
can wait, a browser cannot."""

_COUNT_PERIOD_S = 1.0
_SHIP_AT_END_S = 3.0
_KILL_AFTER_S = 4.0
_RESTART_S = 1.0


class ShippingProcess:
    """Keeps one shipping process running beside the server.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process = self._spawn()
        self._thread = threading.Thread(target=self._watch, name="shipping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let it ship what is left, for some seconds; the rest stays in the spool for the next collector."""
        self._stopping.set()
        self._hang_up()
        self._thread.join(_KILL_AFTER_S)
        if self._thread.is_alive():  # the store hangs
            self._process.kill()
            self._thread.join()

    def _watch(self) -> None:
        while True:
            status = self._process.wait()
            self._hang_up()
            if self._stopping.is_set():
                return
            log.error("the shipping process ended; it is started again", status=status)
            if self._stopping.wait(_RESTART_S):
                return
            self._process = self._spawn()

    def _hang_up(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        """A program of its own, not a fork: this process may have threads, and no memory is shared."""
        # Whoever stops the whole group means the server. A mask is inherited, so there is no moment without it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        try:
            return subprocess.Popen([sys.executable, "-m", "collector.shipping"], stdin=subprocess.PIPE)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main() -> int:
    """Ship until the other end of standard input is closed, then what is left."""
    configure_logs()
    import collector.convert  # noqa: F401, PLC0415  (it takes a second, which on a busy machine would become many)

    os.nice(_NICENESS)
    from collector.metrics import Metrics  # noqa: PLC0415  (the server has said by now where counters are shared)

    settings = CollectorSettings()
    metrics = Metrics(settings.spool_folder)
    shipper = Shipper(settings.spool_folder, settings.open_store(), count_shipped=metrics.count_shipped)
    stopping = threading.Event()
    threads = [
        threading.Thread(target=shipper.run, args=(stopping,), name=f"shipper-{number}", daemon=True)
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    while select.select([sys.stdin], [], [], _COUNT_PERIOD_S)[0] == []:
        metrics.add_up()
        metrics.reserve_room()
    stopping.set()
    deadline_s = time.monotonic() + _SHIP_AT_END_S
    for thread in threads:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    if not any(thread.is_alive() for thread in threads):
        shipper.ship_rest(_SHIP_AT_END_S)
    metrics.add_up()
    return 0


if __name__ == "__main__":
    sys.exit(main())
