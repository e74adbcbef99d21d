"""Checkpoints: the three lines, the origin's own key, strictness."""

import pytest

from gateway.audit import note
from gateway.audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from gateway.audit.errors import NoteError
from gateway.audit.merkle import EMPTY_ROOT

SIGNER = note.SignerKey("log.example/kommune", bytes(range(32)))
HEAD = Checkpoint("log.example/kommune", 0, EMPTY_ROOT)


def test_format_and_round_trip() -> None:
    data = sign_checkpoint(HEAD, SIGNER)
    start = "log.example/kommune\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— log.example/kommune "
    assert data.startswith(start.encode())
    assert open_checkpoint(data, [SIGNER.verifier], "log.example/kommune") == HEAD


def test_another_origin_or_key_is_refused() -> None:
    data = sign_checkpoint(HEAD, SIGNER)
    with pytest.raises(NoteError, match=r"not of other\.example"):
        open_checkpoint(data, [SIGNER.verifier], "other.example")
    with pytest.raises(NoteError, match="trusted"):
        open_checkpoint(data, [note.SignerKey("log.example/kommune", bytes(32)).verifier])
    with pytest.raises(NoteError, match="must be the same"):
        sign_checkpoint(HEAD, note.SignerKey("other.example", bytes(32)))


def test_a_trusted_key_of_another_name_does_not_speak_for_the_log() -> None:
    witness = note.SignerKey("witness.example", bytes(32))
    data = note.sign(HEAD.text(), [witness])
    with pytest.raises(NoteError, match="trusted"):
        open_checkpoint(data, [SIGNER.verifier, witness.verifier])


@pytest.mark.parametrize(
    "text",
    [
        b"log\n0\n", b"log\n00\nAAAA\n", b"log\n-1\n" + b"A" * 43 + b"=\n", b"log\n1\n" + b"A" * 40 + b"\n",
        b"log\n1\n" + b"A" * 43 + b"=\nextension\n", b"log\n1 \n" + b"A" * 43 + b"=\n", b"\n1\n" + b"A" * 43 + b"=\n",
        "log\n١\n".encode() + b"A" * 43 + b"=\n",
    ],
)  # fmt: skip
def test_other_texts_are_not_checkpoints(text: bytes) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(note.sign(text, [SIGNER]))
