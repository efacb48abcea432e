"""Arrow schemas, derived from the contract."""

import pyarrow as pa

from landing.contract import CONTRACT_VERSION, Column, Dataset, Kind

MONEY = pa.decimal128(18, 6)
INSTANT = pa.timestamp("us", tz="UTC")

_TYPES: dict[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.INT16: pa.int16(),
    Kind.INT32: pa.int32(),
    Kind.INT64: pa.int64(),
    Kind.FLOAT64: pa.float64(),
    Kind.DECIMAL: MONEY,
    Kind.TIMESTAMP: INSTANT,
    Kind.JSON: pa.string(),
    Kind.TEXT_LIST: pa.list_(pa.string()),
}

VERSION_KEY = b"tidemill.contract_version"
"""Key of the contract's version in the metadata of a schema and so of a Parquet object."""


def arrow_field(column: Column) -> pa.Field:
    """The Arrow field of a column; not nullable where the contract requires a value."""
    return pa.field(column.name, _TYPES[column.kind], nullable=not column.required)


def landed_schema(dataset: Dataset) -> pa.Schema:
    """Schema of an inbox object: the columns known before the load."""
    return _schema(dataset.landed_columns())


def loaded_schema(dataset: Dataset) -> pa.Schema:
    """Schema of an archive object and of `raw.<dataset>`: every column."""
    return _schema(dataset.columns)


def _schema(columns: tuple[Column, ...]) -> pa.Schema:
    return pa.schema(
        [arrow_field(column) for column in columns],
        metadata={VERSION_KEY: str(CONTRACT_VERSION).encode()},
    )
