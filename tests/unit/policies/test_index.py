import struct
import time
import timeit

import pytest

from policies.index import Index, build_index, key_of
from policies.names import PolicyError


def test_keys_never_change() -> None:
    """Gateways that compile the same lists must get the same bytes, today and after an upgrade."""
    assert key_of("example.no") == 0x7415AAEDD02BC812


def test_found_and_not_found() -> None:
    index = Index(build_index([("example.no", 3), ("b.example.no", 65535)]))
    assert index.entries == 2
    assert index.get("example.no") == 3
    assert index.get("b.example.no") == 65535
    assert index.get("notexample.no") is None
    assert index.get("") is None
    assert list(index.walk("a.b.example.no")) == [("b.example.no", 65535), ("example.no", 3)]


def test_a_name_with_escapes_is_found_by_its_parents_in_short_time() -> None:
    index = Index(build_index([("example.no", 3), ("b\\046c.example.no", 5)]))
    assert index.find("\\000.b\\046c.example.no") == [("b\\046c.example.no", 5), ("example.no", 3)]
    assert index.find("b\\046c\\046example.no") == []
    long = ".".join(["\\255"] * 121) + ".example.no"
    took_s = min(timeit.repeat(lambda: index.find(long), timer=time.process_time, number=1, repeat=5))
    assert took_s < 0.002  # one walk, not one for each of its parents


def test_an_empty_index_finds_nothing() -> None:
    index = Index(build_index([]))
    assert index.entries == 0
    assert list(index.walk("a.b.no")) == []


def test_sixteen_thousand_names_take_at_most_twenty_octets_each() -> None:
    names = [f"n{number}.example.no" for number in range(16_000)]
    octets = build_index((name, number % 7) for number, name in enumerate(names))
    assert len(octets) <= 20 * len(names)
    index = Index(octets)
    assert [index.get(name) for name in names] == [number % 7 for number in range(16_000)]


def test_the_same_name_twice_is_refused() -> None:
    with pytest.raises(PolicyError, match="twice"):
        build_index([("a.no", 1), ("a.no", 2)])


@pytest.mark.parametrize("value", [-1, 65536])
def test_a_value_out_of_range_is_refused(value: int) -> None:
    with pytest.raises(PolicyError, match="not between"):
        build_index([("a.no", value)])


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"GNINDEX1",
        b"GNINDEX9" + build_index([("a.no", 1)])[8:],
        build_index([("a.no", 1)])[:-1],
        build_index([("a.no", 1)]) + b"\0",
        struct.pack("<8sQQQ", b"GNINDEX1", 0, 0, 0),
        struct.pack("<8sQQQ", b"GNINDEX1", 1 << 60, 1 << 61, 1),
        struct.pack("<8sQQQ", b"GNINDEX1", 1, 2, 1) + bytes(20),  # no empty slot: a search would run off the end
    ],
)
def test_a_damaged_index_is_refused(damaged: bytes) -> None:
    with pytest.raises(PolicyError, match="publish the policy again"):
        Index(damaged)
