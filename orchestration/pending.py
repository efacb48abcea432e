"""Whether a transform has anything to do."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from orchestration.database import Connection, statement
from orchestration.sites_table import sync_sites


def pending_work(connection: Connection, sites_file: Path, *, clock: Callable[[], datetime]) -> str:
    """What the next transform has to do, in words; empty when the marts are up to date.

    The sites file is looked at first: changed rules of a site are work, too.

    Raises:
        SitesFileInvalid: the file cannot be used.
    """
    sync_sites(connection, sites_file, clock=clock)
    cursor = connection.execute(statement("pending"))
    counts = zip([column.name for column in cursor.description or ()], cursor.fetchone() or (), strict=True)
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts if count)
