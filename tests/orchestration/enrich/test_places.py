"""Places of addresses."""

from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.enrich import open_places
from orchestration.enrich.places import PLACE_COLUMNS
from orchestration.errors import EnrichmentUnusable
from tests.orchestration.mmdb import write_database

BERLIN = {
    "continent": {"code": "EU"},
    "country": {"iso_code": "DE"},
    "subdivisions": [{"names": {"en": "State of Berlin", "de": "Land Berlin"}}],
    "city": {"names": {"en": "Berlin"}},
    "location": {"time_zone": "Europe/Berlin", "latitude": 52.5},
}


@pytest.fixture
def city_database(tmp_path: Path) -> Path:
    networks = {
        "192.0.2.0/24": BERLIN,
        "198.51.100.0/24": {"country": {"iso_code": "FR"}},
        "203.0.113.0/24": {"subdivisions": [], "city": {"names": {"de": "München"}}},
        "2001:db8::/32": BERLIN,
    }
    return write_database(tmp_path / "city.mmdb", networks)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.0", ("DE", "State of Berlin", "Berlin", "EU", "Europe/Berlin")),
        ("2001:db8:1::", ("DE", "State of Berlin", "Berlin", "EU", "Europe/Berlin")),
        ("198.51.100.0", ("FR", None, None, None, None)),
        ("203.0.113.0", (None,) * 5),
        ("10.0.0.0", (None,) * 5),
        ("not an address", (None,) * 5),
        ("", (None,) * 5),
    ],
)
def test_what_is_known_of_an_address(city_database: Path, address: str, place: tuple) -> None:
    with open_places(city_database) as places:
        assert places.describe(address) == place


def test_columns_keep_rows_in_place(city_database: Path) -> None:
    with open_places(city_database) as places:
        found = places.columns(pa.chunked_array([["192.0.2.0", None, "192.0.2.0"]]))

    assert list(found) == list(PLACE_COLUMNS)
    assert found["geo_city"].to_pylist() == ["Berlin", None, "Berlin"]


def test_without_a_database_every_place_is_unknown() -> None:
    with open_places(None) as places:
        assert places.describe("192.0.2.0") == (None,) * 5
        assert places.columns(pa.chunked_array([["192.0.2.0"]]))["geo_country"].to_pylist() == [None]


def test_a_file_that_is_no_city_database_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(b"hello")
    country = write_database(tmp_path / "country.mmdb", {"192.0.2.0/24": {}}, kind="GeoLite2-Country")

    for path, message in ((broken, "no database of places"), (country, "GeoLite2-Country"), (tmp_path / "x", "x")):
        with pytest.raises(EnrichmentUnusable, match=message), open_places(path):
            pass
