"""Everything that decisions need, compiled into one immutable file: document, lists, never-blocked names,
generation.

Layout, little-endian: magic (8), version (u32), zero (u32), size of the JSON section (u64), size of the
index (u64); the JSON section (UTF-8, sorted keys) padded with zeros to a multiple of 8; the index
(`policies.index`); the SHA-256 of everything before it. So `head -c -32 FILE | sha256sum` gives the
snapshot's name. The same inputs give the same bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from policies.categories import CATEGORIES
from policies.document import parse_document, write_document
from policies.index import Index, build_index
from policies.model import BlockAnswer, Group, Policy
from policies.names import PolicyError, listable, parents
from policies.never_blocked import NEVER_BLOCKED

MAGIC = b"GNPOLICY"
VERSION = 1
MAX_GENERATION = (1 << 53) - 1
MAX_OVERRULED = 1000
_HEADER = struct.Struct("<8sIIQQ")
_DIGEST_SIZE = 32

Saying = tuple[tuple[int, int], ...]  # (position of a list, 1 for its exception), rising


@dataclass(frozen=True, slots=True)
class NamedList:
    """A list as it goes into a snapshot: where it came from, its category, its names and own exceptions in
    normal form.

    `source` is what people see (`starter/gaming`); `sha256` is the hex digest of the text it was read from.
    A source that spans several categories is several `NamedList`s of the same source.
    """

    source: str
    category: str
    sha256: str
    entries: tuple[str, ...]
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A list in a snapshot: `id` is its position, counts are numbers of names."""

    id: int
    name: str
    category: str
    sha256: str
    entries: int
    exceptions: int


@dataclass(frozen=True, slots=True)
class Listing:
    """One list's word on a name: `name` is the listed suffix; an `exception` takes it out of that list
    again.
    """

    name: str
    category: str
    source: str
    source_id: int
    exception: bool


@dataclass(frozen=True, slots=True)
class Overruled:
    """A listed name that is, or is below or above, a never-blocked name: reported, not obeyed there."""

    name: str
    source: str
    never_blocked: str


class Snapshot:
    """A compiled policy, opened. Immutable; safe to share between threads; keeps its buffer alive."""

    __slots__ = (
        "_by_mark", "_index", "_values", "generation", "never_blocked", "overruled", "overruled_total",
        "policy", "sha256", "sources",
    )  # fmt: skip

    generation: int
    sha256: str
    policy: Policy
    sources: tuple[Source, ...]
    never_blocked: Mapping[str, str]
    overruled: tuple[Overruled, ...]
    overruled_total: int

    def __init__(self, facts: Mapping[str, Any], index: Index, digest: str) -> None:
        self.generation = facts["generation"]
        self.sha256 = digest
        self.policy = parse_document(facts["document"])
        self.sources = tuple(Source(number, *fields) for number, fields in enumerate(facts["sources"]))
        self.never_blocked = MappingProxyType(facts["never_blocked"])
        self.overruled = tuple(Overruled(*fields) for fields in facts["overruled"])
        self.overruled_total = facts["overruled_total"]
        self._values = tuple(
            tuple((self.sources[number], bool(exception)) for number, exception in value) for value in facts["values"]
        )
        self._index = index
        self._by_mark = {group.mark: group for group in self.policy.groups.values()}

    @property
    def block_answer(self) -> BlockAnswer:
        """How refusals are answered."""
        return self.policy.block_answer

    @property
    def names(self) -> int:
        """How many different names the lists hold together, exceptions included."""
        return self._index.entries

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that some list in this snapshot serves, in the taxonomy's order."""
        listed = {source.category for source in self.sources}
        return tuple(key for key in CATEGORIES if key in listed)

    def group(self, key: str) -> Group | None:
        """The group with this key, or None."""
        return self.policy.groups.get(key)

    def group_by_mark(self, mark: int) -> Group | None:
        """The group that the kernel's mark stands for; None for 0 and for marks that no group has."""
        return self._by_mark.get(mark)

    def lookup(self, name: str) -> tuple[Listing, ...]:
        """What every list says of `name` (normal form) and its parents, longest suffix first."""
        return tuple(
            Listing(suffix, source.category, source.name, source.id, exception)
            for suffix, value in self._index.walk(name)
            for source, exception in self._values[value]
        )


def compile_snapshot(
    document: Mapping[str, Any], lists: Iterable[NamedList], generation: int, own_names: Iterable[str] = ()
) -> bytes:
    """Compile a policy document and lists; `own_names` (the portal's host, own zones) join the never-blocked
    names.

    The order of the lists and of their names does not matter.

    Raises: DocumentError (bad document), NameError_ (bad own name), PolicyError (unknown category, the same
        source and category twice, generation out of range).
    """
    if not 0 <= generation <= MAX_GENERATION:
        raise PolicyError(f"generation {generation} is not between 0 and {MAX_GENERATION}")
    ordered = sorted(lists, key=lambda each: (each.source, each.category))
    for before, after in pairwise(ordered):
        if (before.source, before.category) == (after.source, after.category):
            raise PolicyError(f"the list {after.source!r} is given twice for category {after.category!r}")
    for each in ordered:
        if each.category not in CATEGORIES:
            raise PolicyError(f"the list {each.source!r} has the unknown category {each.category!r}")
    said, sayings = _gather(ordered)
    never = dict(NEVER_BLOCKED) | {listable(name): "own" for name in own_names}
    overruled = _overruled(ordered, never)
    values = sorted({sayings[number] for number in said.values()})
    positions = {value: position for position, value in enumerate(values)}
    renumbered = [positions.get(saying, 0) for saying in sayings]
    facts = {
        "generation": generation,
        "document": write_document(parse_document(document)),
        "sources": [
            [each.source, each.category, each.sha256, len(set(each.entries)), len(set(each.exceptions))]
            for each in ordered
        ],
        "values": values,
        "never_blocked": never,
        "overruled": overruled[:MAX_OVERRULED],
        "overruled_total": len(overruled),
    }
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    text += b"\0" * (-len(text) % 8)
    index = build_index((name, renumbered[number]) for name, number in said.items())
    body = _HEADER.pack(MAGIC, VERSION, 0, len(text), len(index)) + text + index
    return body + sha256(body).digest()


def open_snapshot(buffer: bytes | memoryview) -> Snapshot:
    """Open a compiled snapshot over any buffer of octets (for an mmap: `memoryview(mapping)`), which it
    keeps alive.

    Raises: PolicyError when it is cut short, altered, or of another version.
    """
    view = memoryview(buffer)
    if len(view) < _HEADER.size + _DIGEST_SIZE:
        raise PolicyError("the policy snapshot is cut short: publish the policy again")
    magic, version, zero, text_size, index_size = _HEADER.unpack_from(view)
    if magic != MAGIC or zero != 0:
        raise PolicyError("not a policy snapshot: publish the policy again")
    if version != VERSION:
        raise PolicyError(
            f"policy snapshot of version {version}, this program reads {VERSION}: publish the policy again"
        )
    if len(view) != _HEADER.size + text_size + index_size + _DIGEST_SIZE or text_size % 8:
        raise PolicyError("the policy snapshot does not have the size that its header says: publish the policy again")
    digest = sha256(view[:-_DIGEST_SIZE]).digest()
    if digest != view[-_DIGEST_SIZE:]:
        raise PolicyError("the checksum of the policy snapshot is wrong: publish the policy again")
    text_end = _HEADER.size + text_size
    try:
        facts = json.loads(bytes(view[_HEADER.size : text_end]).rstrip(b"\0"))
        return Snapshot(facts, Index(view[text_end:-_DIGEST_SIZE]), digest.hex())
    except (KeyError, TypeError, IndexError, UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise PolicyError(
            f"the policy snapshot is not as this program writes it ({problem}): publish the policy again"
        ) from problem


def _gather(lists: Iterable[NamedList]) -> tuple[dict[str, int], list[Saying]]:
    """What all lists say of each name, as a number into a table of the different sayings (few, however many names)."""
    said: dict[str, int] = {}
    sayings: list[Saying] = [()]
    numbers: dict[Saying, int] = {(): 0}
    for position, each in enumerate(lists):
        for exception, names in enumerate((each.entries, each.exceptions)):
            word = (position, exception)
            after: dict[int, int] = {}
            for name in names:
                before = said.get(name, 0)
                if before not in after:
                    saying = sayings[before] if sayings[before][-1:] == (word,) else (*sayings[before], word)
                    if saying not in numbers:
                        numbers[saying] = len(sayings)
                        sayings.append(saying)
                    after[before] = numbers[saying]
                said[name] = after[before]
    return said, sayings


def _overruled(lists: Iterable[NamedList], never: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(listed name, source, never-blocked name) where one is the other or above it."""
    above: dict[str, str] = {}
    for name in sorted(never):
        for parent in parents(name):
            above.setdefault(parent, name)
    found: list[tuple[str, str, str]] = []
    for each in lists:
        for name in set(each.entries):
            protected = next((suffix for suffix in parents(name) if suffix in never), None) or above.get(name)
            if protected is not None:
                found.append((name, each.source, protected))
    return sorted(found)
