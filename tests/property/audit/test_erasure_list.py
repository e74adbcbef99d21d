"""Erasure lists against plain sets of numbers, and strictly read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.erasure_list import (
    ErasureList,
    ErasureListError,
    count,
    merge,
    numbers,
    parse_erasure_list,
    parse_ranges,
    ranges_of,
    without,
    write_ranges,
)

LEAVES = st.sets(st.integers(0, 60))


@given(LEAVES)
def test_ranges_hold_exactly_their_leaves_and_come_back_from_text(leaves):
    ranges = ranges_of(leaves)
    assert list(numbers(ranges)) == sorted(leaves)
    assert count(ranges) == len(leaves)
    assert parse_ranges(write_ranges(ranges)) == ranges
    assert all(one[1] + 1 < other[0] for one, other in pairwise(ranges))


@given(LEAVES, LEAVES, st.integers(0, 70))
def test_lists_merge_cut_and_subtract_as_sets_do(one, other, size):
    first = ErasureList("example.org/log", max(one, default=-1) + 1, ranges_of(one))
    second = ErasureList("example.org/log", max(other, default=-1) + 1, ranges_of(other))
    both = first.merged(second)
    assert set(numbers(both.leaves)) == one | other
    assert both.size == max(first.size, second.size)
    assert set(numbers(both.below(size).leaves)) == {leaf for leaf in one | other if leaf < size}
    assert set(numbers(without(ranges_of(one), ranges_of(other)))) == one - other
    assert merge(without(ranges_of(one), ranges_of(other))) == without(ranges_of(one), ranges_of(other))
    assert parse_erasure_list(both.encode()) == both


def test_the_format_with_root_restores_and_ids():
    digest, other = "A" * 43 + "=", "B" * 42 + "A="
    text = (
        "gjestenett erasure list v1\nexample.org/log\nsize 50\n"
        f"root {digest}\nrestored 9 {digest}\nrestored 40 {other}\nleaf {'a' * 32}\nleaf {'b' * 32}\n17\n40-44\n"
    )
    found = parse_erasure_list(text.encode())
    assert found.encode() == text.encode()
    assert (found.root, found.restored, found.ids) == (digest, ((9, digest), (40, other)), ("a" * 32, "b" * 32))
    assert found.agreed(found.restored) is None
    assert found.agreed(()) == 9
    assert found.agreed(((9, other),)) == 9
    assert found.agreed(((9, digest),)) == 40
    assert found.agreed(((9, digest), (30, digest))) == 30
    assert found.agreed((*found.restored, (45, other))) == 45
    swapped = text.replace("restored 9", "restored 41")
    for wrong in (swapped, text.replace("leaf a", "leaf c"), text.replace("root A", "root"), text + "root x\n"):
        with pytest.raises(ErasureListError):
            parse_erasure_list(wrong.encode())


def test_the_format():
    text = b"gjestenett erasure list v1\nexample.org/log\nsize 50\n17\n40-44\n"
    assert parse_erasure_list(text) == ErasureList("example.org/log", 50, ((17, 17), (40, 44)))


@pytest.mark.parametrize(
    "text",
    [
        b"", b"gjestenett erasure list v1\n", b"gjestenett erasure list v2\nx\nsize 3\n",
        b"gjestenett erasure list v1\nx\nsize 03\n", b"gjestenett erasure list v1\nx\nsize 3\n1",
        b"gjestenett erasure list v1\nx\nsize 9\n2-1\n", b"gjestenett erasure list v1\nx\nsize 9\n2-2\n",
        b"gjestenett erasure list v1\nx\nsize 9\n1\n2\n", b"gjestenett erasure list v1\nx\nsize 9\n5\n1\n",
        b"gjestenett erasure list v1\nx\nsize 9\n9\n", b"gjestenett erasure list v1\nx\nsize 9\n+1\n",
        b"gjestenett erasure list v1\nx\nsize 9\n1\r\n", b"gjestenett erasure list v1\n\nsize 9\n1\n",
        b"gjestenett erasure list v1\nx\nsize 9\n\n", b"\xff", b"gjestenett erasure list v1\nx\nsize 9\n1,3\n",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ErasureListError):
        parse_erasure_list(text)


def test_two_logs_are_not_merged():
    with pytest.raises(ErasureListError, match="the other of"):
        ErasureList("a", 1, ()).merged(ErasureList("b", 1, ()))


@given(st.binary(max_size=80))
def test_what_is_read_is_written_the_same(data):
    try:
        found = parse_erasure_list(b"gjestenett erasure list v1\n" + data)
    except ErasureListError:
        return
    assert found.encode() == b"gjestenett erasure list v1\n" + data
