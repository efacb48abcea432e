"""Computing once per distinct value of a column."""

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

Facts = tuple[str | bool | None, ...]
"""What is known of one value: one entry per resulting column."""


def per_distinct(
    column: pa.ChunkedArray, describe: Callable[[str], Facts], types: Sequence[pa.DataType]
) -> tuple[pa.Array, ...]:
    """Columns derived from a text column; `describe` is called once per distinct text.

    Args:
        column: Text; where it is null, every result is null.
        describe: One entry for each of `types`.
        types: Types of the results.

    Returns:
        One array per type, as long as `column`.
    """
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    facts = [describe(text) for text in encoded.dictionary.to_pylist()]
    by_column = zip(*facts, strict=True) if facts else ([] for _ in types)
    return tuple(
        pc.take(pa.array(values, kind), encoded.indices) for values, kind in zip(by_column, types, strict=True)
    )
