"""One immutable file of named parts under one SHA-256, opened in time that does not grow with the file, and no
octet of it used before it has been verified.

Layout, little-endian: magic (8), version (u32), number of parts (u32), offset of the manifest (u64); for each
part its name (16, padded with zeros), offset and size (u64 each); the parts, each on a multiple of 8; zeros up
to a multiple of 8; the manifest: the SHA-256 of each 16 KiB chunk of everything before it; the SHA-256 of the
manifest, which is the file's name (`sha256`).

Opening verifies the manifest, and the chunks of the header and of each part as it is asked for; a reader that
looks into a large part in place (`policies.index`) verifies each chunk on first touch. So chance damage and
alteration are both noticed, whichever octet they hit, before it is used; what is not guarded against is a
forger who may write the file, since it bears no signature: the folder's owner is the guard there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from hashlib import sha256

from policies.names import PolicyError

MAGIC = b"GNPOLICY"
VERSION = 2
CHUNK_BITS = 14
CHUNK = 1 << CHUNK_BITS
MAX_PARTS = 64
_HEADER = struct.Struct("<8sIIQ")
_ENTRY = struct.Struct("<16sQQ")
_DIGEST = 32

Octets = bytes | bytearray | memoryview


def seal(parts: Mapping[str, Iterable[Octets]]) -> bytes:
    """One file of these parts, in this order; each is given in pieces, so that nothing large is copied twice.

    Raises: PolicyError for a part name that is empty, not ASCII or longer than 16, or more than 64 parts.
    """
    if len(parts) > MAX_PARTS:
        raise PolicyError(f"{len(parts)} parts in one snapshot: at most {MAX_PARTS}")
    position = _HEADER.size + len(parts) * _ENTRY.size
    entries: list[bytes] = []
    pieces: list[Octets] = []
    for name, given in parts.items():
        octets = [memoryview(piece).cast("B") for piece in given]
        size = sum(len(piece) for piece in octets)
        entries.append(_ENTRY.pack(_part_name(name), position, size))
        padding = -size % 8
        pieces += [*octets, bytes(padding)]
        position += size + padding
    file = bytearray(b"".join([_HEADER.pack(MAGIC, VERSION, len(parts), position), *entries, *pieces]))
    view = memoryview(file)
    manifest = b"".join(sha256(view[start : start + CHUNK]).digest() for start in range(0, position, CHUNK))
    view.release()
    file += manifest + sha256(manifest).digest()
    return bytes(file)


class Sealed:
    """A sealed file, opened over `buffer`, which it keeps alive. `sha256` is the file's name in hex.

    Raises: PolicyError when it is cut short, altered where opening looks, or of another version.
    """

    __slots__ = ("_manifest", "_parts", "_view", "checked", "is_whole", "sha256")

    def __init__(self, buffer: Octets) -> None:
        view = memoryview(buffer)
        if len(view) < _HEADER.size + 2 * _DIGEST:
            raise PolicyError("the policy snapshot is cut short: publish the policy again")
        magic, version, count, end = _HEADER.unpack_from(view)
        if magic != MAGIC:
            raise PolicyError("not a policy snapshot: publish the policy again")
        if version != VERSION:
            raise PolicyError(
                f"policy snapshot of version {version}, this program reads {VERSION}: publish the policy again"
            )
        chunks = -(-end // CHUNK)
        if count > MAX_PARTS or end < _HEADER.size or len(view) != end + (chunks + 1) * _DIGEST:
            raise PolicyError(
                "the policy snapshot does not have the size that its header says: publish the policy again"
            )
        self._view = view[:end]
        self._manifest = view[end : end + chunks * _DIGEST]
        digest = sha256(self._manifest).digest()
        if digest != view[-_DIGEST:]:
            raise PolicyError("the checksum of the policy snapshot is wrong: publish the policy again")
        self.sha256: str = digest.hex()
        self.checked = bytearray(chunks)
        self.is_whole = False
        """Whether every octet has been verified."""
        self._parts: dict[str, tuple[int, int]] = {}
        self.check(0, min(end, _HEADER.size + count * _ENTRY.size))
        for number in range(count):
            name, start, size = _ENTRY.unpack_from(self._view, _HEADER.size + number * _ENTRY.size)
            if start % 8 or start + size > end:
                raise PolicyError("a part of the policy snapshot lies outside it: publish the policy again")
            self._parts[name.rstrip(b"\0").decode("ascii", "replace")] = (start, size)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts, in their order."""
        return tuple(self._parts)

    def part(self, name: str) -> memoryview | None:
        """The octets of a part, verified, or None when there is no such part. Raises: PolicyError (damaged)."""
        where = self._parts.get(name)
        if where is None:
            return None
        self.check(where[0], where[0] + where[1])
        return self._view[where[0] : where[0] + where[1]]

    def unverified(self, name: str) -> tuple[memoryview, int] | None:
        """The octets of a part and its offset in the file, for a reader that calls `check` before it uses any."""
        where = self._parts.get(name)
        return None if where is None else (self._view[where[0] : where[0] + where[1]], where[0])

    def check(self, start: int, end: int) -> None:
        """Verify the chunks that hold octets [start, end) of the file, each once. Raises: PolicyError."""
        for chunk in range(start >> CHUNK_BITS, -(-end // CHUNK)):
            if not self.checked[chunk]:
                found = sha256(self._view[chunk << CHUNK_BITS : (chunk + 1) << CHUNK_BITS]).digest()
                if found != self._manifest[chunk * _DIGEST : (chunk + 1) * _DIGEST]:
                    raise PolicyError("the checksum of the policy snapshot is wrong: publish the policy again")
                self.checked[chunk] = 1

    def check_all(self) -> None:
        """Verify every octet, as a publisher does before the file is put in force. Raises: PolicyError."""
        self.check(0, len(self._view))
        self.is_whole = True


def _part_name(name: str) -> bytes:
    octets = name.encode("ascii", "replace")
    if not (0 < len(octets) <= 16 and name.isascii() and name.isprintable()):
        raise PolicyError(f"{name!r} cannot name a part of a snapshot: one to sixteen ASCII characters")
    return octets
