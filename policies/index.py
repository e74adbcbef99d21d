"""A set of domain names compiled into one immutable piece of bytes, looked up in place over any buffer (an
mmap too).

Layout, little-endian, starting on a multiple of 8: magic (8), homes, slots, entries (u64 each), then `slots`
keys (u64), then `slots` values (u16). A key is the 64-bit BLAKE2b of the name in normal form. Its home is
`key * homes >> 64`, which rises with the key; keys are laid in rising order, each in its home or in the next
free slot after it. So the bytes follow from the set of names alone, and a search ends at the first key that
is not smaller. An empty slot holds the largest key.

Names themselves are not stored: a name that is not listed is taken for a listed one with probability
`entries / 2^64`, one in three million million for five million names.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from policies.names import PolicyError
from policies.sealed import CHUNK_BITS, Sealed

MAGIC = b"GNINDEX1"
MAX_VALUE = 0xFFFF
_HEADER = struct.Struct("<8sQQQ")
_KEY = struct.Struct("<Q").unpack
_EMPTY = (1 << 64) - 1
_FILL_PERCENT = 60  # 10 bytes a slot / 0.60 = 16.7 bytes a name, and under two keys read a look-up
_SLOT_BITS = CHUNK_BITS - 3  # keys in a chunk, as a power of two


def key_of(name: str) -> int:
    """The 64-bit key of a name in normal form; never the mark of an empty slot."""
    key = int.from_bytes(blake2b(name.encode("ascii"), digest_size=8).digest(), "little")
    return key if key != _EMPTY else _EMPTY - 1


def build_index(entries: Iterable[tuple[str, int]]) -> bytes:
    """Compile (name in normal form, value 0–65535) pairs; each name once. The order of the pairs does not
    matter.

    Raises: PolicyError for a value out of range, a name given twice, or two names with the same key (about
        one in a million million million pairs).
    """
    pairs = sorted((key_of(name), value) for name, value in entries)
    return b"".join(lay_out(pairs, len(pairs)))


def lay_out(pairs: Iterable[tuple[int, int]], count: int) -> list[bytes | memoryview]:
    """The pieces of an index of `count` (key, value) pairs that come in rising order of key. Raises: as
    `build_index`.
    """
    homes = max(1, count * 100 // _FILL_PERCENT)
    keys = array("Q", [_EMPTY]) * (homes + 1)
    values = array("H", [0]) * (homes + 1)
    slots = homes + 1
    previous_slot, previous_key = -1, -1
    for key, value in pairs:
        if not 0 <= value <= MAX_VALUE:
            raise PolicyError(f"index value {value} is not between 0 and {MAX_VALUE}: too many kinds of entries")
        if key <= previous_key:
            raise PolicyError("the same name twice in an index (or two names with the same 64-bit key)")
        slot = key * homes >> 64
        if slot <= previous_slot:
            slot = previous_slot + 1
        if slot + 1 >= slots:  # INVARIANT: an empty slot stands at the end, so that every search ends.
            keys.extend([_EMPTY] * (slot + 2 - slots))
            values.extend([0] * (slot + 2 - slots))
            slots = slot + 2
        keys[slot] = key
        values[slot] = value
        previous_slot, previous_key = slot, key
    if sys.byteorder == "big":
        keys.byteswap()
        values.byteswap()
    return [_HEADER.pack(MAGIC, homes, slots, count), memoryview(keys).cast("B"), memoryview(values).cast("B")]


class Index:
    """A compiled index opened over `buffer`, which it keeps alive; opening reads the header and the last slot.

    `sealed` and `offset`, where the buffer is a part of a sealed file: chunks are verified on first touch.

    Raises: PolicyError when the header and the size of the buffer do not agree; any look-up raises it too
        where it comes upon damage.
    """

    __slots__ = ("_bias", "_checked", "_homes", "_keys", "_keys_at", "_sealed", "_values", "_values_at", "entries")

    def __init__(self, buffer: bytes | memoryview, sealed: Sealed | None = None, offset: int = 0) -> None:
        view = memoryview(buffer)
        if len(view) < _HEADER.size:
            raise PolicyError("the index is cut short: publish the policy again")
        if sealed is not None:
            sealed.check(offset, offset + _HEADER.size)
        magic, homes, slots, entries = _HEADER.unpack_from(view)
        if magic != MAGIC:
            raise PolicyError("not an index of this version: publish the policy again")
        if not (0 < homes < slots and entries < slots and len(view) == _HEADER.size + 10 * slots):
            raise PolicyError("the index does not have the size that its header says: publish the policy again")
        keys_end = _HEADER.size + 8 * slots
        self._keys_at, self._values_at = offset + _HEADER.size, offset + keys_end
        self._sealed = sealed
        self._bias = self._keys_at >> 3
        # Without a seal everything counts as verified.
        self._checked = (
            sealed.checked if sealed is not None else bytearray(b"\1") * (((self._bias + slots) >> _SLOT_BITS) + 1)
        )
        if sealed is not None:
            sealed.check(self._values_at - 8, self._values_at)
        if sys.byteorder == "big" and sealed is not None:
            sealed.check(offset, offset + len(view))
        if sys.byteorder == "little":
            self._keys = view[_HEADER.size : keys_end].cast("Q")
            self._values = view[keys_end:].cast("H")
        else:
            keys, values = array("Q", view[_HEADER.size : keys_end]), array("H", view[keys_end:])
            keys.byteswap()
            values.byteswap()
            self._keys, self._values = memoryview(keys), memoryview(values)
        if self._keys[slots - 1] != _EMPTY:
            raise PolicyError("the index has no empty slot at its end: publish the policy again")
        self._homes: int = homes
        self.entries: int = entries

    def get(self, name: str) -> int | None:
        """The value of exactly this name (normal form), or None."""
        key = key_of(name)
        slot = self._search(key)
        return self._value(slot) if self._keys[slot] == key else None

    def walk(self, name: str) -> Iterator[tuple[str, int]]:
        """(suffix, value) for `name` and each of its parents that is in the index, longest first."""
        return iter(self.find(name))

    def find(self, name: str) -> list[tuple[str, int]]:
        """As `walk`, as a list."""
        keys, homes, checked, bias = self._keys, self._homes, self._checked, self._bias
        found: list[tuple[str, int]] = []
        rest = name.encode("ascii")
        while rest:
            (key,) = _KEY(blake2b(rest, digest_size=8).digest())
            first = slot = key * homes >> 64
            if not checked[(slot + bias) >> _SLOT_BITS]:
                self._verify(slot, slot)
            # INVARIANT: the last slot was verified to be empty, so this ends.
            while (there := keys[slot]) < key:
                slot += 1
            if slot != first and not checked[(slot + bias) >> _SLOT_BITS]:
                self._verify(first, slot)
            if there == key:
                suffix = rest.decode("ascii")
                value = self._value(slot) if key != _EMPTY else self.get(suffix)
                if value is not None:
                    found.append((suffix, value))
            rest = rest.partition(b".")[2]
        return found

    def _search(self, key: int) -> int:
        keys = self._keys
        first = slot = key * self._homes >> 64
        self._verify(slot, slot)
        while keys[slot] < key:
            slot += 1
        self._verify(first, slot)
        return slot

    def _value(self, slot: int) -> int:
        if self._sealed is not None:
            at = self._values_at + 2 * slot
            if not self._checked[at >> CHUNK_BITS]:
                self._sealed.check(at, at + 2)
        return self._values[slot]

    def _verify(self, first: int, last: int) -> None:
        if self._sealed is not None:
            self._sealed.check(self._keys_at + 8 * first, self._keys_at + 8 * last + 8)
