"""The one step that turns landed rows into loaded rows."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from landing.contract import EVENTS, Dataset
from landing.schema import INSTANT, loaded_schema
from orchestration.enrich.devices import devices
from orchestration.enrich.places import Places
from orchestration.enrich.urls import pages, referrer_hosts


def enrich(table: pa.Table, *, dataset: Dataset, batch_id: str, loaded_at: datetime, places: Places) -> pa.Table:
    """Rows of `dataset` with the columns that the load adds. Rows are neither dropped, added nor reordered.

    Args:
        table: The landed columns.
        dataset: What the rows are; only events are enriched, every dataset gets its batch.
        batch_id: Batch that loads them.
        loaded_at: When that batch was planned.
        places: Where addresses are.
    """
    added = _event_columns(table, places) if dataset == EVENTS else {}
    added["batch_id"] = pa.repeat(pa.scalar(batch_id), table.num_rows)
    added["loaded_at"] = pa.repeat(pa.scalar(loaded_at, INSTANT), table.num_rows)
    schema = loaded_schema(dataset)
    columns = [added.get(name, table[name] if name in table.schema.names else None) for name in schema.names]
    return pa.Table.from_arrays(columns, schema=schema)


def _event_columns(table: pa.Table, places: Places) -> dict[str, pa.Array]:
    added = pages(table["page_url"])
    # What the client reported as a parameter of its own counts before what its page's address says.
    click_id, kind = added["click_id"], added["click_id_kind"]
    told = table["click_id"].combine_chunks()
    added["click_id"] = pc.coalesce(told, click_id)
    added["click_id_kind"] = pc.if_else(pc.is_valid(told), table["click_id_kind"].combine_chunks(), kind)
    added["referrer_host"] = referrer_hosts(table["page_referrer"])
    added |= devices(table["user_agent"], table["automation"], table["protocol"])
    added |= places.columns(table["ip"])
    return added
