"""Landed rows become loaded rows: same rows, same order, the contract's columns."""

import pyarrow as pa

from landing.contract import EVENTS, REJECTS
from landing.schema import landed_schema, loaded_schema
from orchestration.enrich import enrich, open_places
from tests.orchestration.traffic import NOON, event, reject


def enriched(*rows: dict) -> list[dict]:
    landed = [row | {"segment_id": "s", "segment_row": n} for n, row in enumerate(rows)]
    table = pa.Table.from_pylist(landed, schema=landed_schema(EVENTS))
    halves = pa.concat_tables([table.slice(0, 1), table.slice(1)])  # a batch is made of several objects
    with open_places(None) as places:
        found = enrich(halves, dataset=EVENTS, batch_id="b", loaded_at=NOON, places=places)
    assert found.schema.equals(loaded_schema(EVENTS), check_metadata=True)
    return found.to_pylist()


def test_rows_keep_their_order_and_get_their_batch() -> None:
    found = enriched(event(NOON, page_url="https://a.example/1"), event(NOON, page_url="https://b.example/2"))

    assert [(row["segment_row"], row["page_host"]) for row in found] == [(0, "a.example"), (1, "b.example")]
    assert {(row["batch_id"], row["loaded_at"]) for row in found} == {("b", NOON)}


def test_a_click_id_that_the_client_named_wins_over_the_one_in_the_address() -> None:
    url = "https://a.example/?gclid=G"

    found = enriched(
        event(NOON, page_url=url),
        event(NOON, page_url=url, click_id="M", click_id_kind="msclkid"),
        event(NOON, page_url="https://a.example/"),
    )

    assert [(row["click_id"], row["click_id_kind"]) for row in found] == [
        ("G", "gclid"),
        ("M", "msclkid"),
        (None, None),
    ]


def test_rejects_get_their_batch_and_nothing_else() -> None:
    table = pa.Table.from_pylist([reject(NOON) | {"segment_id": "s", "segment_row": 0}], schema=landed_schema(REJECTS))
    with open_places(None) as places:
        found = enrich(table, dataset=REJECTS, batch_id="b", loaded_at=NOON, places=places)

    assert found.schema.equals(loaded_schema(REJECTS))
    assert found.drop_columns(["batch_id", "loaded_at"]).to_pylist() == table.to_pylist()
