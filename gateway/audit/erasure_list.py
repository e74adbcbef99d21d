"""The erasure list: which leaves of a log have lost their personal values, as text that is kept outside every backup.

    gjestenett erasure list v1
    storvik.kommune.no/gjestenett
    size 1042
    root f7W2uY+rvtTJNhEkrnh8iFQ2jzp8zM0LAjvaJPj1dHk=
    restored 900 5Y3rlQp1ywKx2zLtdRlsCDHjmvTwAEQUSj0wSo1/wmM=
    leaf 0f8b7f7f2d0c4b0c9a5b6f3a1c2d3e4f
    17
    40-44

The second line is the log's origin, `size` that of the tree when the list was made. Then, each where there is any: the
root of that tree; of each time that the log was continued after a restore, at which size, and the SHA-256 of the entry
that says so; ids of leaves that were erased on request, ascending: they mean the same leaf in every copy of the
database, also where it waits to be sealed and has no number. Then one number or `FIRST-LAST` a line, ascending, with at
least one kept leaf between two of them. Every line ends in LF. Inside an entry and in the database the same ranges are
written in one line: `17,40-44`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from gateway.audit.errors import AuditError

HEADER = "gjestenett erasure list v1"
MAX_NUMBER = 2**53 - 1
Ranges = tuple[tuple[int, int], ...]
"""(first, last) of each run of leaves, both included, ascending and apart."""

_RANGE = re.compile(r"(0|[1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15}))?", re.ASCII)
_HASH = r"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"
_ROOT = re.compile(f"root {_HASH}", re.ASCII)
_RESTORED = re.compile(rf"restored (0|[1-9][0-9]{{0,15}}) {_HASH}", re.ASCII)
_LEAF = re.compile(r"leaf ([0-9a-f]{32})", re.ASCII)
_SIZE = re.compile(r"size (0|[1-9][0-9]{0,15})", re.ASCII)


class ErasureListError(AuditError):
    """A text is no erasure list, or is that of another log."""


@dataclass(frozen=True, slots=True)
class ErasureList:
    """The erased leaves of the log `origin`, when its tree had `size` leaves."""

    origin: str
    size: int
    leaves: Ranges
    root: str = ""
    """Of the tree of `size` leaves, in base64; empty where it is unknown."""
    restored: tuple[tuple[int, str], ...] = ()
    """(size at which the log was continued, SHA-256 of the entry in base64) of each restore, in order."""
    ids: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The file's bytes."""
        lines = [HEADER, self.origin, f"size {self.size}"]
        lines += [f"root {self.root}"] if self.root else []
        lines += [f"restored {size} {digest}" for size, digest in self.restored]
        lines += [f"leaf {leaf_id}" for leaf_id in self.ids]
        lines += map(_text, self.leaves)
        return "".join(f"{line}\n" for line in lines).encode()

    def merged(self, other: ErasureList) -> ErasureList:
        """What either of two lists of one log names. Raises: ErasureListError when they are of two logs."""
        if other.origin != self.origin:
            raise ErasureListError(f"one erasure list is of the log {self.origin}, the other of {other.origin}")
        agreed = self.agreed(other.restored)
        newer, older = (
            (self, other) if (len(self.restored), self.size) >= (len(other.restored), other.size) else (other, self)
        )
        leaves = merge((*newer.leaves, *(older.below(agreed) if agreed is not None else older).leaves))
        ids = tuple(sorted({*self.ids, *other.ids}))
        size = max(newer.size, leaves[-1][1] + 1 if leaves else 0)
        return ErasureList(self.origin, size, leaves, newer.root if size == newer.size else "", newer.restored, ids)

    def agreed(self, restored: tuple[tuple[int, str], ...]) -> int | None:
        """Below which size a number means the same leaf here and in a tree with these restores; None: everywhere."""
        same = 0
        for one, other in zip(self.restored, restored, strict=False):
            if one != other:
                break
            same += 1
        return min((size for size, _ in (*self.restored[same : same + 1], *restored[same : same + 1])), default=None)

    def below(self, size: int) -> ErasureList:
        """What it says of the first `size` leaves."""
        cut = tuple((first, min(last, size - 1)) for first, last in self.leaves if first < size)
        if size >= self.size:
            return self
        return ErasureList(self.origin, size, cut, "", self.restored, self.ids)


def parse_erasure_list(data: bytes) -> ErasureList:
    """Read a list strictly: `parse_erasure_list(data).encode() == data`. Raises: ErasureListError."""
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise ErasureListError("an erasure list is UTF-8 text") from None
    if len(lines) < 4 or lines.pop() != "" or lines[0] != HEADER:
        raise ErasureListError(f"an erasure list begins with the line {HEADER} and ends with a newline")
    if not lines[1] or lines[1] != lines[1].strip():
        raise ErasureListError("the second line of an erasure list names its log")
    size = _SIZE.fullmatch(lines[2])
    if size is None:
        raise ErasureListError("the third line of an erasure list is `size NUMBER`")
    rest = lines[3:]
    root = _ROOT.fullmatch(rest[0]) if rest else None
    rest = rest[1:] if root else rest
    restored = tuple((int(found[1]), found[2]) for found in _leading(_RESTORED, rest))
    rest = rest[len(restored) :]
    ids = tuple(found[1] for found in _leading(_LEAF, rest))
    if list(ids) != sorted(set(ids)) or any(one[0] >= other[0] for one, other in pairwise(restored)):
        raise ErasureListError("the restores and the ids of an erasure list are ascending")
    leaves = tuple(map(_parsed, rest[len(ids) :]))
    if leaves != merge(leaves):
        raise ErasureListError("the leaves of an erasure list are ascending and apart")
    if leaves and leaves[-1][1] >= int(size[1]):
        raise ErasureListError(f"leaf {leaves[-1][1]} is beyond the size {size[1]} of the erasure list")
    return ErasureList(lines[1], int(size[1]), leaves, root[1] if root else "", restored, ids)


def write_ranges(leaves: Ranges) -> str:
    """The ranges in one line: `3-5,9`; empty for none."""
    return ",".join(map(_text, leaves))


def parse_ranges(text: str) -> Ranges:
    """Read `write_ranges` strictly. Raises: ErasureListError."""
    leaves = tuple(map(_parsed, text.split(","))) if text else ()
    if leaves != merge(leaves):
        raise ErasureListError("ranges of leaves are ascending and apart")
    return leaves


def ranges_of(numbers: Iterable[int]) -> Ranges:
    """The ranges that hold exactly these leaves."""
    return merge((number, number) for number in numbers)


def merge(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same leaves as ascending ranges that neither overlap nor touch."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return tuple(merged)


def without(leaves: Ranges, others: Ranges) -> Ranges:
    """The leaves of `leaves` that `others` does not hold; both as from `merge`."""
    left: list[tuple[int, int]] = []
    for first, last in leaves:
        begin = first
        for start, end in others:
            if end < begin or start > last:
                continue
            if start > begin:
                left.append((begin, start - 1))
            begin = end + 1
        if begin <= last:
            left.append((begin, last))
    return tuple(left)


def numbers(leaves: Ranges) -> Iterator[int]:
    """Each leaf of the ranges."""
    for first, last in leaves:
        yield from range(first, last + 1)


def count(leaves: Ranges) -> int:
    """How many leaves the ranges hold."""
    return sum(last - first + 1 for first, last in leaves)


def _leading(form: re.Pattern[str], lines: Iterable[str]) -> Iterator[re.Match[str]]:
    for line in lines:
        if (found := form.fullmatch(line)) is None:
            return
        yield found


def _text(run: tuple[int, int]) -> str:
    first, last = run
    return str(first) if first == last else f"{first}-{last}"


def _parsed(text: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(text)
    if found is None or (found[2] is not None and int(found[2]) <= int(found[1])):
        raise ErasureListError(f"{text[:40]!r} is no leaf and no range of leaves, such as 17 or 40-44")
    last = int(found[2] or found[1])
    if last > MAX_NUMBER:
        raise ErasureListError(f"{last} is beyond every log")
    return int(found[1]), last
