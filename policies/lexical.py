"""The judge of names that no list knows: a linear model over the pieces (character n-grams) that names are made of.

A name is cut into all pieces of 3 to 6 characters of its `judged_text`. Each piece leads by its CRC-32 to one row
of a table; a row holds one 8-bit weight for each of up to eight categories in one 64-bit number, so that one look-up
serves them all, and sums of rows are sums of all categories at once. Training lives elsewhere
(`gateway.lists.judge_training`); this reads the model in place over any buffer.

Layout, little-endian: magic (8), version (u32), size of the JSON section (u32), number of rows (u64, a power of
two); the JSON section padded with zeros to a multiple of 8; the rows (u64 each, category k in bits 8k to 8k+7, the
weight plus 128); the SHA-256 of everything before it.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import exp, isfinite
from typing import Any
from zlib import crc32

from policies.categories import CATEGORIES
from policies.names import PolicyError

MAGIC = b"GNJUDGE\0"
VERSION = 2
SHORTEST, LONGEST = 3, 6
TEXT_MAX = 64
"""Longest judged text. At most 242 pieces, so a sum of 8-bit weights stays below 2**16 (the lanes never overflow)."""
LANES = 8
ZERO = 128
MAX_ROWS = 1 << 22
SHARED_HOSTS_MAX = 4096
_HEADER = struct.Struct("<8sIIQ")
_DIGEST_SIZE = 32
_EVEN = 0x00FF00FF00FF00FF
_LANE_BITS = 16
_LANE = 0xFFFF
_IDLE_LABELS = frozenset(("www", "www2", "www3", "m", "mobile", "wap", "web"))


@dataclass(frozen=True, slots=True)
class Line:
    """How a category's sum of weights becomes a confidence: `1 / (1 + exp(-(sum * scale + offset)))`.

    The sum is not divided by the length: a plain word weighs the same in a long name as in a short one.
    """

    category: str
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """A name looks like `category`; `confidence` 0 to 1 is calibrated on names that training did not see."""

    category: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the name and how far it moved the confidence's logarithm of odds (`.` marks a label's edge)."""

    text: str
    weight: float


def judged_text(name: str, shared_hosts: frozenset[str] = frozenset()) -> str:
    """The part of a name (normal form) that is judged: a dot at both ends, without `www.` and its like, and
    without the host's name below hosts that many unrelated sites share; its last 64 characters. Empty when
    there is nothing to judge.
    """
    labels = name.split(".")
    if len(labels) < 2:
        return ""
    while len(labels) > 2 and labels[0] in _IDLE_LABELS:
        del labels[0]
    for size in (2, 3):
        if len(labels) > size and ".".join(labels[-size:]) in shared_hosts:
            # A marker instead of the host: what hangs there is no word about who hangs it there.
            return ("." + ".".join(labels[:-size]) + ".#")[-TEXT_MAX:]
    return ("." + ".".join(labels) + ".")[-TEXT_MAX:]


def pieces(text: bytes) -> list[bytes]:
    """All pieces of a judged text, shortest first."""
    size = len(text)
    return [text[at : at + n] for n in range(SHORTEST, LONGEST + 1) for at in range(size - n + 1)]


class Judge:
    """A model opened over `buffer`, which it keeps alive. Immutable, safe to share between threads. `verified`: the
    caller has checked the bytes as a whole, so the checksum is taken at its word.

    Raises: PolicyError when the bytes are not a model of this version, whole and unaltered.
    """

    __slots__ = ("_hosts", "_lines", "_mask", "_rows", "categories", "facts", "sha256")

    categories: tuple[str, ...]
    """The categories it judges, in the order of `confidences`."""
    facts: Mapping[str, Any]
    """What training wrote about itself: seed, numbers of names, measures on held-out names."""

    def __init__(self, buffer: bytes | memoryview, *, verified: bool = False) -> None:
        view = memoryview(buffer).cast("B")
        if len(view) < _HEADER.size + _DIGEST_SIZE:
            raise PolicyError("the judge's model is cut short: train it again")
        magic, version, json_size, row_count = _HEADER.unpack_from(view)
        if magic != MAGIC or version != VERSION:
            raise PolicyError("not a judge's model of this version: train it again")
        if not 0 < row_count <= MAX_ROWS or row_count & (row_count - 1) or json_size % 8:
            raise PolicyError("the judge's model has an impossible header: train it again")
        rows_at = _HEADER.size + json_size
        if len(view) != rows_at + 8 * row_count + _DIGEST_SIZE:
            raise PolicyError("the judge's model does not have the size that its header says: train it again")
        digest = bytes(view[-_DIGEST_SIZE:])
        if not verified and digest != sha256(view[:-_DIGEST_SIZE]).digest():
            raise PolicyError("the checksum of the judge's model is wrong: train it again")
        try:
            facts = json.loads(bytes(view[_HEADER.size : rows_at]).rstrip(b"\0"))
            lines = tuple(Line(str(key), float(scale), float(offset)) for key, scale, offset in facts["lines"])
            hosts = frozenset(str(host) for host in facts["shared_hosts"])
        except (KeyError, TypeError, ValueError, RecursionError, OverflowError) as problem:
            raise PolicyError("the judge's model is not as this program writes it: train it again") from problem
        _check(lines, hosts)
        self._lines = lines
        self._hosts = hosts
        self.facts = facts
        self.categories = tuple(line.category for line in lines)
        self.sha256 = digest.hex()
        self._mask = row_count - 1
        self._rows = _read_rows(view[rows_at:-_DIGEST_SIZE])

    def confidences(self, name: str) -> tuple[float, ...]:
        """The confidence for each of `categories` that `name` (normal form) is of that kind; all 0 where there is
        nothing to judge (the root, a single label).
        """
        text = judged_text(name, self._hosts).encode("ascii", "replace")
        size = len(text)
        if size < SHORTEST:
            return (0.0,) * len(self._lines)
        rows, mask = self._rows, self._mask
        found = [rows[crc32(text[at : at + 3]) & mask] for at in range(size - 2)]
        found += [rows[crc32(text[at : at + 4]) & mask] for at in range(size - 3)]
        found += [rows[crc32(text[at : at + 5]) & mask] for at in range(size - 4)]
        found += [rows[crc32(text[at : at + 6]) & mask] for at in range(size - 5)]
        even = sum([row & _EVEN for row in found])
        odd = (sum(found) - even) >> 8
        zero = ZERO * len(found)
        answer: list[float] = []
        for lane, line in enumerate(self._lines):
            total = ((odd if lane & 1 else even) >> _LANE_BITS * (lane >> 1)) & _LANE
            answer.append(_logistic((total - zero) * line.scale + line.offset))
        return tuple(answer)

    def opinions(self, name: str, at_least: float = 0.5) -> tuple[Opinion, ...]:
        """The categories that `name` looks like with at least this confidence, the most likely first."""
        sure = self.confidences(name)
        if max(sure, default=0.0) < at_least:
            return ()
        held = [Opinion(key, each) for key, each in zip(self.categories, sure, strict=True) if each >= at_least]
        return tuple(sorted(held, key=lambda each: (-each.confidence, each.category)))

    def deciding(self, name: str, category: str, most: int = 6) -> tuple[Piece, ...]:
        """The pieces that spoke most for `category`, the weightiest first; a piece inside another that is shown
        is left out. A piece's weight is the sum of itself and of the pieces inside it.

        Raises: PolicyError for a category that the model does not judge.
        """
        if category not in self.categories:
            raise PolicyError(
                f"the judge does not know {category!r}: it judges {', '.join(self.categories) or 'nothing'}"
            )
        lane = self.categories.index(category)
        text = judged_text(name, self._hosts).encode("ascii", "replace")
        scale = self._lines[lane].scale
        spoken = {
            piece: ((self._rows[crc32(piece) & self._mask] >> 8 * lane & 0xFF) - ZERO) * scale for piece in pieces(text)
        }
        whole = {piece: sum(spoken[inner] for inner in pieces(piece)) for piece in spoken}
        shown: list[Piece] = []
        for piece, weight in sorted(whole.items(), key=lambda each: (-each[1], each[0])):
            word = piece.decode("ascii")
            if weight > 0 and len(shown) < most and not any(word in other.text for other in shown):
                shown.append(Piece(word, weight))
        return tuple(shown)


def write_model(
    lines: Sequence[Line], shared_hosts: Iterable[str], rows: Iterable[int] | bytes, facts: Mapping[str, Any]
) -> bytes:
    """The bytes of a model. `rows` are 64-bit numbers (or their little-endian bytes), their count a power of two.

    Raises: PolicyError when the parts do not make a model that `Judge` would open.
    """
    hosts = frozenset(shared_hosts)
    _check(lines, hosts)
    written = dict(facts) | {
        "lines": [[line.category, line.scale, line.offset] for line in lines],
        "shared_hosts": sorted(hosts),
    }
    text = json.dumps(written, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    text += b"\0" * (-len(text) % 8)
    if not isinstance(rows, bytes):
        table = array("Q", rows)
        if sys.byteorder == "big":
            table.byteswap()
        rows = table.tobytes()
    body = _HEADER.pack(MAGIC, VERSION, len(text), len(rows) // 8) + text + rows
    model = body + sha256(body).digest()
    Judge(model)
    return model


def _check(lines: Sequence[Line], hosts: frozenset[str]) -> None:
    keys = [line.category for line in lines]
    if len(lines) > LANES or len(set(keys)) != len(keys) or not set(keys) <= set(CATEGORIES):
        raise PolicyError("the judge's model has categories that this program does not know: train it again")
    if not all(isfinite(line.scale) and isfinite(line.offset) and 0 <= line.scale < 1e6 for line in lines):
        raise PolicyError("the judge's model has an impossible scale: train it again")
    if len(hosts) > SHARED_HOSTS_MAX:
        raise PolicyError("the judge's model names too many shared hosts: train it again")


def _read_rows(view: memoryview) -> memoryview:
    if sys.byteorder == "little" and view.contiguous:
        return view.cast("Q")
    rows = array("Q", bytes(view))
    rows.byteswap()
    return memoryview(rows)


def _logistic(odds: float) -> float:
    if odds < -30.0:
        return 0.0
    return 1.0 / (1.0 + exp(-odds)) if odds < 30.0 else 1.0
