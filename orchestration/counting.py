"""What the ledger counts of a batch's rows: landed and late ones, by owner and reject reason."""

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from landing.contract import Dataset


def happened_at(rows: pa.Table, dataset: Dataset) -> pa.ChunkedArray:
    """When each row happened; only events tell, everything else happens when it is received."""
    return rows[dataset.happened]


def is_late(rows: pa.Table, dataset: Dataset, horizon: datetime | None) -> pa.ChunkedArray:
    """Which rows happened before the purge horizon, and so are archived and counted but not loaded."""
    happened = happened_at(rows, dataset)
    if horizon is None or not dataset.can_be_late:
        return pa.chunked_array([pa.repeat(pa.scalar(value=False), len(happened))])
    return pc.less(happened, pa.scalar(horizon, happened.type))


def was_late(rows: pa.Table, dataset: Dataset, late_rows: int) -> pa.ChunkedArray:
    """Which rows of a batch were late when it was loaded: those that happened first, for a horizon divided them."""
    happened = happened_at(rows, dataset)
    if not late_rows:
        return pc.less(happened, pc.min(happened))
    newest_late = happened.combine_chunks().sort()[late_rows - 1]
    return pc.less_equal(happened, newest_late)


def count_rows(rows: pa.Table, dataset: Dataset, day: date, late: pa.ChunkedArray) -> list[dict[str, Any]]:
    """Landed and late rows by owner and reject reason; '' stands for none of either.

    The owner is a site; of check-ins it is the fleet, of rows of declared tables the app. `site_id` holds it for all.
    """
    no_reason = pa.chunked_array([pa.repeat(pa.scalar(""), rows.num_rows)])
    counted = pa.table(
        {
            "site_id": pc.fill_null(rows[dataset.owner], ""),
            "reason": no_reason if dataset.reason is None else rows[dataset.reason],
            "late": pc.cast(late, pa.int64()),
        }
    )
    groups = counted.group_by(["site_id", "reason"]).aggregate([([], "count_all"), ("late", "sum")])
    return [
        {
            "site_id": each["site_id"],
            "received_date": day.isoformat(),
            "reason": each["reason"],
            "landed_rows": each["count_all"],
            "late_rows": each["late_sum"],
        }
        for each in groups.sort_by([("site_id", "ascending"), ("reason", "ascending")]).to_pylist()
    ]
