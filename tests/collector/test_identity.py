"""Ids that the collector makes."""

import re
import uuid
from itertools import pairwise

from collector.identity import new_id


def test_a_new_id_is_a_random_uuid_and_never_the_same() -> None:
    ids = [new_id() for _ in range(2_000)]
    assert len(set(ids)) == len(ids)
    for each in ids:
        parsed = uuid.UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, 4, uuid.RFC_4122)
    # Every other bit is met as 0 and as 1.
    changed = 0
    for left, right in pairwise(ids):
        changed |= uuid.UUID(left).int ^ uuid.UUID(right).int
    assert changed.bit_count() == 128 - len("0100") - len("10")
    assert {each[19] for each in ids} == set("89ab")
    assert all(re.fullmatch(r"[0-9a-f-]{36}", each) for each in ids)
