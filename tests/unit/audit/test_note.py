"""Signed notes against the published example of Go's note package, and strictness."""

import re

import pytest

from gateway.audit import note
from gateway.audit.errors import NoteError

# The example that Go's golang.org/x/mod/sumdb/note documents.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = TEXT + f"\n— PeterNeumann {SIGNATURE}\n".encode()


def test_the_published_note_is_made_and_verified_byte_for_byte() -> None:
    signer = note.parse_signer(SKEY + "\n")
    assert str(signer.verifier) == VKEY
    assert signer.key_file() == SKEY + "\n"
    assert note.sign(TEXT, [signer]) == NOTE
    assert note.verified_by(note.parse(NOTE), [note.parse_verifier(VKEY)]) == (signer.verifier,)
    assert note.parse(NOTE).encode() == NOTE


def test_every_single_bit_of_the_note_counts() -> None:
    key = note.parse_verifier(VKEY)
    for place in range(len(NOTE)):
        for bit in range(8):
            changed = bytearray(NOTE)
            changed[place] ^= 1 << bit
            with pytest.raises(NoteError):
                note.verified_by(note.parse(bytes(changed)), [key])


def test_unknown_signatures_are_ignored_but_not_alone() -> None:
    other = note.SignerKey("witness.example", bytes(32))
    signer = note.parse_signer(SKEY)
    both = note.parse(note.sign(TEXT, [other, signer]))
    assert note.verified_by(both, [signer.verifier]) == (signer.verifier,)
    with pytest.raises(NoteError, match="trusted"):
        note.verified_by(note.parse(note.sign(TEXT, [other])), [signer.verifier])


def test_one_bad_signature_of_a_known_key_rejects_the_note() -> None:
    signer, other = note.parse_signer(SKEY), note.SignerKey("w.example", bytes(32))
    bad = note.Signature("w.example", other.verifier.key_id, bytes(64))
    good = note.parse(NOTE).signatures[0]
    with pytest.raises(NoteError, match=re.escape("w.example does not hold")):
        note.verified_by(note.Note(TEXT, (good, bad)), [signer.verifier, other.verifier])


@pytest.mark.parametrize(
    "data",
    [
        b"", b"text\n", b"text\n\n", b"\n\n", TEXT + b"\n- PeterNeumann " + SIGNATURE.encode() + b"\n", NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace(b"\n", b"\r\n"), NOTE.replace(b"you", b"y\x00u"), NOTE.replace(b"Peter", b"Pe+er"), b"\xff" + NOTE,
        NOTE.replace(b"AM=\n", b"AM\n"), NOTE.replace(b"AM=\n", b"AN=\n"), NOTE + NOTE.split(b"\n\n")[1] * 64,
        b"x" * 1_000_001,
    ],
)  # fmt: skip
def test_malformed_notes_are_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        note.parse(data)


@pytest.mark.parametrize("text", [
    "", "a+b", VKEY.replace("c74f20a3", "c74f20a4"), VKEY.replace("c74f20a3", "C74F20A3"), VKEY + "=",
    VKEY.replace("+AR", "+BB"),
    "a b" + VKEY, VKEY[:-4],
])  # fmt: skip
def test_malformed_keys_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        note.parse_verifier(text)


def test_a_signing_key_never_shows_its_seed() -> None:
    signer = note.parse_signer(SKEY)
    assert "seed" not in repr(signer)
    with pytest.raises(NoteError) as caught:
        note.parse_signer(SKEY[:-4] + "AAAA")
    assert SKEY[-20:-4] not in str(caught.value)
