"""A set of domain names compiled into one immutable piece of bytes, looked up in place over any buffer (an
mmap too).

Layout, little-endian, starting on a multiple of 8: magic (8), homes, slots, entries (u64 each), then `slots`
keys (u64), then `slots` values (u16). A key is the 64-bit BLAKE2b of the name in normal form. Its home is
`key * homes >> 64`, which rises with the key; keys are laid in rising order, each in its home or in the next
free slot after it. So the bytes follow from the set of names alone, and a search ends at the first key that
is not smaller. An empty slot holds the largest key.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from policies.names import PolicyError

MAGIC = b"GNINDEX1"
MAX_VALUE = 0xFFFF
_HEADER = struct.Struct("<8sQQQ")
_EMPTY = (1 << 64) - 1
_FILL_PERCENT = 60  # 10 bytes a slot / 0.60 = 16.7 bytes a name, and under two keys read a look-up


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
    homes = max(1, len(pairs) * 100 // _FILL_PERCENT)
    keys = array("Q", [_EMPTY]) * (homes + 1)
    values = array("H", [0]) * (homes + 1)
    previous_slot, previous_key = -1, -1
    for key, value in pairs:
        if not 0 <= value <= MAX_VALUE:
            raise PolicyError(f"index value {value} is not between 0 and {MAX_VALUE}: too many kinds of entries")
        if key == previous_key:
            raise PolicyError("the same name twice in an index (or two names with the same 64-bit key)")
        slot = max(key * homes >> 64, previous_slot + 1)
        if slot + 1 >= len(keys):  # INVARIANT: an empty slot stands at the end, so that every search ends.
            keys.extend([_EMPTY] * (slot + 2 - len(keys)))
            values.extend([0] * (slot + 2 - len(values)))
        keys[slot], values[slot] = key, value
        previous_slot, previous_key = slot, key
    if sys.byteorder == "big":
        keys.byteswap()
        values.byteswap()
    return _HEADER.pack(MAGIC, homes, len(keys), len(pairs)) + keys.tobytes() + values.tobytes()


class Index:
    """A compiled index opened over `buffer`, which it keeps alive; opening reads the header only.

    Raises: PolicyError when the header and the size of the buffer do not agree.
    """

    __slots__ = ("_homes", "_keys", "_values", "entries")

    def __init__(self, buffer: bytes | memoryview) -> None:
        view = memoryview(buffer)
        if len(view) < _HEADER.size:
            raise PolicyError("the index is cut short: publish the policy again")
        magic, homes, slots, entries = _HEADER.unpack_from(view)
        if magic != MAGIC:
            raise PolicyError("not an index of this version: publish the policy again")
        if not (0 < homes < slots and entries < slots and len(view) == _HEADER.size + 10 * slots):
            raise PolicyError("the index does not have the size that its header says: publish the policy again")
        keys_end = _HEADER.size + 8 * slots
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
        slot = key * self._homes >> 64
        keys = self._keys
        while (found := keys[slot]) < key:
            slot += 1
        return self._values[slot] if found == key else None

    def walk(self, name: str) -> Iterator[tuple[str, int]]:
        """(suffix, value) for `name` and each of its parents that is in the index, longest first."""
        keys, homes = self._keys, self._homes
        while name:
            key = int.from_bytes(blake2b(name.encode("ascii"), digest_size=8).digest(), "little")
            if key == _EMPTY:
                key -= 1
            slot = key * homes >> 64
            while (found := keys[slot]) < key:
                slot += 1
            if found == key:
                yield name, self._values[slot]
            dot = name.find(".")
            if dot < 0:
                return
            name = name[dot + 1 :]
