"""The lists in use as the compiler takes them: their names are read from disk when asked for, and verified first."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from gateway.lists.store import DamagedListError, Facts, Kind, SourceChoice, facts_of, folder_of


def active_lists(state: Path, sources: Iterable[SourceChoice]) -> tuple[StoredList, ...]:
    """The lists in use of the enabled sources, one for each category that a source speaks of.

    A source of permits closes nothing. Important entries come as a list of their own, `<key>!important`, which no
    exception undoes. Sources without a list yet are left out, whatever an earlier source of their key has left.

    Raises: ListsError when a list that is in use can't be read.
    """
    lists: list[StoredList] = []
    for source in sorted(sources, key=lambda each: each.key):
        facts = facts_of(state, source) if source.enabled else None
        if facts is not None:
            lists += _lists(source, facts, folder_of(state, source.key) / f"{facts.sha256}.txt")
    return tuple(lists)


class StoredNames:
    """Names of one kind and category in a stored list, read from disk at each iteration, ascending and unique.

    The file is called after its SHA-256, and is verified before the first name is given. `count` is how many there are
    at most. Iterating raises: DamagedListError when the file is gone or was altered, OSError.
    """

    __slots__ = ("_category", "_count", "_kind", "_path")

    def __init__(self, path: Path, kind: Kind, category: str, count: int) -> None:
        self._path, self._kind, self._category, self._count = path, kind, category, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        if self._count == 0:
            return
        try:
            opened = self._path.open("rb")
        except FileNotFoundError:
            raise DamagedListError(self._path.parent.name, "its text is gone") from None
        # The same open file is verified and read.
        with opened as file, io.TextIOWrapper(file, encoding="ascii") as text:
            if hashlib.file_digest(file, "sha256").hexdigest() != self._path.stem:
                raise DamagedListError(self._path.parent.name, "its text is not what was stored")
            file.seek(0)
            for line in text:
                kind, category, name = parse_line(line)
                if kind == self._kind and category == self._category:
                    yield name


@dataclass(frozen=True, slots=True)
class ChainedNames:
    """Several runs of names as one."""

    parts: tuple[StoredNames, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.parts)


@dataclass(frozen=True, slots=True)
class StoredList:
    """A list as the compiler takes it (`policies.compiler.ListLike`), names read from disk when asked for."""

    source: str
    category: str
    sha256: str
    entries: StoredNames
    exceptions: ChainedNames
    exact: StoredNames
    permits: StoredNames | tuple[str, ...] = ()
    exact_exceptions: ChainedNames = ChainedNames(())


def parse_line(line: str) -> tuple[Kind, str, str]:
    """(kind, category, name) of a line of a stored list, which this product wrote itself."""
    line = line.rstrip("\n")
    name, _, category = line.partition("\t")
    first = name[:1]
    if first == "@":
        return ("exact_exceptions", category, name[3:]) if name[2:3] == "=" else ("exceptions", category, name[2:])
    if first == "!":
        name = name[1:]
        return ("important_exact", category, name[1:]) if name[:1] == "=" else ("important", category, name)
    return ("exact", category, name[1:]) if first == "=" else ("entries", category, name)


def _lists(source: SourceChoice, facts: Facts, path: Path) -> Iterator[StoredList]:
    def names(kind: Kind, category: str) -> StoredNames:
        counts = facts.counts.get(category, {})
        # Facts of version 1 counted exact exceptions among the others.
        most = counts.get("exceptions", 0) if kind == "exact_exceptions" else 0
        return StoredNames(path, kind, category, counts.get(kind, most))

    def excepted(kind: Kind, category: str) -> ChainedNames:
        return ChainedNames(tuple(names(kind, each) for each in dict.fromkeys(("", category))))

    none = names("exceptions", "\0")
    if source.permits:
        yield StoredList(
            source.key, source.category, facts.sha256, none, ChainedNames(()), none, permits=names("entries", "")
        )
        return
    for category in sorted(facts.counts):
        meant = category or source.category
        entries, exact = names("entries", category), names("exact", category)
        if len(entries) or len(exact):
            yield StoredList(
                source.key,
                meant,
                facts.sha256,
                entries,
                excepted("exceptions", category),
                exact,
                exact_exceptions=excepted("exact_exceptions", category),
            )
        entries, exact = names("important", category), names("important_exact", category)
        if len(entries) or len(exact):
            yield StoredList(f"{source.key}!important", meant, facts.sha256, entries, ChainedNames(()), exact)
