"""The contract as dbt sources."""

from typing import Any

import yaml

from landing.contract import Dataset
from landing.rendering.postgres import column_meaning, postgres_type

_HEADER = "# Generated from landing/contract.py by `tidemill contract write`; edit the contract instead.\n"


def dbt_sources(datasets: tuple[Dataset, ...]) -> str:
    """The source `raw`: a table for each dataset, with the keys of their Dagster assets."""
    source = {
        "name": "raw",
        "schema": "raw",
        "description": "What the load copied from the landing zone: append-only, partitioned by day of receipt.",
        "tables": [_table(dataset) for dataset in datasets],
    }
    document = {"version": 2, "sources": [source]}
    return _HEADER + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=118)


def _table(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "description": f"{dataset.grain[0].upper()}{dataset.grain[1:]}.",
        "config": {"loaded_at_field": "received_at", "meta": {"dagster": {"asset_key": ["raw", dataset.name]}}},
        "columns": [
            {
                "name": column.name,
                "description": column_meaning(column),
                "data_type": postgres_type(dataset, column).partition(" collate")[0],
            }
            for column in dataset.columns
        ],
    }
