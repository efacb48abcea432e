from datetime import timedelta

from tests.dbt_project.warehouse import Path, Warehouse, event_row, utc
from tests.fixtures.marts import dump_marts


def test_every_model_builds_on_an_empty_mill(warehouse: Warehouse) -> None:
    warehouse.transform()

    assert all("\n" not in text for text in dump_marts(warehouse.url).values())


def test_thin(warehouse: Warehouse) -> None:
    start = utc("2026-03-02T10:00:00")
    warehouse.load([event_row(start + timedelta(minutes=k)) for k in range(3)])
    warehouse.transform()
    for name, text in dump_marts(warehouse.url).items():
        print(name, text)
    warehouse.load([event_row(start + timedelta(minutes=k)) for k in range(30, 33)])
    warehouse.transform()
