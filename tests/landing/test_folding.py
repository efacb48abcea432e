"""What the archive says only once comes back exactly."""

import json
from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from landing.contract import EVENTS
from landing.folding import fold, unfold
from landing.schema import loaded_schema
from tests.orchestration.traffic import NOON, event, visits

MARKS = "".join(map(chr, range(1, 32)))
TEXT = st.text(alphabet=st.sampled_from('ab"\\' + MARKS), max_size=12) | st.sampled_from(
    ["https://a.example/aaaaa", "aaaaa", "bbbbbaaaaa", "1773144000123"]
)
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))


def table(*rows: dict) -> pa.Table:
    added = {"segment_id": "s", "segment_row": 0, "is_bot": False, "batch_id": "b", "loaded_at": NOON}
    return pa.Table.from_pylist([row | added for row in rows], schema=loaded_schema(EVENTS))


@st.composite
def rows(draw: st.DrawFn) -> dict:
    names = ("page_url", "page_referrer", "page_title", "user_agent", "page_view_id", "visitor_id", "client_event_id")
    row = event(NOON, client_time=draw(TIMES), **{name: draw(st.none() | TEXT) for name in names})
    if draw(st.booleans()):
        row["client_event_id"] = row["event_id"]
    pieces = [str(each) for each in row.values() if each is not None]
    row["raw"] = draw(st.none() | TEXT | st.lists(st.sampled_from(pieces) | TEXT, max_size=5).map("".join))
    return row


@settings(deadline=None, max_examples=200)
@given(st.lists(rows(), min_size=1, max_size=4))
def test_unfolding_gives_back_every_row(found: list[dict]) -> None:
    before = table(*found)

    assert unfold(fold(before)).equals(before)


def test_the_original_event_shrinks_to_what_the_columns_do_not_say() -> None:
    before = table(*visits(seed=3, start=NOON, seconds=3000, rows=200))

    folded = fold(before)

    assert unfold(folded).equals(before)
    pairs = zip(folded["raw"].to_pylist(), before["raw"].to_pylist(), strict=True)
    shrunk = [len(after) / len(whole) for after, whole in pairs]
    assert max(shrunk) < 0.5
    assert set(folded["client_event_id"].to_pylist()) == {"\x01"}


def test_times_are_folded_in_both_spellings() -> None:
    time = datetime(2026, 3, 10, 12, 0, 0, 123_000, tzinfo=UTC)
    raw = json.dumps({"ts": 1_773_144_000_123, "at": "2026-03-10T12:00:00.123Z"})

    (folded,) = fold(table(event(NOON, client_time=time, raw=raw)))["raw"].to_pylist()

    assert folded == '{"ts": \x0e, "at": "\x0fZ"}'
