"""Running the collector: Granian with worker processes, drained on SIGTERM."""

import ctypes
import gc
import os
import shutil
import sys
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from collector.limits import HEADER_BYTES_MAX
from collector.log import configure_logs
from collector.settings import CollectorSettings
from collector.shipping import ShippingProcess
from collector.worker import run_worker
from landing.sites import load_sites

THREADS = 4
"""Threads of one worker that read and map requests; none waits for the disk. They share one interpreter, and more of
them would only pass it round; fewer would let one client who sends its body slowly hold up the others."""

_CONNECTIONS = 1_024
"""Connections that one worker accepts; more wait in the kernel."""

_KILL_AFTER_S = 5
"""SIGTERM ends a collector within 10 s: its workers in half of it, the shipping process in the rest."""

_M_ARENA_MAX = -8  # from malloc.h of the GNU C library
_HEAPS = 2

_ALLOCATIONS_A_COLLECTION = 50_000

_LOGS_TO_ROOT = {"version": 1, "disable_existing_loggers": False, "loggers": {"_granian": {"propagate": True}}}
"""Granian's messages go where `configure_logs` sends everything."""

_METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def serve(settings: CollectorSettings) -> None:
    """Serve until SIGTERM or SIGINT; returns when every worker has stopped.

    Workers are forked, so this process must not have imported `prometheus_client` or pyarrow before.

    Raises:
        SitesFileInvalid: the sites file cannot be used.
    """
    if "collector.metrics" in sys.modules:
        raise RuntimeError("collector.metrics was imported before the server could share its counters")
    load_sites(settings.sites)
    _share_metrics(settings)
    server = Granian(
        "collector",
        address=settings.collector_host,
        port=settings.collector_port,
        interface=Interfaces.WSGI,
        workers=settings.collector_workers,
        blocking_threads=THREADS,
        backpressure=_CONNECTIONS,
        http1_settings=HTTP1Settings(keep_alive=True, max_buffer_size=HEADER_BYTES_MAX),
        log_level=LogLevels.error,  # it warns of more threads than cores
        log_dictconfig=_LOGS_TO_ROOT,
        respawn_failed_workers=True,
        workers_kill_timeout=_KILL_AFTER_S,
    )
    worker = _Worker(settings)
    shipping = ShippingProcess()
    try:
        server.serve(spawn_target=worker.run, target_loader=worker.load, wrap_loader=False)
    finally:
        shipping.stop()


def _share_metrics(settings: CollectorSettings) -> None:
    """An empty folder for the counters of all workers: those of an earlier start would be counted again."""
    shutil.rmtree(settings.metrics_folder, ignore_errors=True)
    settings.metrics_folder.mkdir(parents=True)
    os.environ[_METRICS_VARIABLE] = str(settings.metrics_folder)


def _share_heap() -> None:
    """Let all threads of this process allocate from few heaps, where the C library can.

    By default each thread may get a heap of its own, and what a conversion freed in one is of no use to the others:
    some 20 MB a worker.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _HEAPS)


def _collect_rarely() -> None:
    """Look for cyclic garbage only now and then, and never among what lives as long as the process.

    Requests leave no cycles behind; but whoever waits for the disk would be walked through again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_A_COLLECTION)


class _Worker:
    """What runs in a worker process, after the fork."""

    def __init__(self, settings: CollectorSettings) -> None:
        self._settings = settings
        self._server_pid = os.getpid()
        self._collector: Any = None

    def load(self) -> Any:  # noqa: ANN401  (a WSGI application)
        """Called by Granian in the worker."""
        from collector.runtime import Collector  # noqa: PLC0415  (counters must be made in the worker)

        self._collector = Collector(self._settings, server_pid=self._server_pid)
        self._collector.start()
        _collect_rarely()
        return self._collector.app().wsgi_app

    def run(self, *args: Any) -> None:  # noqa: ANN401  (Granian's own)
        """The life of a worker: serve, answer what is in flight when told to stop, seal what was accepted."""
        configure_logs()
        _share_heap()
        run_worker(*args)
        self._collector.stop()
