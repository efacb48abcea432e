"""Inbox objects to Arrow tables, every promise of the key and the contract checked on the way in."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from landing.codec import SegmentOrigin, decode_segment
from landing.contract import DATASETS, Dataset
from landing.errors import ObjectMissing, PoisonObject
from landing.keys import INBOX_PREFIX, InboxKey
from landing.schema import landed_schema
from landing.store import ObjectInfo, Store

_UUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_HOUR: Final = timedelta(hours=1)
_READERS: Final = 4
"""Objects fetched at once: a round trip to a far store costs more than reading a small object."""

_DATASETS: Final = {dataset.name: dataset for dataset in DATASETS}


@dataclass(frozen=True, slots=True)
class ReadObject:
    """An inbox object in memory."""

    key: str
    size_bytes: int
    table: pa.Table
    origin: SegmentOrigin


@dataclass(frozen=True, slots=True)
class UnreadableObject:
    """An inbox object that cannot be used.

    Attributes:
        key: Its key.
        size_bytes: Its length, as listed.
        reason: One line for a person.
        is_missing: Nothing has this key any more; its bytes were not looked at.
    """

    key: str
    size_bytes: int
    reason: str
    is_missing: bool = False


def typed_key(key: str) -> tuple[InboxKey, Dataset]:
    """The parts of an inbox key, and the dataset it names.

    Raises:
        PoisonObject: it is no inbox key, or names a dataset that this version does not know.
    """
    parsed = InboxKey.parse(key)
    if parsed is None:
        raise PoisonObject(f"the key is not {INBOX_PREFIX}<dataset>/<YYYY-MM-DD>/<HH>/<segment id>.parquet")
    if parsed.dataset not in _DATASETS:
        raise PoisonObject(f"dataset {parsed.dataset!r} is unknown to this version; it knows {sorted(_DATASETS)}")
    return parsed, _DATASETS[parsed.dataset]


def read_objects(store: Store, infos: Sequence[ObjectInfo]) -> Iterator[ReadObject | UnreadableObject]:
    """Read the objects in order, a few at a time; the next few only when these were taken.

    Raises:
        StoreUnavailable: the store failed; nothing is known about the objects.
    """
    with ThreadPoolExecutor(_READERS, thread_name_prefix="inbox") as pool:
        for start in range(0, len(infos), _READERS):
            yield from pool.map(lambda info: _read_object(store, info), infos[start : start + _READERS])


def _read_object(store: Store, info: ObjectInfo) -> ReadObject | UnreadableObject:
    try:
        key, dataset = typed_key(info.key)
        data = store.get(info.key)
        table, origin = decode_segment(data, landed_schema(dataset))
        _check(table, origin, key, dataset)
    except ObjectMissing:
        return UnreadableObject(info.key, info.size_bytes, "the object has gone from the inbox", is_missing=True)
    except PoisonObject as error:
        return UnreadableObject(info.key, info.size_bytes, str(error).partition("\n")[0])
    return ReadObject(info.key, len(data), table, origin)


def _check(table: pa.Table, origin: SegmentOrigin, key: InboxKey, dataset: Dataset) -> None:
    """Raise PoisonObject unless the rows are valid and are the ones that key and origin promise."""
    try:
        table.validate(full=True)  # text must be UTF-8, offsets in bounds: Parquet itself does not say so
    except pa.ArrowInvalid as error:
        raise PoisonObject(f"damaged values: {error}") from error
    if origin.segment_id != key.segment_id:
        raise PoisonObject(f"the key names segment {key.segment_id}, the origin {origin.segment_id}")
    if origin.rows.get(dataset.name) != table.num_rows:
        raise PoisonObject(
            f"the segment promised {origin.rows.get(dataset.name, 0)} rows of {dataset.name}, it has {table.num_rows}"
        )
    if table.num_rows == 0:
        raise PoisonObject("no rows: empty segments are never shipped")
    if pc.any(pc.not_equal(table["segment_id"], key.segment_id)).as_py():
        raise PoisonObject(f"rows of another segment than {key.segment_id}")
    received = pc.min_max(table["received_at"]).as_py()
    if received["min"] < key.hour or received["max"] >= key.hour + _HOUR:
        raise PoisonObject(
            f"rows received from {received['min']:%Y-%m-%dT%H:%M:%SZ} to {received['max']:%Y-%m-%dT%H:%M:%SZ}"
            f" under the key of hour {key.hour:%Y-%m-%dT%H}"
        )
    if not pc.all(pc.match_substring_regex(table[dataset.key], _UUID)).as_py():
        raise PoisonObject(f"{dataset.key} is not always a lower-case UUID")
