"""A set of domain names compiled into one immutable piece of bytes, looked up in place over any buffer (an
mmap too).

Layout, little-endian, starting on a multiple of 8: magic (8), homes, slots, entries, filter octets (u64 each),
then `slots` keys (u64), then the filter, then `slots` values (u16). A key is the 64-bit BLAKE2b of the name as
it stands in a DNS message, in lower case, so that a resolver looks up what it received as it came. Its home is
`key * homes >> 64`, which rises with the key; keys are laid in rising order, each in its home or in the next
free slot after it. So the bytes follow from the set of names alone, and a search ends at the first key that
is not smaller. An empty slot holds the largest key.

The filter has the bit `crc32(name) mod (its bits)` of every name set, and eight to sixteen bits a name: it tells
at a fraction of the cost that a name is not here, as most names and nearly all parents are not.

Names themselves are not stored: a name that is not listed is taken for a listed one with probability
`entries / 2^64`, one in three million million for five million names.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from hashlib import blake2b
from zlib import crc32

from policies.names import MAX_LABEL_OCTETS, MAX_NAME_OCTETS, PolicyError, parents, to_wire
from policies.sealed import CHUNK_BITS, Sealed

MAGIC = b"GNINDEX2"
MAX_VALUE = 0xFFFF
_HEADER = struct.Struct("<8sQQQQ")
_KEY = struct.Struct("<Q").unpack
_EMPTY = (1 << 64) - 1
_FILL_PERCENT = 60  # 10 bytes a slot / 0.60 = 16.7 bytes a name, and under two keys read a look-up
_FILTER_BITS_PER_NAME = 8
_FILTER_OCTETS_MIN = 8
_BIT = tuple(1 << bit for bit in range(8))
_NONE: frozenset[bytes] = frozenset()


def key_of(name: str) -> int:
    """The 64-bit key of a name in normal form; never the mark of an empty slot."""
    return wire_key(to_wire(name))


def wire_key(name: bytes) -> int:
    """As `key_of`, of a name as it stands in a DNS message, in lower case."""
    (key,) = _KEY(blake2b(name, digest_size=8).digest())
    return key if key != _EMPTY else _EMPTY - 1


def _offsets(name: bytes) -> Iterator[int]:
    """Where each label of a wire name begins."""
    offset = 0
    while length := name[offset]:
        yield offset
        offset += length + 1


def build_index(entries: Iterable[tuple[str, int]]) -> bytes:
    """Compile (name in normal form, value 0–65535) pairs; each name once. The order of the pairs does not
    matter.

    Raises: PolicyError for a value out of range, a name given twice, or two names with the same key (about
        one in a million million million pairs).
    """
    named = list(entries)
    pairs = sorted((key_of(name), value) for name, value in named)
    return b"".join(lay_out(pairs, len(pairs), (crc32(to_wire(name)) for name, _ in named)))


def lay_out(pairs: Iterable[tuple[int, int]], count: int, crcs: Iterable[int]) -> list[bytes | memoryview]:
    """The pieces of an index of `count` (key, value) pairs that come in rising order of key; `crcs` are the CRC-32 of
    their names on the wire, in any order and repeated at will. Raises: as `build_index`.
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
    octets = _filter(count, crcs)
    header = _HEADER.pack(MAGIC, homes, slots, count, len(octets))
    return [header, memoryview(keys).cast("B"), octets, memoryview(values).cast("B")]


def _filter(count: int, crcs: Iterable[int]) -> bytes:
    size = _FILTER_OCTETS_MIN
    while size * 8 < count * _FILTER_BITS_PER_NAME:
        size *= 2
    octets, mask = bytearray(size), size - 1
    for crc in crcs:
        octets[crc >> 3 & mask] |= _BIT[crc & 7]
    return bytes(octets)


class Index:
    """A compiled index opened over `buffer`, which it keeps alive; opening reads the header and the last slot.

    `sealed` and `offset`, where the buffer is a part of a sealed file: chunks are verified on first touch.

    Raises: PolicyError when the header and the size of the buffer do not agree; any look-up raises it too
        where it comes upon damage.
    """

    __slots__ = (
        "_filter",
        "_filter_at",
        "_filter_mask",
        "_homes",
        "_keys",
        "_keys_at",
        "_sealed",
        "_values",
        "_values_at",
        "entries",
    )

    def __init__(self, buffer: bytes | memoryview, sealed: Sealed | None = None, offset: int = 0) -> None:
        view = memoryview(buffer)
        if len(view) < _HEADER.size:
            raise PolicyError("the index is cut short: publish the policy again")
        if sealed is not None:
            sealed.check(offset, offset + _HEADER.size)
        magic, homes, slots, entries, filter_octets = _HEADER.unpack_from(view)
        if magic != MAGIC:
            raise PolicyError("not an index of this version: publish the policy again")
        is_power = filter_octets >= _FILTER_OCTETS_MIN and not filter_octets & (filter_octets - 1)
        size = _HEADER.size + 10 * slots + filter_octets
        if not (0 < homes < slots and entries < slots and is_power and len(view) == size):
            raise PolicyError("the index does not have the size that its header says: publish the policy again")
        keys_end = _HEADER.size + 8 * slots
        values_start = keys_end + filter_octets
        self._keys_at, self._values_at = offset + _HEADER.size, offset + values_start
        self._sealed = sealed
        self._filter = view[keys_end:values_start]
        self._filter_mask = filter_octets - 1
        self._filter_at = offset + keys_end
        if sealed is not None:
            sealed.check(offset + keys_end - 8, offset + keys_end)
        if sys.byteorder == "big" and sealed is not None:
            sealed.check(offset, offset + len(view))
        if sys.byteorder == "little":
            self._keys = view[_HEADER.size : keys_end].cast("Q")
            self._values = view[values_start:].cast("H")
        else:
            keys, values = array("Q", view[_HEADER.size : keys_end]), array("H", view[values_start:])
            keys.byteswap()
            values.byteswap()
            self._keys, self._values = memoryview(keys), memoryview(values)
        if self._keys[slots - 1] != _EMPTY:
            raise PolicyError("the index has no empty slot at its end: publish the policy again")
        self._homes: int = homes
        self.entries: int = entries

    def counted(self) -> dict[int, int]:
        """How many names have each value. Walks the whole index, some 50 ms for a million names.

        Raises: PolicyError where it comes upon damage.
        """
        if self._sealed is not None:
            self._sealed.check_all()
        counts = Counter(self._values)
        counts[0] = 0  # empty slots hold it too
        counts[0] = self.entries - counts.total()
        return {value: count for value, count in counts.items() if count}

    def get(self, name: str) -> int | None:
        """The value of exactly this name (normal form), or None."""
        return self._get(key_of(name))

    def walk(self, name: str) -> Iterator[tuple[str, int]]:
        """(suffix, value) for `name` and each of its parents that is in the index, longest first."""
        return iter(self.find(name))

    def find(self, name: str) -> list[tuple[str, int]]:
        """As `walk`, as a list."""
        wire = to_wire(name)
        found = self.match(wire) or ()
        if "\\" not in name:  # then a label begins, after its dot, where it begins on the wire, after its length
            return [(name[offset:], value) for offset, value in found]
        suffixes = dict(zip(_offsets(wire), parents(name), strict=True)) if found else {}
        return [(suffixes[offset], value) for offset, value in found]

    def match(self, name: bytes, apart: Set[bytes] = _NONE) -> list[tuple[int, int]] | None:
        """As `find`, for a name as it stands in a DNS message, in lower case: (offset of the suffix, value).

        None where the name or a parent is one of those set `apart`. Raises: IndexError for what is no name on the wire.
        """
        if name[-1] or len(name) > MAX_NAME_OCTETS:
            raise IndexError("not a name as it stands in a DNS message")
        sealed = self._sealed
        if sealed is not None and not sealed.is_whole:
            return self._match_warily(sealed, name, apart)
        keys, homes, octets, mask = self._keys, self._homes, self._filter, self._filter_mask
        found: list[tuple[int, int]] = []
        offset = 0
        while length := name[offset]:
            rest = name[offset:]
            if rest in apart:
                return None
            crc = crc32(rest)
            if octets[crc >> 3 & mask] & _BIT[crc & 7]:
                (key,) = _KEY(blake2b(rest, digest_size=8).digest())
                slot = key * homes >> 64
                while (there := keys[slot]) < key:  # INVARIANT: the last slot was verified to be empty, so this ends.
                    slot += 1
                if there == key:
                    value = self._values[slot] if key != _EMPTY else self._get(wire_key(rest))
                    if value is not None:
                        found.append((offset, value))
            if length > MAX_LABEL_OCTETS:
                raise IndexError("a label too long")
            offset += length + 1
        if offset + 1 != len(name):
            raise IndexError("octets after a name")
        return found

    def _match_warily(self, sealed: Sealed, name: bytes, apart: Set[bytes]) -> list[tuple[int, int]] | None:
        """As `match`, in a file of which not every octet has been verified yet."""
        checked, octets, mask, filter_at = sealed.checked, self._filter, self._filter_mask, self._filter_at
        found: list[tuple[int, int]] = []
        offset = 0
        while length := name[offset]:
            rest = name[offset:]
            if rest in apart:
                return None
            crc = crc32(rest)
            place = crc >> 3 & mask
            if not checked[filter_at + place >> CHUNK_BITS]:
                sealed.check(filter_at + place, filter_at + place + 1)
            if octets[place] & _BIT[crc & 7]:
                value = self._get(wire_key(rest))
                if value is not None:
                    found.append((offset, value))
            if length > MAX_LABEL_OCTETS:
                raise IndexError("a label too long")
            offset += length + 1
        if offset + 1 != len(name):
            raise IndexError("octets after a name")
        return found

    def _get(self, key: int) -> int | None:
        slot = self._search(key)
        return self._value(slot) if self._keys[slot] == key else None

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
            self._sealed.check(at, at + 2)
        return self._values[slot]

    def _verify(self, first: int, last: int) -> None:
        if self._sealed is not None:
            self._sealed.check(self._keys_at + 8 * first, self._keys_at + 8 * last + 8)
