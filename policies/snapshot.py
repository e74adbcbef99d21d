"""Everything that decisions need, opened from one immutable file: document, lists, never-blocked names,
generation (`policies.compiler` makes it).

A sealed file (`policies.sealed`) of these parts: `facts` (canonical JSON), `index` (`policies.index`),
`overruled` (JSON), and any further sections that the caller gave, among them `quarantine`
(`policies.hygiene`) and `judge`. The same inputs give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from policies.categories import CATEGORIES
from policies.compiler import RESERVED, NamedList, compile_snapshot
from policies.document import parse_document
from policies.gather import EXACT, EXCEPTION, KINDS
from policies.index import Index
from policies.model import BlockAnswer, Group, Policy
from policies.names import PolicyError
from policies.sealed import Sealed

__all__ = ["Listing", "NamedList", "Overruled", "Snapshot", "Source", "compile_snapshot", "open_snapshot"]


@dataclass(frozen=True, slots=True)
class Source:
    """A list in a snapshot: `id` is its position, counts are numbers of names."""

    id: int
    name: str
    category: str
    sha256: str
    entries: int
    exceptions: int


class Listing(NamedTuple):
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
        "_by_mark",
        "_index",
        "_sealed",
        "_values",
        "generation",
        "never_blocked",
        "policy",
        "sha256",
        "sources",
    )

    generation: int
    sha256: str
    policy: Policy
    sources: tuple[Source, ...]
    never_blocked: Mapping[str, str]

    def __init__(self, facts: Mapping[str, Any], index: Index, sealed: Sealed) -> None:
        self.generation = facts["generation"]
        self.sha256 = sealed.sha256
        self.policy = parse_document(facts["document"])
        self.sources = tuple(Source(number, *fields) for number, fields in enumerate(facts["sources"]))
        self.never_blocked = MappingProxyType(facts["never_blocked"])
        self._values = tuple(tuple(map(self._word, words)) for words in facts["values"])
        self._index = index
        self._sealed = sealed
        self._by_mark = {group.mark: group for group in self.policy.groups.values()}

    def _word(self, word: int) -> tuple[str, str, int, bool, bool]:
        source, bits = self.sources[word // KINDS], word % KINDS
        return source.category, source.name, source.id, bool(bits & EXCEPTION), bool(bits & EXACT)

    def section(self, name: str) -> memoryview | None:
        """The octets of a section that was compiled in, verified, or None. Raises: PolicyError (damaged)."""
        return None if name in RESERVED else self._sealed.part(name)

    def verify(self) -> None:
        """Verify every octet now instead of on first touch. Raises: PolicyError (damaged)."""
        self._sealed.check_all()

    def shared_names(self) -> dict[tuple[int, int], int]:
        """How many names two sources both close, by their ids, the lower first; under (id, id), how many one closes by
        itself alone. The same name is meant, not one below it.

        Raises: PolicyError (damaged).
        """
        found: dict[tuple[int, int], int] = {}
        for value, count in self._index.counted().items():
            ids = sorted({number for _, _, number, exception, _ in self._values[value] if not exception})
            pairs = [(one, other) for place, one in enumerate(ids) for other in ids[place + 1 :]]
            for pair in pairs or [(each, each) for each in ids]:
                found[pair] = found.get(pair, 0) + count
        return found

    @property
    def overruled(self) -> tuple[Overruled, ...]:
        """Listed names that touch never-blocked ones, at most 10,000; read from the file at each call."""
        part = self._sealed.part("overruled")
        return tuple(Overruled(*fields) for fields in json.loads(bytes(part or b"[]"))["first"])

    @property
    def overruled_total(self) -> int:
        """How many there are in all."""
        part = self._sealed.part("overruled")
        return int(json.loads(bytes(part or b"[]"))["total"])

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
        """The categories that some list in this snapshot has names for, in the taxonomy's order."""
        listed = {source.category for source in self.sources if source.entries}
        return tuple(key for key in CATEGORIES if key in listed)

    def group(self, key: str) -> Group | None:
        """The group with this key, or None."""
        return self.policy.groups.get(key)

    def group_by_mark(self, mark: int) -> Group | None:
        """The group that the kernel's mark stands for; None for 0 and for marks that no group has."""
        return self._by_mark.get(mark)

    def match(self, name: bytes, apart: Set[bytes]) -> list[tuple[int, int]] | None:
        """How `name` (as it stands in a DNS message, in lower case) and its parents are listed: (offset of the suffix,
        a number that is the same for all that the same lists list in the same way), longest first. None where the name
        or a parent is one of those set `apart`.

        Raises: PolicyError as `lookup`.
        """
        return self._index.match(name, apart)

    def lookup(self, name: str) -> tuple[Listing, ...]:
        """What every list says of `name` (normal form) and its parents, longest suffix first.

        Raises: PolicyError when the file was damaged after it was put in force.
        """
        found = self._index.find(name)
        if not found:
            return ()
        values = self._values
        return tuple(
            [
                Listing(suffix, category, source, number, exception)
                for suffix, value in found
                for category, source, number, exception, exact in values[value]
                if not exact or suffix == name
            ]
        )

    def said_of(self, name: str) -> tuple[tuple[int, bool], ...]:
        """A key that two names share only where every list says the same of both: what `lookup` gives but for the names
        in it. For streams of names, where it is looked up once what a key means.

        Raises: PolicyError when the file was damaged after it was put in force.
        """
        found = self._index.find(name)
        return tuple([(value, suffix == name) for suffix, value in found]) if found else ()


def open_snapshot(buffer: bytes | memoryview) -> Snapshot:
    """Open a compiled snapshot over any buffer of octets (for an mmap: `memoryview(mapping)`), which it
    keeps alive. What opening does not read is verified on first touch (`policies.sealed`).

    Raises: PolicyError when it is cut short, altered, or of another version.
    """
    sealed = Sealed(buffer)
    facts, index = sealed.part("facts"), sealed.unverified("index")
    if facts is None or index is None:
        raise PolicyError("a part of the policy snapshot is missing: publish the policy again")
    try:
        return Snapshot(json.loads(bytes(facts)), Index(index[0], sealed, index[1]), sealed)
    except (KeyError, TypeError, IndexError, UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise PolicyError(
            f"the policy snapshot is not as this program writes it ({problem}): publish the policy again"
        ) from problem
