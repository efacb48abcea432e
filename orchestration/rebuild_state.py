"""Whether a rebuild from the archive was begun and not finished."""

from orchestration.database import Connection
from orchestration.errors import RebuildUnfinished


def require_no_rebuild(connection: Connection) -> None:
    """Do nothing, unless a rebuild is unfinished.

    Raises:
        RebuildUnfinished: the ledger does not know every archived batch, so a load would take objects twice, a
            transform would see a part of the events, and a purge would trust incomplete counts.
    """
    row = connection.execute("select max(started_at) from ops.rebuilds where finished_at is null").fetchone()
    if row and row[0] is not None:
        raise RebuildUnfinished(
            f"the rebuild begun at {row[0]:%Y-%m-%dT%H:%M:%SZ} has not finished: let it end, or run it again"
        )
