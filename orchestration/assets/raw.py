"""The raw tables: what waits in the inbox, archived and copied."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from landing.contract import APP_ROWS, CHECKINS, DATASETS, EVENTS, REJECTS
from orchestration.database import Connection, statement
from orchestration.failures import final_failures
from orchestration.load import LoadReport, load_inbox
from orchestration.previews import PREVIEW_ROWS, markdown_table
from orchestration.resources import Mill

OWNERS = ["team:analytics"]

AT_LEAST_DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26), warn_window=timedelta(hours=25))
"""A quiet site sends nothing for hours; only the daily run, which always loads, tells a stopped mill from silence."""

TRANSIENT = dg.RetryPolicy(max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""Stores and databases restart; a load that is repeated does nothing twice."""

RAW_KEYS = {dataset.name: dg.AssetKey(["raw", dataset.name]) for dataset in DATASETS}


def _specs() -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            RAW_KEYS[dataset.name],
            group_name="raw",
            owners=OWNERS,
            kinds={"parquet", "postgres"},
            description=f"`raw.{dataset.name}`: {dataset.grain}.",
            freshness_policy=AT_LEAST_DAILY,
        )
        for dataset in DATASETS
    ]


@dg.multi_asset(name="load_inbox", specs=_specs(), retry_policy=TRANSIENT)
def raw_tables(context: dg.AssetExecutionContext, mill: Mill) -> Iterator[dg.MaterializeResult[None]]:
    """Load everything that waits in the inbox: plan, enrich, archive, copy, commit."""
    with final_failures():
        report = load_inbox(
            store=mill.open_store(),
            database_url=mill.database_url,
            clock=mill.clock(context.run.tags),
            geoip_city_db=mill.settings.geoip_city_db,
            sites_file=mill.settings.sites,
        )
    for found in report.quarantined:
        context.log.error("quarantined %s: %s", found.key, found.reason)
    with mill.connect() as connection:
        previews = {
            EVENTS.name: _events_preview(connection, report),
            REJECTS.name: _rejects_preview(connection, report),
            **{name: _owners_preview(connection, report, name) for name in (CHECKINS.name, APP_ROWS.name)},
        }
    for name, key in RAW_KEYS.items():
        yield dg.MaterializeResult(asset_key=key, metadata=load_metadata(report, name, previews[name]))


def load_metadata(report: LoadReport, dataset: str, preview: str) -> dict[str, dg.MetadataValue]:
    """What the run did to one raw table. Batches, objects and bytes are those of the whole load."""
    return {
        "loaded_rows": dg.MetadataValue.int(report.loaded_rows.get(dataset, 0)),
        "landed_rows": dg.MetadataValue.int(report.landed_rows.get(dataset, 0)),
        "late_rows": dg.MetadataValue.int(report.late_rows.get(dataset, 0)),
        "batches": dg.MetadataValue.int(len(report.batch_ids)),
        "repeated_batches": dg.MetadataValue.int(len(report.repeated_batch_ids)),
        "objects": dg.MetadataValue.int(report.objects),
        "object_bytes": dg.MetadataValue.int(report.size_bytes),
        "archive_bytes": dg.MetadataValue.int(report.archive_bytes),
        "quarantined_objects": dg.MetadataValue.int(len(report.quarantined)),
        "received_days": dg.MetadataValue.text(", ".join(str(day) for day in sorted(report.days))),
        "seconds": dg.MetadataValue.float(round(report.seconds, 3)),
        "preview": dg.MetadataValue.md(preview),
    }


def _events_preview(connection: Connection, report: LoadReport) -> str:
    cursor = connection.execute(
        statement("recent_events"),
        {"batch_id": max(report.batch_ids, default=""), "row_limit": PREVIEW_ROWS},
    )
    return markdown_table([column.name for column in cursor.description or ()], cursor.fetchall())


def _rejects_preview(connection: Connection, report: LoadReport) -> str:
    cursor = connection.execute(statement("recent_rejects"), {"batch_ids": report.batch_ids, "row_limit": PREVIEW_ROWS})
    return markdown_table([column.name for column in cursor.description or ()], cursor.fetchall())


def _owners_preview(connection: Connection, report: LoadReport, dataset: str) -> str:
    cursor = connection.execute(
        statement("recent_owners"), {"batch_ids": report.batch_ids, "dataset": dataset, "row_limit": PREVIEW_ROWS}
    )
    return markdown_table([column.name for column in cursor.description or ()], cursor.fetchall())
