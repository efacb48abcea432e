"""What happens at each limit and one past it, and to values that no column can hold."""

import base64
import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from collector.decode import read_json
from collector.limits import (
    EVENT_CHARS_MAX,
    EVENTS_MAX,
    INFLATED_BYTES_MAX,
    JSON_DEPTH_MAX,
    PATH_CHARS_MAX,
    QUERY_CHARS_MAX,
    REJECT_BODY_BYTES_MAX,
    TEXT_CHARS_MAX,
    WIRE_BYTES_MAX,
)
from landing.contract import EVENTS
from tests.collector.conftest import LocalCollector


def _padded(size: int) -> bytes:
    body = b'{"site":"shop","events":[{"n":"page"}]}'
    return body + b" " * (size - len(body))


@pytest.mark.parametrize("is_zipped", [False, True])
@pytest.mark.parametrize("excess", [0, 1])
def test_a_body_may_have_a_mebibyte_on_the_wire_and_four_inflated(
    local: LocalCollector,
    is_zipped: bool,  # noqa: FBT001  (a case of the table)
    excess: int,
) -> None:
    size = (INFLATED_BYTES_MAX if is_zipped else WIRE_BYTES_MAX) + excess
    body = gzip.compress(_padded(size)) if is_zipped else _padded(size)
    answer = local.post("/e", body)
    assert answer.status_code == (413 if excess else 204)
    assert answer.headers.get("Tidemill-Reason") == ("body_too_large" if excess else None)
    landed = local.landed()
    assert (len(landed.events), len(landed.rejects)) == ((0, 1) if excess else (1, 0))
    if excess and not is_zipped:
        assert len(base64.b64decode(landed.rejects[0]["body"])) == REJECT_BODY_BYTES_MAX


def test_a_gzip_bomb_is_refused_without_being_inflated_whole(local: LocalCollector) -> None:
    bomb = gzip.compress(bytes(200 * 2**20))
    assert len(bomb) < WIRE_BYTES_MAX
    assert local.post("/e", bomb).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(_padded(100), mtime=0),
        gzip.compress(_padded(100)[:20], mtime=0) + gzip.compress(_padded(100)[20:], mtime=0),
    ],
)
def test_gzip_is_known_by_its_content_with_or_without_a_header(local: LocalCollector, body: bytes) -> None:
    assert local.post("/e", body).status_code == 204
    assert local.post("/e", body, {"Content-Encoding": "gzip"}).status_code == 204
    assert len(local.landed().events) == 2


@pytest.mark.parametrize("damage", [lambda body: body[:-9], lambda body: body[:20] + b"xx" + body[22:]])
def test_damaged_gzip_is_refused(local: LocalCollector, damage: Any) -> None:
    answer = local.post("/e", damage(gzip.compress(_padded(1_000), 6)))
    assert (answer.status_code, answer.headers["Tidemill-Reason"]) == (400, "invalid_gzip")


@pytest.mark.parametrize("excess", [0, 1])
def test_a_request_may_hold_so_many_events(local: LocalCollector, excess: int) -> None:
    answer = local.call({"events": [{"event_name": "x"}] * (EVENTS_MAX + excess)})
    assert answer.status_code == (413 if excess else 200)
    assert local.track(*[{"n": "x"}] * (EVENTS_MAX + excess)).status_code == (413 if excess else 204)
    assert len(local.landed().events) == (0 if excess else 2 * EVENTS_MAX)


@pytest.mark.parametrize("excess", [0, 1])
def test_json_may_nest_so_deep(local: LocalCollector, excess: int) -> None:
    depth = JSON_DEPTH_MAX + excess - 4  # the body, its events, the event and p are four levels
    props = json.loads('{"a":' * depth + "1" + "}" * depth)
    answer = local.track({"n": "page", "p": {"x": props}})
    assert answer.status_code == (400 if excess else 204)
    assert answer.headers.get("Tidemill-Reason") == ("too_deep" if excess else None)


def test_brackets_in_texts_do_not_nest(local: LocalCollector) -> None:
    assert local.track({"n": "page", "ti": '[{"\\' * 500}).status_code == 204
    assert local.only_event()["page_title"] == '[{"\\' * 500


@pytest.mark.parametrize("excess", [0, 1])
def test_an_event_may_be_so_long(local: LocalCollector, excess: int) -> None:
    frame = len('{"n":"page","p":{"a":[]}}')
    texts = ["x" * 997] * ((EVENT_CHARS_MAX - frame) // 1_000)
    texts.append("x" * (EVENT_CHARS_MAX - frame - len(texts) * 1_000 - 2 + excess))
    local.track({"n": "page", "p": {"a": texts}})
    landed = local.landed()
    assert (len(landed.events), [row["reason"] for row in landed.rejects]) == (
        (0, ["event_too_large"]) if excess else (1, [])
    )


@pytest.mark.parametrize(
    ("path", "query"), [("/s/" + "x" * PATH_CHARS_MAX + "/e", ""), ("/e", "q" * (QUERY_CHARS_MAX + 1))]
)
def test_a_url_that_is_too_long_is_refused(local: LocalCollector, path: str, query: str) -> None:
    assert local.post(f"{path}?{query}", _padded(100)).status_code == 414


TEXTS = [column for column in EVENTS.columns if column.name in {"page_url", "page_title", "language", "event_name"}]
WIRE = {"page_url": "u", "page_title": "ti", "language": "l", "event_name": "n"}


@pytest.mark.parametrize("column", TEXTS, ids=lambda column: column.name)
@pytest.mark.parametrize("excess", [0, 1])
def test_text_that_is_too_long_is_cut_with_a_warning(local: LocalCollector, column: Any, excess: int) -> None:
    local.track({"n": "page", WIRE[column.name]: "é" * (column.length_max + excess)})
    row = local.only_event()
    assert row[column.name] == "é" * column.length_max
    assert row.get("warnings") == ([f"truncated:{column.name}"] if excess else None)


@pytest.mark.parametrize("excess", [0, 1])
def test_text_in_props_is_cut_with_a_warning(local: LocalCollector, excess: int) -> None:
    local.track({"n": "page", "p": {"a": "x" * (TEXT_CHARS_MAX + excess)}})
    row = local.only_event()
    assert json.loads(row["props"]) == {"a": "x" * TEXT_CHARS_MAX}
    assert row.get("warnings") == (["truncated:props"] if excess else None)


@pytest.mark.parametrize(
    ("body", "title", "warning"),
    [
        (b'"a\\u0000b"', "ab", "nul_removed:page_title"),
        (b'"a\\ud800b"', "a\ufffd\ufffd\ufffdb", "invalid_unicode:body"),
        (b'"\\ud83d\\ude00"', "\U0001f600", None),
        (b'"a\xffb"', "a\ufffdb", "invalid_utf8:body"),
        (b'"a\xed\xa0\x80b"', "a\ufffd\ufffd\ufffdb", "invalid_utf8:body"),
        (b"5", "5", None),
        (b"true", "true", None),
        (b'{"a":1}', '{"a":1}', None),
        (b"null", None, None),
        (b'""', None, None),
    ],
)
def test_text_becomes_valid_or_is_repaired(
    local: LocalCollector, body: bytes, title: str | None, warning: str | None
) -> None:
    assert local.post("/e", b'{"site":"shop","events":[{"n":"page","ti":' + body + b"}]}").status_code == 204
    row = local.only_event()
    assert row.get("page_title") == title
    assert row.get("warnings") == (None if warning is None else [warning])
    assert "\0" not in row["raw"]
    assert "\\u0000" not in row["raw"]


@pytest.mark.parametrize(
    ("number", "width", "warning"),
    [
        (b"1200", 1200, None),
        (b"1200.4", 1200, None),
        (b'"1200"', 1200, None),
        (b"NaN", None, "number_out_of_range:body"),
        (b"-Infinity", None, "number_out_of_range:body"),
        (b"1e400", None, "number_out_of_range:body"),
        (b"2147483648", None, "invalid:viewport_width"),
        (b"1" * 30, None, "invalid:viewport_width"),
        (b"1" * 5_000, None, "number_out_of_range:body"),
        (b"1e18", None, "invalid:viewport_width"),
        (b'"wide"', None, "invalid:viewport_width"),
        (b"[1]", None, "invalid:viewport_width"),
        (b"true", None, "invalid:viewport_width"),
    ],
)
def test_numbers_fit_their_column_or_are_left_out_with_a_warning(
    local: LocalCollector, number: bytes, width: int | None, warning: str | None
) -> None:
    body = b'{"site":"shop","events":[{"n":"page","w":' + number + b',"p":{"n":' + number + b"}}]}"
    assert local.post("/e", body).status_code == 204
    row = local.only_event()
    assert row.get("viewport_width") == width
    assert (row.get("warnings") or [None])[0] == warning or warning in row["warnings"]
    json.loads(row["props"], parse_constant=pytest.fail)
    assert len(row["props"]) < 500


def test_a_batch_is_read_once_and_counts_its_depth_only_where_it_might_be_too_deep() -> None:
    document, warnings = read_json(b'{"events":[' + b"{}," * 500 + b"{}]}")
    assert isinstance(document, dict)
    assert (len(document["events"]), warnings) == (501, ())


def test_an_event_of_the_sites_oldest_age_is_kept_and_an_older_one_is_not(local: LocalCollector) -> None:
    oldest_ms = round((local.now - timedelta(days=30)).timestamp() * 1_000)
    local.track({"n": "kept", "ts": oldest_ms}, {"n": "refused", "ts": oldest_ms - 1})
    landed = local.landed()
    assert [(row["event_name"], row["time_flag"]) for row in landed.events] == [("kept", "late")]
    assert [row["reason"] for row in landed.rejects] == ["event_too_old"]


def test_a_time_that_is_none_is_warned_about(local: LocalCollector) -> None:
    local.track({"n": "page", "ts": "soon"})
    row = local.only_event()
    assert (row["time_flag"], row["warnings"]) == ("no_client_time", ["invalid:client_time"])
