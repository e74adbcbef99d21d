"""Canonical JSON: what is written is read back, and nothing else is."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import canonical
from gateway.audit.errors import CanonicalError

texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=0)


@given(values.filter(lambda value: depth(value) < 16))
def test_round_trip(value: Any) -> None:
    assert canonical.decode(canonical.encode(value)) == value


@given(st.dictionaries(texts, st.integers(0, 9), min_size=2))
def test_keys_ascend_by_utf16_code_units(value: dict[str, int]) -> None:
    keys = list(json.loads(canonical.encode(value)))
    assert keys == sorted(keys, key=lambda key: key.encode("utf-16-be"))


@given(st.binary(max_size=40))
def test_the_reader_accepts_only_what_the_writer_writes(data: bytes) -> None:
    try:
        value = canonical.decode(data)
    except CanonicalError:
        return
    assert canonical.encode(value) == data
