"""What the next transform covers: planned before dbt starts, finished after it ended well.

The models read the window from the view `ops.transform_window`. A transform that did not finish leaves its plan; the
next one takes it over with the batches that were committed since, so a window never starts behind an unfinished one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from orchestration.closing import request_days
from orchestration.database import Connection
from orchestration.rebuild_state import require_no_rebuild


@dataclass(frozen=True, slots=True)
class TransformPlan:
    """A running transform.

    Attributes:
        transform_id: Its row of `ops.transforms`.
        after_batch_id: Newest batch that was covered before; '' for a full refresh.
        upto_batch_id: Newest batch that it covers.
        is_full_refresh: Every model is built anew. One that died stays one until it is finished: half of the models
            were built anew, so nothing less can be right.
        requested_days: Days asked for, with the time of the request.
        pending_sites: Sites whose settings changed, with the time of the change.
        remapped_batches: Batches whose rows were mapped anew, with the time of that.
    """

    transform_id: int
    after_batch_id: str
    upto_batch_id: str
    is_full_refresh: bool
    requested_days: tuple[tuple[date, datetime], ...]
    pending_sites: tuple[tuple[str, datetime], ...]
    remapped_batches: tuple[tuple[str, datetime], ...]

    @property
    def has_work(self) -> bool:
        """Whether anything was committed, asked for or changed since the last finished transform."""
        is_behind = self.after_batch_id != self.upto_batch_id
        return is_behind or bool(self.requested_days or self.pending_sites or self.remapped_batches)


def plan_transform(
    connection: Connection,
    *,
    clock: Callable[[], datetime],
    full_refresh: bool = False,
    requested_days: Sequence[date] = (),
) -> TransformPlan:
    """Write the plan of a transform of everything committed so far; an unfinished one is widened.

    Args:
        connection: Session on the warehouse.
        clock: The time of the plan.
        full_refresh: Cover every batch there is.
        requested_days: Days whose summaries are rebuilt although no event touched them.

    Raises:
        RebuildUnfinished: `raw` is incomplete.
    """
    with connection.transaction():
        connection.execute("lock table ops.transforms in share row exclusive mode")
        require_no_rebuild(connection)
        request_days(connection, requested_days, clock=clock)
        after, upto = _window(connection)
        is_full = full_refresh or _is_full_refresh_unfinished(connection)
        values = ("" if is_full else after, upto, is_full, clock())
        update = (
            "update ops.transforms set after_batch_id = %s, upto_batch_id = %s, is_full_refresh = %s, started_at = %s"
            " where finished_at is null returning transform_id"
        )
        insert = (
            "insert into ops.transforms (after_batch_id, upto_batch_id, is_full_refresh, started_at)"
            " values (%s, %s, %s, %s) returning transform_id"
        )
        row = connection.execute(update, values).fetchone() or connection.execute(insert, values).fetchone()
        assert row is not None  # noqa: S101  (an insert with `returning` gives a row)
        days = connection.execute("select day, requested_at from ops.requested_days order by day").fetchall()
        sites = connection.execute(
            "select site_id, updated_at from ops.sites where is_rebuild_pending order by site_id"
        ).fetchall()
        remapped = connection.execute(
            "select batch_id, remapped_at from ops.remapped_batches order by batch_id"
        ).fetchall()
    return TransformPlan(row[0], values[0], upto, is_full, tuple(days), tuple(sites), tuple(remapped))


def finish_transform(connection: Connection, plan: TransformPlan, *, clock: Callable[[], datetime]) -> None:
    """Record that every model covers the plan's window, and clear the requests that it answered.

    A request or a change of settings that came in meanwhile stays for the next transform.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "update ops.transforms set finished_at = %s where transform_id = %s", (clock(), plan.transform_id)
        )
        cursor.executemany("delete from ops.requested_days where day = %s and requested_at = %s", plan.requested_days)
        cursor.executemany(
            "update ops.sites set is_rebuild_pending = false where site_id = %s and updated_at = %s", plan.pending_sites
        )
        cursor.executemany(
            "delete from ops.remapped_batches where batch_id = %s and remapped_at = %s", plan.remapped_batches
        )


def transformed_upto(connection: Connection) -> str:
    """The newest batch that a finished transform covers; '' when there is none."""
    row = connection.execute(
        "select coalesce(max(upto_batch_id), '') from ops.transforms where finished_at is not null"
    ).fetchone()
    return str(row[0]) if row else ""


def _is_full_refresh_unfinished(connection: Connection) -> bool:
    row = connection.execute(
        "select exists (select from ops.transforms where finished_at is null and is_full_refresh)"
    ).fetchone()
    return bool(row and row[0])


def _window(connection: Connection) -> tuple[str, str]:
    """The newest covered and the newest committed batch."""
    row = connection.execute(
        "select coalesce(max(batch_id), '') from ops.load_batches where state = 'committed'"
    ).fetchone()
    return transformed_upto(connection), str(row[0]) if row else ""
