"""What many lists say of many names, gathered in bounded memory into one table in rising order of key.

A name is reduced to its 64-bit key at once (`policies.index`), so five million names take fourteen octets each
while they are gathered, whatever their lengths. A word is one thing that one list can say of a name; a saying
is all words said of it, of which there are few different ones however many names there are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from zlib import crc32

from policies.index import MAX_VALUE, wire_key
from policies.names import PolicyError, to_wire

# What a list can say of a name, as bits: nothing set means "this name and everything below it".
EXCEPTION = 1  # taken out of the list again
EXACT = 2  # only the very name, nothing below it
KINDS = 4

_BUCKET_BITS = 6  # 64 buckets by the first bits of the key, each sorted by itself
_SHIFT = 64 - _BUCKET_BITS
_WORD_BITS = 16

Words = tuple[int, ...]


class Gathering:
    """Takes (name, word) pairs in any order, repetitions too, then gives them merged, once."""

    def __init__(self) -> None:
        self._keys = [array("Q") for _ in range(1 << _BUCKET_BITS)]
        self._words = [array("H") for _ in range(1 << _BUCKET_BITS)]
        self.said: dict[int, int] = {}
        self.crcs = array("I")
        """The CRC-32 of every name that was added, on the wire."""

    def add(self, name: str, word: int) -> None:
        """`word` (0–65535) is said of `name`, in normal form. Raises: OverflowError for a word out of range."""
        wire = to_wire(name)
        self.crcs.append(crc32(wire))
        key = wire_key(wire)
        bucket = key >> _SHIFT
        self._keys[bucket].append(key)
        self._words[bucket].append(word)

    def merge(self) -> tuple[list[Words], array[int], array[int]]:
        """(sayings in rising order, keys in rising order, for each key the number of its saying).

        Afterwards `said[word]` is the number of different names of which that word was said, and the
        gathering is empty. Raises: PolicyError when there are more than 65,536 different sayings.
        """
        numbers: dict[Words, int] = {}
        keys, values = array("Q"), array("H")
        for key, words in self._merged():
            number = numbers.get(words)
            if number is None:
                number = len(numbers)
                if number > MAX_VALUE:
                    raise PolicyError(
                        f"the lists agree and disagree in more than {MAX_VALUE} ways: use fewer lists at once"
                    )
                numbers[words] = number
            keys.append(key)
            values.append(number)
        sayings = sorted(numbers)
        position = {words: place for place, words in enumerate(sayings)}
        moved = array("H", (position[words] for words in numbers))
        return sayings, keys, array("H", map(moved.__getitem__, values))

    def _merged(self) -> Iterator[tuple[int, Words]]:
        said: dict[int, int] = {}
        single: dict[int, Words] = {}
        for bucket in range(1 << _BUCKET_BITS):
            keys, words = self._keys[bucket], self._words[bucket]
            self._keys[bucket], self._words[bucket] = array("Q"), array("H")
            pairs = sorted([key << _WORD_BITS | word for key, word in zip(keys, words, strict=True)])
            del keys, words
            current, before = -1, -1
            spoken: Words = ()
            for pair in pairs:
                if pair == before:
                    continue
                before = pair
                key, word = pair >> _WORD_BITS, pair & 0xFFFF
                said[word] = said.get(word, 0) + 1
                if key == current:
                    spoken = (*spoken, word)
                else:
                    if current >= 0:
                        yield current, spoken
                    current = key
                    spoken = single.get(word) or single.setdefault(word, (word,))
            if current >= 0:
                yield current, spoken
        self.said = said
