"""The judge against a slow reading of the same model, and against bytes that are no model."""

import struct
from hashlib import sha256
from math import exp
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.lexical import LONGEST, SHORTEST, Judge, Line, judged_text, write_model
from policies.names import PolicyError

KEYS = ("gaming", "file_sharing", "dating", "adult", "gambling", "piracy", "drugs", "streaming")
numbers = st.floats(-50, 50).map(lambda each: round(each, 3))
lines = st.lists(st.sampled_from(KEYS), unique=True, max_size=8).flatmap(
    lambda keys: st.tuples(*(st.builds(Line, st.just(key), numbers.map(abs), numbers) for key in keys)).map(list)
)
weights = st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=64).map(
    lambda rows: (rows * 64)[: 1 << (len(rows).bit_length() - 1)]
)
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=63)
names = st.lists(labels, max_size=5).map(".".join)


def slowly(lines: list[Line], rows: list[bytes], name: str) -> list[float]:
    text = judged_text(name)
    found = [text[at : at + n] for at in range(len(text)) for n in range(SHORTEST, LONGEST + 1) if at + n <= len(text)]
    answer = []
    for lane, line in enumerate(lines):
        if not found:
            answer.append(0.0)
            continue
        total = sum(rows[crc32(piece.encode()) % len(rows)][lane] - 128 for piece in found)
        odds = total * line.scale + line.offset
        answer.append(1 / (1 + exp(-odds)) if abs(odds) < 30 else float(odds > 0))
    return answer


@given(lines, weights, names)
def test_agrees_with_the_slow_reading(some: list[Line], rows: list[bytes], name: str) -> None:
    judge = Judge(write_model(some, (), b"".join(rows), {}))
    assert judge.confidences(name) == pytest.approx(slowly(some, rows, name), abs=1e-12)
    assert judge.confidences(name) == judge.confidences(name)
    for opinion in judge.opinions(name, 0.25):
        assert opinion.confidence >= 0.25


@given(lines, weights, st.lists(names, max_size=5), st.integers())
def test_round_trip(some: list[Line], rows: list[bytes], hosts: list[str], seed: int) -> None:
    octets = write_model(some, hosts, b"".join(rows), {"seed": seed})
    judge = Judge(memoryview(bytearray(octets)))
    assert judge.categories == tuple(line.category for line in some)
    assert judge.facts["seed"] == seed
    assert write_model(some, reversed(hosts), [int.from_bytes(row, "little") for row in rows], {"seed": seed}) == octets


SOUND = write_model([Line("adult", 1.0, 0.0)], ("a.example",), b"\x80" * 64, {"seed": 1})


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(octets: bytes) -> None:
    with pytest.raises(PolicyError):
        Judge(octets)


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255), st.booleans())
def test_a_changed_octet_is_refused(at: int, change: int, cut: bool) -> None:
    octets = bytearray(SOUND)
    octets[at] ^= change
    with pytest.raises(PolicyError):
        Judge(SOUND[:at] if cut else bytes(octets))


@settings(max_examples=300)
@given(st.binary(max_size=120), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_hostile_sections_with_a_right_checksum_are_refused_or_work(text: bytes, size: int, rows: int) -> None:
    text += b"\0" * (-len(text) % 8)
    for claimed_size, claimed_rows in ((len(text), 4), (size, 4), (len(text), rows)):
        body = struct.pack("<8sIIQ", b"GNJUDGE\0", 2, claimed_size, claimed_rows) + text + bytes(32)
        for verified in (False, True):
            with pytest.raises(PolicyError):
                Judge(body + sha256(body).digest(), verified=verified)


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(max_size=5), lambda x: st.lists(x, max_size=4)))
def test_hostile_facts_are_refused(value: object) -> None:
    import json

    for facts in ({"lines": value, "shared_hosts": []}, {"lines": [["adult", value, 0]], "shared_hosts": []}, value):
        text = json.dumps(facts).encode()
        text += b"\0" * (-len(text) % 8)
        body = struct.pack("<8sIIQ", b"GNJUDGE\0", 2, len(text), 4) + text + bytes(32)
        try:
            judge = Judge(body + sha256(body).digest())
        except PolicyError:
            continue
        assert all(0.0 <= each <= 1.0 for each in judge.confidences("ok.example"))
