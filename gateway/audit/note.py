"""C2SP signed notes with Ed25519 keys: format, strict parser, signing and verification (c2sp.org/signed-note).

Pure: the caller brings the randomness of a new key and reads and writes the key file (`keyfile.py`).
A public key is written `name+hex(key id)+base64(type ‖ public key)`, a private one
`PRIVATE+KEY+name+hex(key id)+base64(0x01 ‖ seed)`, as Go's note package writes them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.audit.errors import NoteError

ED25519 = 0x01
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 64
_DASH = "\N{EM DASH} "
_PRIVATE = "PRIVATE+KEY+"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that notes are checked against; `public` is 32 bytes."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ LF ‖ 0x01 ‖ public)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public).digest()[:4]

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` (64 bytes) is this key's over `text`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True

    def __str__(self) -> str:
        """The key as one `vkey` string."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([ED25519]) + self.public)}"


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A private key; `seed` is 32 secret bytes and stays out of `repr`."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.seed) != 32:
            raise NoteError(f"a signing key's seed has 32 bytes, not {len(self.seed)}")

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        """The 64-byte Ed25519 signature over `text`."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)

    def key_file(self) -> str:
        """The text of the key file: one line. Write it with mode 0600."""
        return private_line(self.name, self.verifier.key_id, ED25519, self.seed)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, which key, and the bytes after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The signature line with its LF."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; `text` ends in LF and must be ignored until `verified_by` has named a key."""

    text: bytes
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return self.text + b"\n" + "".join(signature.line() for signature in self.signatures).encode()


def sign(text: bytes, signers: Sequence[SignerKey]) -> bytes:
    """The note of `text` signed by each signer.

    Raises: NoteError when the text has no final LF, holds control characters or no signer is given.
    """
    if not signers:
        raise NoteError("a note needs at least one signature")
    check_text(text)
    signatures = tuple(Signature(key.name, key.verifier.key_id, key.sign(text)) for key in signers)
    return Note(text, signatures).encode()


def parse(data: bytes) -> Note:
    """Read a note strictly; nothing is verified yet.

    Raises: NoteError for any departure from c2sp.org/signed-note or beyond 1,000,000 bytes or 64 signatures.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"the note is larger than {MAX_NOTE_BYTES} bytes")
    body, blank, tail = data.rpartition(b"\n\n")
    if not blank:
        raise NoteError("the note has no blank line between text and signatures")
    text = body + b"\n"
    check_text(text)
    try:
        lines = tail.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise NoteError("the signature lines are not UTF-8") from None
    if lines.pop() != "" or not lines:
        raise NoteError("the note does not end with a signature line and a newline")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
    return Note(text, tuple(_signature(line, number) for number, line in enumerate(lines, 1)))


def verified_by(note: Note, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The known keys whose signatures hold, at least one. Signatures of unknown keys are ignored.

    Raises: NoteError when a known key's signature does not hold, or no signature is of a known key.
    """
    known = {(key.name, key.key_id): key for key in keys}
    good: list[VerifierKey] = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if len(signature.signature) != 64 or not key.verify(note.text, signature.signature):
            raise NoteError(f"the signature by {key.name} does not hold: the text or the signature was changed")
        good.append(key)
    if not good:
        raise NoteError("no signature is by a trusted key")
    return tuple(dict.fromkeys(good))


def parse_verifier(text: str) -> VerifierKey:
    """Read one `vkey` string.

    Raises: NoteError when it is malformed, its key id does not fit, or its type is not Ed25519.
    """
    name, key_id, payload = _ed25519(*key_parts(text))
    key = VerifierKey(name, payload)
    if key.key_id != key_id:
        raise NoteError(f"the key id of {name} does not fit the key: it was mistyped or changed")
    return key


def parse_verifiers(text: str) -> tuple[VerifierKey, ...]:
    """Read a file of `vkey` strings, one a line, at least one, final LF optional. Raises: NoteError."""
    return tuple(parse_verifier(line) for line in text.removesuffix("\n").split("\n"))


def parse_signer(text: str) -> SignerKey:
    """Read the text of a key file. Raises: NoteError, never quoting the secret."""
    name, key_id, seed = _ed25519(*private_parts(text))
    signer = SignerKey(name, seed)
    if signer.verifier.key_id != key_id:
        raise NoteError(f"the key id of {name} does not fit the signing key: the file is damaged")
    return signer


def key_parts(text: str) -> tuple[str, bytes, int, bytes]:
    """A key of any type as (name, key id, type byte, the bytes after it). Raises: NoteError when it is not well
    formed.
    """
    parts = text.split("+", 2)  # the base64 part may hold plus signs
    if len(parts) != 3 or not re.fullmatch(r"[0-9a-f]{8}", parts[1]):
        raise NoteError("a key is written name+8 hex digits+base64")
    check_name(parts[0])
    blob = decode_base64(parts[2])
    if not blob:
        raise NoteError(f"the key of {parts[0]} is empty")
    return parts[0], bytes.fromhex(parts[1]), blob[0], blob[1:]


def private_parts(text: str) -> tuple[str, bytes, int, bytes]:
    """As `key_parts`, of the text of a key file. Raises: NoteError, never quoting the secret."""
    line = text.removesuffix("\n")
    if not line.startswith(_PRIVATE):
        raise NoteError("this is not a signing key: it does not start with PRIVATE+KEY+")
    return key_parts(line.removeprefix(_PRIVATE))


def private_line(name: str, key_id: bytes, kind: int, seed: bytes) -> str:
    """The text of a key file, with its LF: a secret."""
    return f"{_PRIVATE}{name}+{key_id.hex()}+{encode_base64(bytes([kind]) + seed)}\n"


def parse_signature(line: str) -> Signature:
    """Read one signature line without its LF. Raises: NoteError."""
    return _signature(line, 1)


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64; only the one canonical spelling is read. Raises: NoteError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("malformed base64") from None
    if encode_base64(data) != text:
        raise NoteError("base64 is not in its canonical spelling")
    return data


def check_name(name: str) -> None:
    """Raises: NoteError unless `name` is non-empty and free of spaces, plus signs and control characters."""
    if not name or "+" in name or any(char.isspace() or ord(char) < 0x20 for char in name):
        raise NoteError(f"{name!r} can't name a key: it needs text without spaces and plus signs")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise NoteError("a key name must be valid Unicode") from None


def check_text(text: bytes) -> None:
    """Raises: NoteError unless `text` is UTF-8 ending in LF with no other control character."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteError("the note's text is not UTF-8") from None
    if not decoded.endswith("\n") or _CONTROL.search(decoded):
        raise NoteError("the note's text must end in a newline and hold no other control character")


def _signature(line: str, number: int) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH[0]:
        raise NoteError(f"signature line {number} is not '— name base64'")
    check_name(parts[1])
    blob = decode_base64(parts[2])
    if len(blob) < 5:
        raise NoteError(f"signature line {number} is too short")
    return Signature(parts[1], blob[:4], blob[4:])


def _ed25519(name: str, key_id: bytes, kind: int, payload: bytes) -> tuple[str, bytes, bytes]:
    if kind != ED25519:
        raise NoteError(f"the key of {name} is not an Ed25519 key (type 0x01)")
    if len(payload) != 32:
        raise NoteError(f"the key of {name} does not have 32 bytes")
    return name, key_id, payload
