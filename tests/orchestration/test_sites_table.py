"""The sites file arrives in ops.sites, and a change of rules asks for a rebuild."""

from datetime import timedelta
from pathlib import Path

import pytest

from landing.errors import SitesFileInvalid
from orchestration.database import Connection, connect
from orchestration.sites_table import sync_sites
from tests.orchestration.traffic import NOON

SITES = """
version: 1
sites:
  shop:
    name: Shop
    url: https://www.shop.example/
    timezone: Europe/Berlin
    session: {timeout_s: 900}
    sources: {ignored_search_terms: [shop]}
  blog:
    name: Blog
"""


@pytest.fixture
def sites_file(tmp_path: Path) -> Path:
    path = tmp_path / "sites.yml"
    path.write_text(SITES)
    return path


def settle(connection: Connection) -> None:
    connection.execute("update ops.sites set is_rebuild_pending = false")


def pending(connection: Connection) -> list[str]:
    return [site for (site,) in connection.execute("select site_id from ops.sites where is_rebuild_pending order by 1")]


def test_settings_of_the_file_stand_in_the_table(warehouse: str, sites_file: Path) -> None:
    with connect(warehouse) as connection:
        assert sync_sites(connection, sites_file, clock=lambda: NOON) == ("shop", "blog")

        assert connection.execute("select * from ops.sites order by site_id desc").fetchall() == [
            (
                *("shop", "Shop", "Europe/Berlin", "www.shop.example", 900, True, True, 183),
                *(["shop.example"], ["shop"], False, True, NOON),
            ),
            ("blog", "Blog", "UTC", None, 1800, True, True, 183, [], [], False, True, NOON),
        ]


def test_an_unchanged_file_changes_nothing(warehouse: str, sites_file: Path) -> None:
    with connect(warehouse) as connection:
        sync_sites(connection, sites_file, clock=lambda: NOON)
        settle(connection)

        assert sync_sites(connection, sites_file, clock=lambda: NOON + timedelta(days=1)) == ()

        assert pending(connection) == []
        assert connection.execute("select distinct updated_at from ops.sites").fetchall() == [(NOON,)]


def test_a_changed_rule_asks_for_a_rebuild_of_its_site_and_a_changed_name_does_not(
    warehouse: str, sites_file: Path
) -> None:
    with connect(warehouse) as connection:
        sync_sites(connection, sites_file, clock=lambda: NOON)
        settle(connection)
        sites_file.write_text(SITES.replace("timeout_s: 900", "timeout_s: 901").replace("Blog", "Journal"))

        assert sync_sites(connection, sites_file, clock=lambda: NOON) == ("shop",)

        assert pending(connection) == ["shop"]
        assert connection.execute("select name from ops.sites where site_id = 'blog'").fetchone() == ("Journal",)


def test_a_pending_rebuild_outlasts_a_change_of_name(warehouse: str, sites_file: Path) -> None:
    with connect(warehouse) as connection:
        sync_sites(connection, sites_file, clock=lambda: NOON)
        sites_file.write_text(SITES.replace("name: Shop", "name: Store"))

        sync_sites(connection, sites_file, clock=lambda: NOON)

        assert pending(connection) == ["blog", "shop"]


def test_a_site_that_left_the_file_keeps_its_rules(warehouse: str, sites_file: Path) -> None:
    with connect(warehouse) as connection:
        sync_sites(connection, sites_file, clock=lambda: NOON)
        sites_file.write_text(SITES.partition("  shop:")[0] + "  blog: {name: Blog}\n")

        sync_sites(connection, sites_file, clock=lambda: NOON)

        assert connection.execute("select timezone from ops.sites where site_id = 'shop'").fetchone() == (
            "Europe/Berlin",
        )


def test_an_invalid_file_changes_nothing(warehouse: str, sites_file: Path) -> None:
    with connect(warehouse) as connection:
        sync_sites(connection, sites_file, clock=lambda: NOON)
        sites_file.write_text(SITES + "  broken: {}\n")

        with pytest.raises(SitesFileInvalid):
            sync_sites(connection, sites_file, clock=lambda: NOON)

        assert connection.execute("select count(*) from ops.sites").fetchone() == (2,)
