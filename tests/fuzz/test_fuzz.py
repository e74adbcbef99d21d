"""The entry points under the kept corpus and under what hypothesis thinks of, in every run."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.packets import SEEDS, kept, spoil
from tests.fuzz.targets import TARGETS

_SEEDS = {target: make() for target, make in SEEDS.items()}


@pytest.mark.parametrize(
    ("target", "path"), list(kept()), ids=lambda each: each.stem if isinstance(each, Path) else each
)
def test_the_corpus(target: str, path: Path) -> None:
    started = time.process_time()
    TARGETS[target](path.read_bytes())
    assert time.process_time() - started < 0.5


def test_there_is_a_corpus_for_each_target() -> None:
    assert {target for target, _ in kept()} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_good_is_taken(target: str) -> None:
    for packet in _SEEDS[target]:
        TARGETS[target](packet)


def spoilt(target: str) -> st.SearchStrategy[bytes]:
    """Good packets with faults, chosen by a number that hypothesis shrinks; and any bytes."""
    seeds = _SEEDS[target]

    def make(packet: bytes, seed: int) -> bytes:
        return spoil(packet, random.Random(seed), seeds)

    return st.one_of(st.builds(make, st.sampled_from(seeds), st.integers(0, 1 << 32)), st.binary(max_size=300))


@settings(deadline=None, max_examples=1500)
@given(spoilt("query"))
@example(b"")
def test_queries(data: bytes) -> None:
    TARGETS["query"](data)


@settings(deadline=None, max_examples=1500)
@given(spoilt("reply"))
@example(b"")
def test_replies(data: bytes) -> None:
    TARGETS["reply"](data)


@settings(deadline=None, max_examples=500)
@given(spoilt("resolve"))
@example(b"")
def test_the_resolver(data: bytes) -> None:
    TARGETS["resolve"](data)


HEAD = b"\0\7\1\0\0\1\0\0\0\0\0\0"
GAME = b"\x04game\x07example\0"


@settings(deadline=None, max_examples=500)
@given(spoilt("shortcut"))
@example(HEAD + GAME + b"junk" + b"\0\1\0\1")  # between the name and its type
@example(HEAD + GAME + b"\0\1\0\1" * 2)
@example(HEAD + b"\x40" + b"a" * 64 + GAME + b"\0\1\0\1")  # a label of 64
@example(HEAD + b"\xbf" + b"a" * 0xBF + GAME + b"\0\1\0\1")
@example(HEAD + (b"\x3f" + b"a" * 63) * 4 + GAME + b"\0\1\0\1")  # a name of 270
@example(HEAD + b"\3a\0b" + GAME + b"\0\1\0\1")  # good, with a NUL
def test_the_shortcut(data: bytes) -> None:
    TARGETS["shortcut"](data)
