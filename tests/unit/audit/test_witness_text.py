"""The witness protocol's texts: only the one spelling is read."""

import pytest

from gateway.audit import note
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.errors import NoteError
from gateway.audit.witness_text import (
    MAX_REQUEST_BYTES,
    AddCheckpoint,
    encode_answer,
    encode_size,
    parse_answer,
    parse_request,
    parse_size,
)

LOG = note.SignerKey("log.example/kommune", bytes(32))
SIGNED = sign_checkpoint(Checkpoint("log.example/kommune", 9, bytes(32)), LOG)
HASH = "A" * 43 + "="
PUBLISHED = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501 - from the text of c2sp.org/tlog-witness


def test_the_published_example_is_read_and_written_the_same() -> None:
    request = parse_request(PUBLISHED.encode())
    assert (request.old, len(request.proof)) == (20852014, 4)
    assert request.encode() == PUBLISHED.encode()


@pytest.mark.parametrize("count", [0, 1, 63])
def test_round_trip(count: int) -> None:
    request = AddCheckpoint(3, (bytes(32),) * count, SIGNED)
    assert parse_request(request.encode()) == request


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("old 3\n" + f"{HASH}\n" * 64 + "\n", "more than 63"),
        ("old 03\n\n", "decimal"),
        ("old -1\n\n", "decimal"),
        ("old 3 \n\n", "decimal"),
        ("Old 3\n\n", "begin"),
        ("old\n\n", "decimal"),
        ("old 3\r\n\n", "decimal"),
        ("old 3\nAAAA\n\n", "SHA-256"),
        (f"old 3\n{HASH[:-1]}\n\n", "base64"),
        (f"old 3\n{HASH} \n\n", "base64"),
        ("old ３\n\n", "plain"),
        ("\n\n", "begin"),
    ],
)
def test_anything_else_is_refused(head: str, why: str) -> None:
    with pytest.raises(NoteError, match=why):
        parse_request(head.encode() + SIGNED)


def test_requests_without_a_checkpoint_or_too_large_are_refused() -> None:
    for data in (b"", b"old 3\n", b"old 3\n\n", b"old 3\n\nno note\n"):
        with pytest.raises(NoteError):
            parse_request(data)
    with pytest.raises(NoteError, match="larger"):
        parse_request(b"old 3\n\n" + SIGNED + b"x" * MAX_REQUEST_BYTES)
    with pytest.raises(NoteError, match="63"):
        AddCheckpoint(3, (bytes(32),) * 64, SIGNED).encode()


def test_answers() -> None:
    signature = note.parse(SIGNED).signatures[0]
    assert parse_answer(encode_answer([signature, signature])) == (signature, signature)
    for data in (b"", b"\n", encode_answer([signature])[:-1], encode_answer([signature]) + b"\n", b"\xff\n"):
        with pytest.raises(NoteError):
            parse_answer(data)
    assert parse_size(encode_size(12)) == 12
    for data in (b"", b"12", b"012\n", b"12\n\n", b"x\n", b"\xff\n"):
        with pytest.raises(NoteError):
            parse_size(data)
