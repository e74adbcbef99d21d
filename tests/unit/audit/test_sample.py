"""The draw against its definition, and a known answer that the verifiers share."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.sample import Draw, Sample


def by_definition(root: bytes, number: str, count: int, indexes: list[int]) -> list[int]:
    seed = hashlib.sha256(b"gjestenett sample v1\n" + root + number.encode()).digest()
    ranked = sorted(indexes, key=lambda index: hashlib.sha256(seed + str(index).encode()).digest())
    return sorted(ranked[:count])


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=9), st.integers(1, 20),
       st.sets(st.integers(0, 10**9), max_size=50))  # fmt: skip
def test_the_rows_with_the_smallest_hashes_are_drawn(root, number, count, indexes):
    draw = Draw(Sample(count, number), root)
    for index in sorted(indexes):
        draw.offer(index, (str(index), "x"))
    assert draw.drawn() == [(str(index), "x") for index in by_definition(root, number, count, sorted(indexes))]


def test_a_known_draw():
    draw = Draw(Sample(3, "4711"), bytes(range(32)))
    for index in range(100):
        draw.offer(index, (str(index),))
    assert draw.drawn() == [("41",), ("80",), ("85",)]
