"""Country and city of an address, from a City database in MaxMind's format (GeoLite2 City, GeoIP2 City, DB-IP City)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import maxminddb
import pyarrow as pa

from orchestration.enrich.distinct import Facts, per_distinct
from orchestration.errors import EnrichmentUnusable

PLACE_COLUMNS: Final = ("geo_country", "geo_region", "geo_city", "geo_continent", "geo_time_zone")
"""What is known of a place, in the order of its facts."""

_NOWHERE: Final[Facts] = (None,) * len(PLACE_COLUMNS)


class Places:
    """Looks addresses up; without a database every place is unknown.

    Truncated addresses (last octet zero) are looked up as they are: a City database holds networks of /24 and larger
    for nearly every address.
    """

    def __init__(self, reader: maxminddb.Reader | None) -> None:
        self._reader = reader

    def columns(self, addresses: pa.ChunkedArray) -> dict[str, pa.Array]:
        """The columns `PLACE_COLUMNS` of a column of addresses."""
        if self._reader is None:
            return {name: pa.nulls(len(addresses), pa.string()) for name in PLACE_COLUMNS}
        return dict(
            zip(PLACE_COLUMNS, per_distinct(addresses, self.describe, [pa.string()] * len(PLACE_COLUMNS)), strict=True)
        )

    def describe(self, address: str) -> Facts:
        """Country code, region, city (English names), continent code, time zone; all None when unknown."""
        if self._reader is None:
            return _NOWHERE
        try:
            found = self._reader.get(address)
        except ValueError:  # not an address, or IPv6 in a database of IPv4
            return _NOWHERE
        if not isinstance(found, dict):
            return _NOWHERE
        subdivisions = found.get("subdivisions")
        region = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else None
        return (
            _text(found.get("country"), "iso_code"),
            _english(region),
            _english(found.get("city")),
            _text(found.get("continent"), "code"),
            _text(found.get("location"), "time_zone"),
        )


@contextlib.contextmanager
def open_places(city_database: Path | None) -> Iterator[Places]:
    """Places from the database in the file, or unknown places when there is none.

    Raises:
        EnrichmentUnusable: the file cannot be read or is no City database.
    """
    if city_database is None:
        yield Places(None)
        return
    try:
        reader = maxminddb.open_database(city_database)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise EnrichmentUnusable(f"{city_database} is no database of places: {error}") from error
    with reader:
        kind = reader.metadata().database_type
        if "City" not in kind:
            raise EnrichmentUnusable(f"{city_database} is a database of type {kind}, a City database is needed")
        yield Places(reader)


def _text(record: Any, name: str) -> str | None:  # noqa: ANN401  (whatever the file holds)
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, str) and value else None


def _english(record: Any) -> str | None:  # noqa: ANN401  (whatever the file holds)
    return _text(record.get("names"), "en") if isinstance(record, dict) else None
