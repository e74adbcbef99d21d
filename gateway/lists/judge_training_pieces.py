"""The pieces of many texts at once, as row numbers: CRC-32 as in `policies.lexical`, grown a character at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from policies.lexical import LONGEST, SHORTEST

_POLYNOMIAL = 0xEDB88320


def _crc_table() -> npt.NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


_TABLE = _crc_table()


def row_numbers(texts: list[bytes], rows: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """(rows of all pieces of the first text, then of the next …; how many each text has). Each text has
    `SHORTEST` characters or more; `rows` is a power of two.
    """
    sizes = np.array([len(text) for text in texts], np.int64)
    octets = np.frombuffer(b"".join(texts), np.uint8)
    begin = np.cumsum(sizes) - sizes
    inside = np.arange(len(octets)) - np.repeat(begin, sizes)  # place of each character in its text
    left = np.repeat(sizes, sizes) - inside
    counts = sum(np.maximum(0, sizes - n + 1) for n in range(SHORTEST, LONGEST + 1))
    counts = np.asarray(counts, np.int64)
    target = np.repeat(np.cumsum(counts) - counts, sizes) + inside  # where a text's pieces go, by first character
    found = np.empty(int(counts.sum()), np.int32)
    state = np.full(len(octets), 0xFFFFFFFF, np.uint32)
    for n in range(1, LONGEST + 1):
        here = np.flatnonzero(left >= n)
        grown = state[here]
        state[here] = _TABLE[(grown ^ octets[here + n - 1]) & 0xFF] ^ (grown >> 8)
        if n >= SHORTEST:
            found[target[here]] = ((state[here] ^ np.uint32(0xFFFFFFFF)) & np.uint32(rows - 1)).astype(np.int32)
            target += np.maximum(0, np.repeat(sizes, sizes) - n + 1)
    return found, counts.astype(np.int32)
