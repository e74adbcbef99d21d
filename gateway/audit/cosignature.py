"""Cosignatures: what a witness says of another log's checkpoint (c2sp.org/tlog-cosignature, Ed25519, `cosignature/v1`).

A witness's key is written as a `vkey` of type 0x04, its signature is `u64be(POSIX time) ‖ 64 bytes` over two lines
and the
checkpoint's text. Other types (ML-DSA-44 is 0x06) are unknown here and ignored wherever several keys or lines stand.
Pure. A cosigning key must sign nothing else: the message does not name the cosigner.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.audit import note
from gateway.audit.errors import NoteError

COSIGNATURE = 0x04
MAX_TIME = 2**63 - 1
_SIGNATURE_BYTES = 72


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's public key; `public` is 32 bytes."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ LF ‖ 0x04 ‖ public)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([COSIGNATURE]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """The key as one `vkey` string."""
        return f"{self.name}+{self.key_id.hex()}+{note.encode_base64(bytes([COSIGNATURE]) + self.public)}"


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A witness's private key; `seed` is 32 secret bytes and stays out of `repr`."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        note.check_name(self.name)
        if len(self.seed) != 32:
            raise NoteError(f"a cosigning key's seed has 32 bytes, not {len(self.seed)}")

    @property
    def verifier(self) -> WitnessKey:
        """The public half."""
        return WitnessKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def cosign(self, text: bytes, time_s: int) -> note.Signature:
        """The cosignature of a checkpoint's `text` at POSIX time `time_s`. Raises: NoteError for a time out of
        range.
        """
        if not 0 <= time_s <= MAX_TIME:
            raise NoteError(f"{time_s} is no time of a cosignature")
        signed = Ed25519PrivateKey.from_private_bytes(self.seed).sign(_message(text, time_s))
        return note.Signature(self.name, self.verifier.key_id, struct.pack(">Q", time_s) + signed)

    def key_file(self) -> str:
        """The text of the key file: one line. Write it with mode 0600."""
        return note.private_line(self.name, self.verifier.key_id, COSIGNATURE, self.seed)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A cosignature that holds: whose, when (POSIX seconds), and its line as it stands in the note."""

    key: WitnessKey
    time_s: int
    line: str


def cosignatures(text: bytes, signatures: Sequence[note.Signature], keys: Sequence[WitnessKey]) -> tuple[Cosigned, ...]:
    """The cosignatures of a checkpoint's `text` by known witnesses, in order; those of unknown keys are ignored.

    Raises: NoteError when the cosignature of a known witness does not hold.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found = []
    for signature in signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            found.append(Cosigned(key, _time_of(key, text, signature.signature), signature.line()))
    return tuple(found)


def parse_witness_key(text: str) -> WitnessKey:
    """Read one `vkey` string of type 0x04. Raises: NoteError, also for keys of other types."""
    name, key_id, kind, payload = note.key_parts(text)
    if kind != COSIGNATURE or len(payload) != 32:
        raise NoteError(f"the key of {name} is not a witness's Ed25519 key (type 0x04)")
    key = WitnessKey(name, payload)
    if key.key_id != key_id:
        raise NoteError(f"the key id of {name} does not fit the key: it was mistyped or changed")
    return key


def parse_cosigner(text: str) -> CosignerKey:
    """Read the text of a witness's key file. Raises: NoteError, never quoting the secret."""
    name, key_id, kind, seed = note.private_parts(text)
    if kind != COSIGNATURE or len(seed) != 32:
        raise NoteError(f"the key of {name} is not a cosigning key (type 0x04)")
    cosigner = CosignerKey(name, seed)
    if cosigner.verifier.key_id != key_id:
        raise NoteError(f"the key id of {name} does not fit the cosigning key: the file is damaged")
    return cosigner


def _message(text: bytes, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n".encode() + text


def _time_of(key: WitnessKey, text: bytes, blob: bytes) -> int:
    if len(blob) == _SIGNATURE_BYTES:
        time_s: int = struct.unpack(">Q", blob[:8])[0]
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(blob[8:], _message(text, time_s))
            if time_s <= MAX_TIME:
                return time_s
        except InvalidSignature:
            pass
    raise NoteError(f"the cosignature by {key.name} does not hold: the checkpoint or the cosignature was changed")
