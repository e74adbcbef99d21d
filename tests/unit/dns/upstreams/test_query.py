"""What goes out: every bit that may vary does, and nothing else."""

import dns.message
import dns.name
from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.upstreams.query import MAX_QUERY_BYTES, Randomness, padded_query, query, repeats, respell

labels = st.binary(min_size=1, max_size=63)
names = st.lists(labels, max_size=4).filter(lambda each: sum(map(len, each)) + len(each) < 255)
kinds = st.sampled_from([b"\0\x01\0\x01", b"\0\x41\0\x01", b"\0\x1c\0\x01", b"\x41\x42\x43\x44"])


@st.composite
def questions(draw) -> bytes:
    parts = [bytes((len(label),)) + label.lower() for label in draw(names)]
    return b"".join(parts) + b"\0" + draw(kinds)


@given(questions(), st.data())
def test_spelling_is_the_same_question(question: bytes, data) -> None:
    noise = data.draw(st.binary(min_size=len(question), max_size=len(question)))
    asked = respell(question, noise)
    name = question[:-4]
    slow = bytes(
        byte ^ 0x20 if 97 <= byte <= 122 and bit & 0x20 else byte for byte, bit in zip(name, noise, strict=False)
    )
    assert asked == slow + question[-4:]
    assert repeats(bytes(12) + asked, question)


@given(questions(), st.data())
def test_another_question_is_not_repeated(question: bytes, data) -> None:
    at = data.draw(st.integers(0, len(question) - 1))
    flip = data.draw(st.integers(1, 255))
    other = bytearray(question)
    other[at] ^= flip
    same = bytes(other[:-4]).lower() == question[:-4] and other[-4:] == question[-4:]
    assert repeats(bytes(12) + bytes(other), question) is same


@given(questions(), st.booleans(), st.booleans())
def test_packets_are_read_by_another_implementation(question: bytes, do: bool, cd: bool) -> None:
    plain = query(b"\x12\x34", question, (question, do, cd))
    padded = padded_query(b"\0\0", question, (question, do, cd))
    assert len(plain) <= MAX_QUERY_BYTES
    assert len(padded) % 128 == 0  # RFC 8467 §4.1
    for packet in (plain, padded):
        if question[-2:] == b"\0\1":
            message = dns.message.from_wire(packet)
            assert message.payload == 1232
            assert bool(message.ednsflags & 0x8000) is do
            assert message.flags == (0x0110 if cd else 0x0100)
            assert dns.name.from_wire(packet, 12)[0] == message.question[0].name


def test_random_bytes_are_not_given_twice() -> None:
    source = Randomness()
    taken = b"".join(source.take(size) for size in range(1, 300))
    assert len(taken) == sum(range(1, 300))
    assert len({taken[at : at + 16] for at in range(0, len(taken) - 16, 16)}) == (len(taken) - 16 + 15) // 16
