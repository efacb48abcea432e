"""One database and one parsed dbt project for all tests of this folder in a worker process."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.dbt_project.warehouse import Warehouse


@pytest.fixture(scope="session")
def parsed_warehouse(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The warehouse that every test here shares: dbt would parse again for a database of another name."""
    name = "dbt_project"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
    yield Warehouse(postgres_server.replace("/postgres?", f"/{name}?"), tmp_path_factory.mktemp("dbt"))
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def warehouse(parsed_warehouse: Warehouse) -> Warehouse:
    """An empty warehouse with the site `shop`."""
    parsed_warehouse.reset()
    parsed_warehouse.set_site("shop")
    return parsed_warehouse
