"""Cosignatures: format, dispatch on the type, and nothing that was changed holds."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit import note
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.cosignature import MAX_TIME, CosignerKey, cosignatures, parse_cosigner, parse_witness_key
from gateway.audit.errors import NoteError

SEED = bytes(range(32))
WITNESS = CosignerKey("witness.example/w1", SEED)
LOG = note.SignerKey("log.example/kommune", bytes(32))
HEAD = Checkpoint("log.example/kommune", 7, bytes(32))
# From the text of c2sp.org/tlog-cosignature, where it is of POSIX time 1679315147.
PUBLISHED = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="  # noqa: E501


def test_the_signed_message_is_that_of_the_specification() -> None:
    private = Ed25519PrivateKey.from_private_bytes(SEED)
    public = private.public_key().public_bytes_raw()
    message = b"cosignature/v1\ntime 1679315147\n" + HEAD.text()
    key_id = hashlib.sha256(b"witness.example/w1\n\x04" + public).digest()[:4]
    blob = key_id + (1679315147).to_bytes(8, "big") + private.sign(message)
    expected = f"— witness.example/w1 {base64.b64encode(blob).decode()}\n"
    assert WITNESS.cosign(HEAD.text(), 1679315147).line() == expected
    payload = base64.b64encode(b"\x04" + public).decode()
    assert str(WITNESS.verifier) == f"witness.example/w1+{key_id.hex()}+{payload}"


def test_the_published_example_has_our_layout() -> None:
    parsed = note.parse_signature(PUBLISHED)
    assert len(parsed.signature) == 72
    assert int.from_bytes(parsed.signature[:8], "big") == 1679315147


def test_a_cosigned_checkpoint_holds_under_both_keys_and_others_are_ignored() -> None:
    other = CosignerKey("witness.example/w2", bytes(32))
    unknown = note.Signature("witness.example/w1", bytes(4), b"ml-dsa or whatever comes" * 100)
    signed = sign_checkpoint(HEAD, LOG)
    lines = (WITNESS.cosign(HEAD.text(), 5), unknown, other.cosign(HEAD.text(), 6))
    whole = note.parse(signed + "".join(line.line() for line in lines).encode())
    assert note.verified_by(whole, [LOG.verifier]) == (LOG.verifier,)
    found = cosignatures(whole.text, whole.signatures, [WITNESS.verifier])
    assert [(each.key, each.time_s, each.line) for each in found] == [(WITNESS.verifier, 5, lines[0].line())]
    assert cosignatures(whole.text, whole.signatures, []) == ()


@pytest.mark.parametrize("where", [0, 7, 8, 40, 71])
def test_one_changed_byte_does_not_hold(where: int) -> None:
    good = WITNESS.cosign(HEAD.text(), 5)
    blob = bytearray(good.signature)
    blob[where] ^= 1
    bad = note.Signature(good.name, good.key_id, bytes(blob))
    with pytest.raises(NoteError, match="does not hold"):
        cosignatures(HEAD.text(), [bad], [WITNESS.verifier])
    with pytest.raises(NoteError, match="does not hold"):
        cosignatures(HEAD.text() + b"x\n", [good], [WITNESS.verifier])
    with pytest.raises(NoteError, match="does not hold"):
        cosignatures(HEAD.text(), [note.Signature(good.name, good.key_id, good.signature[:-1])], [WITNESS.verifier])


def test_times_are_63_bits() -> None:
    assert cosignatures(HEAD.text(), [WITNESS.cosign(HEAD.text(), MAX_TIME)], [WITNESS.verifier])[0].time_s == MAX_TIME
    for time_s in (-1, MAX_TIME + 1):
        with pytest.raises(NoteError, match="no time"):
            WITNESS.cosign(HEAD.text(), time_s)


def test_keys_of_another_type_are_told_apart() -> None:
    assert parse_witness_key(str(WITNESS.verifier)) == WITNESS.verifier
    assert parse_cosigner(WITNESS.key_file()) == WITNESS
    with pytest.raises(NoteError, match="0x04"):
        parse_witness_key(str(LOG.verifier))
    with pytest.raises(NoteError, match="0x01"):
        note.parse_verifier(str(WITNESS.verifier))
    with pytest.raises(NoteError, match="0x04"):
        parse_cosigner(LOG.key_file())
    with pytest.raises(NoteError, match="0x01"):
        note.parse_signer(WITNESS.key_file())
    with pytest.raises(NoteError, match="mistyped"):
        parse_witness_key(str(WITNESS.verifier).replace("w1", "w2"))
    assert WITNESS.seed.hex() not in repr(WITNESS)
