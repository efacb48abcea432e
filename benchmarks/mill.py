"""One mill in a temporary folder: a spool, a landing zone in a folder, embedded Postgres with its default settings."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dbt.cli.main import dbtRunner

from benchmarks.segments import SITES, write_segments
from collector.ship import Shipper
from collector.shipping import THREADS
from landing.sites import load_sites
from landing.store import DirectoryStore
from orchestration.assets.models import dbt_arguments
from orchestration.database import connect, migrate
from orchestration.dbt_files import PROJECT, dbt_environment
from orchestration.load import LoadReport, load_inbox
from orchestration.sites_table import sync_sites
from orchestration.transform_window import finish_transform, plan_transform
from tidemill.embedded import embedded_postgres


def now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Mill:
    """The parts, and the three acts that are measured."""

    home: Path
    database_url: str

    @property
    def store(self) -> DirectoryStore:
        """The landing zone."""
        return DirectoryStore(self.home / "landing")

    def fill_spool(self, lines: list[bytes], *, received_at: datetime, writer_id: str) -> None:
        """Segments wait to be shipped."""
        write_segments(self.home / "spool", lines, received_at=received_at, writer_id=writer_id)

    def land(self) -> None:
        """Convert and store every segment, as a collector's shipping process does."""
        shipper = Shipper(self.home / "spool", self.store)
        with ThreadPoolExecutor(THREADS) as pool:
            for shipped in [pool.submit(shipper.ship_sealed) for _ in range(THREADS)]:
                shipped.result()

    def load(self) -> LoadReport:
        """Load what landed."""
        return load_inbox(store=self.store, database_url=self.database_url, clock=now)

    def transform(self) -> float:
        """Transform what was loaded; returns the seconds that dbt took."""
        with connect(self.database_url) as connection:
            sync_sites(connection, SITES, clock=now)
            plan = plan_transform(connection, clock=now)
        started_s = time.monotonic()
        self.dbt(*dbt_arguments(full_refresh=plan.is_full_refresh, with_daily_tests=False))
        seconds = time.monotonic() - started_s
        with connect(self.database_url) as connection:
            finish_transform(connection, plan, clock=now)
        return seconds

    def dbt(self, *arguments: str) -> None:
        """Run dbt in this process, as quietly as it can be."""
        os.environ.update(dbt_environment(self.database_url))
        target = str(self.home / "target")
        folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", target]
        result = dbtRunner().invoke(["--quiet", *arguments, *folders, "--log-path", target])
        if not result.success:
            raise RuntimeError(f"dbt failed: {result.exception or result.result}")


@contextlib.contextmanager
def open_mill() -> Iterator[Mill]:
    """A new, empty mill; gone afterwards."""
    load_sites(SITES)
    with (
        tempfile.TemporaryDirectory(prefix="tm-bench-", dir="/tmp") as folder,
        embedded_postgres(Path(folder)) as urls,
    ):
        migrate(urls["tidemill"])
        mill = Mill(Path(folder), urls["tidemill"])
        mill.dbt("parse")  # once for all runs, as an installed mill does
        yield mill
