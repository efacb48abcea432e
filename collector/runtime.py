"""One collector process put together: for a worker of the server, and for commands that replay or import."""

import os
import signal
import socket
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from flask import Flask

from collector.app import create_app
from collector.intake import Intake
from collector.metrics import Metrics
from collector.salts import Salts
from collector.scripts import read_scripts
from collector.settings import CollectorSettings
from collector.ship import Shipper
from collector.spool import Spool, SpoolLimits
from collector.tend import Tender
from landing.errors import LandingError
from landing.sites import SitesFile
from landing.store import DirectoryStore, Store

log = structlog.get_logger(__name__)

_TEND_PERIOD_S = 60


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


class Collector:
    """Everything of one process.

    Args:
        settings: From the environment.
        clock: Now, UTC.
        store: The landing zone; opened from the settings unless given.
        server_pid: The process whose worker this is; it stops when that one is gone. None for no worker.

    Raises:
        SitesFileInvalid: the sites file cannot be used.
        ScriptsUnusable: the tracker's build is incomplete.
        OSError: the spool's folder cannot be made.
    """

    def __init__(
        self,
        settings: CollectorSettings,
        *,
        clock: Callable[[], datetime] = utc_now,
        store: Store | None = None,
        server_pid: int | None = None,
    ) -> None:
        self.collector_id = uuid.uuid4().hex[:16]
        self.clock = clock
        self.store = settings.open_store() if store is None else store
        self.sites = SitesFile(settings.sites)
        self.metrics = Metrics(settings.spool_folder)
        self.salts = Salts(self.store, DirectoryStore(settings.home), clock=clock)
        self.spool = Spool(
            settings.spool_folder,
            writer_id=self.collector_id,
            limits=SpoolLimits(
                limit_bytes=settings.spool_limit_bytes,
                segment_max_bytes=settings.segment_max_bytes,
                segment_max_seconds=settings.segment_max_seconds,
            ),
            clock=clock,
            observe_sync_s=self.metrics.observe_sync,
        )
        self.shipper = Shipper(settings.spool_folder, self.store, count_shipped=self.metrics.count_shipped)
        self._tender = Tender(self.spool, chores=self._do_chores)
        self.scripts = read_scripts(settings.scripts_folder)
        self._tracker_path = settings.tracker_path
        self.intake = Intake(
            sites=self.sites.current,
            sink=self.spool,
            salts=self.salts,
            metrics=self.metrics,
            collector_id=self.collector_id,
            scripts=self.scripts,
            processes=1 if server_pid is None else settings.collector_workers,
        )
        self._server_pid = server_pid
        self._tended_at: datetime | None = None
        self._told_of: LandingError | None = None

    def app(self) -> Flask:
        """The WSGI application."""
        return create_app(
            intake=self.intake,
            probe=self.spool.probe,
            metrics=self.metrics,
            clock=self.clock,
            scripts=self.scripts,
            tracker_path=self._tracker_path,
        )

    def start(self) -> None:
        """Begin to seal in the background; another process ships."""
        self.spool.measure()
        self._tender.start()
        log.info("collector ready", collector_id=self.collector_id, host=socket.gethostname())

    def stop(self) -> None:
        """Seal what was accepted, so that it can be shipped."""
        self._tender.stop()
        self.spool.seal()
        self.metrics.add_up()
        log.info("collector stopped", collector_id=self.collector_id)

    def close(self, timeout_s: float) -> bool:
        """Seal and ship what was accepted; returns whether the spool is empty. What is left, the next one adopts."""
        self.stop()
        is_empty = self.shipper.ship_rest(timeout_s)
        self.metrics.add_up()
        return is_empty

    def _watch_sites(self) -> None:
        """Take a changed file even without traffic, and tell of one that cannot be used, once."""
        self.sites.current()
        error = self.sites.error
        if error is not None and error is not self._told_of:
            log.error("the changed sites file cannot be used; the last valid one stays", error=str(error))
        self._told_of = error

    def _do_chores(self) -> None:
        self.metrics.add_up()
        self.metrics.reserve_room()
        if self._server_pid is not None and os.getppid() != self._server_pid:
            log.warning("the server is gone; this worker stops")
            # Again and again: a worker that is only starting may miss it.
            os.kill(os.getpid(), signal.SIGTERM)
        self._watch_sites()
        now = self.clock()
        if self._tended_at is None or (now - self._tended_at).total_seconds() >= _TEND_PERIOD_S:
            self._tended_at = now
            try:
                self.salts.tend(self.intake.directory().zones())
            except LandingError as error:
                log.warning("visitor salts could not be agreed on; trying again", error=str(error))
