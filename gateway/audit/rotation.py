"""Replacing the log's key: the old key's signed word for the new one, and how trust follows it. Pure.

The note is by the old key, over the text `gjestenett key rotation v1 LF origin LF new vkey LF`. Whoever trusts a key of
the log, however old, finds the present one by following the notes in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.audit import note
from gateway.audit.checkpoint import parse_decimal
from gateway.audit.errors import NoteError

HEADER = "gjestenett key rotation v1"


def sign_rotation(old: note.SignerKey, new: note.VerifierKey) -> bytes:
    """The old key's note for the new one. Raises: NoteError when they are not keys of one log."""
    if old.name != new.name or old.verifier == new:
        raise NoteError("a key is replaced by another key of the same log")
    return note.sign(f"{HEADER}\n{old.name}\n{new}\n".encode(), [old])


def open_rotation(data: bytes, origin: str, keys: Iterable[note.VerifierKey]) -> note.VerifierKey:
    """The new key that a trusted key of this log has signed. Raises: NoteError."""
    parsed = note.parse(data)
    lines = parsed.text.decode().split("\n")
    if len(lines) != 4 or lines[0] != HEADER:
        raise NoteError("this is no note about the replacement of a log's key")
    if lines[1] != origin:
        raise NoteError(f"the note is about a key of {lines[1]}, not of {origin}")
    note.verified_by(parsed, [key for key in keys if key.name == origin])
    new = note.parse_verifier(lines[2])
    if new.name != origin:
        raise NoteError(f"the new key is named {new.name}, the log {origin}")
    return new


def follow(notes: Iterable[bytes], origin: str, trusted: note.VerifierKey) -> tuple[note.VerifierKey, ...]:
    """The keys that are trusted because `trusted` is: it, and each new one down the chain, in order.

    Notes by keys that are not (yet) trusted are passed over; what is signed by a trusted key must hold.
    """
    keys = [trusted]
    for data in notes:
        names = {(signature.name, signature.key_id) for signature in note.parse(data).signatures}
        if names & {(key.name, key.key_id) for key in keys}:
            new = open_rotation(data, origin, keys)
            if new not in keys:
                keys.append(new)
    return tuple(keys)


Step = tuple[note.VerifierKey, note.VerifierKey, bytes]


def chain_to(notes: Sequence[bytes], origin: str, old: note.VerifierKey, new: note.VerifierKey) -> tuple[Step, ...]:
    """The replacements (old key, new key, note) that lead from `old` to `new`; empty when none do, or none have to.

    Raises: NoteError as `follow`.
    """
    trusted, steps, key = follow(notes, origin, old), list[Step](), new
    while key != old:
        step = next(
            (
                (before, key, data)
                for data in notes
                for before in trusted
                if before != key and key in follow([data], origin, before)
            ),
            None,
        )
        if step is None or len(steps) > len(notes):
            return ()
        steps.insert(0, step)
        key = step[0]
    return tuple(steps)


def encode_rotations(notes: Iterable[bytes]) -> bytes:
    """Several notes as one file: for each the line `note N` (its bytes) and the note."""
    return b"".join(b"note %d\n" % len(data) + data for data in notes)


def parse_rotations(data: bytes) -> tuple[bytes, ...]:
    """The notes of `encode_rotations`, not verified. Raises: NoteError."""
    found = []
    while data:
        head, newline, rest = data.partition(b"\n")
        if not newline or not head.startswith(b"note "):
            raise NoteError("a note about a key does not begin with `note N`")
        try:
            count = parse_decimal(head[5:].decode("ascii"))
        except UnicodeDecodeError:
            raise NoteError("a note about a key does not begin with `note N`") from None
        if count > len(rest):
            raise NoteError("a note about a key is cut off")
        found.append(rest[:count])
        data = rest[count:]
    return tuple(found)
