"""Reading bodies: the quick way to their depth agrees with walking through them."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import depth
from collector.limits import JSON_DEPTH_MAX

values = st.recursive(
    st.none() | st.text(st.sampled_from('a"{[]}\\')),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(st.sampled_from('b{"')), each, max_size=3),
    max_leaves=20,
)


def nesting(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(nesting, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(nesting, value), default=0)
    return 0


@given(values)
def test_the_depth_of_a_document_is_that_of_its_deepest_value(value: object) -> None:
    assert depth(json.dumps(value).encode()) == nesting(value)


@pytest.mark.parametrize("levels", [0, 1, JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1, 2_000])
@pytest.mark.parametrize("text", ["", "[{", "\\n"])
def test_any_depth_is_found(levels: int, text: str) -> None:
    body = b'[{"a":' * (levels // 2) + b"[" * (levels % 2)
    body += b'"' + text.encode() + b'"' + b"]" * (levels % 2) + b"}]" * (levels // 2)
    assert depth(body) == levels


@pytest.mark.parametrize("body", [b"[" * 500_000 + b"]" * 500_000, b"]" * 1_000_000, b"[" * 1_000_000, b"[]" * 500_000])
def test_no_body_takes_long(body: bytes) -> None:
    started_s = time.perf_counter()
    depth(body)
    assert time.perf_counter() - started_s < 2.0
