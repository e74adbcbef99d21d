"""From a policy document and lists to the octets of a snapshot, in memory bounded by the number of names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from policies.categories import CATEGORIES
from policies.document import parse_document, write_document
from policies.gather import EXACT, EXCEPTION, KINDS, Gathering
from policies.hygiene import Hygiene, protectors
from policies.index import lay_out
from policies.model import Policy
from policies.names import PolicyError, listable
from policies.never_blocked import NEVER_BLOCKED
from policies.sealed import seal

MAX_GENERATION = (1 << 53) - 1
MAX_OVERRULED = 10_000
RESERVED = frozenset({"facts", "index", "overruled"})


class ListLike(Protocol):
    """A list as it goes into a snapshot, which may read its names from a file as they are asked for; each
    iterable is read once. The fields are those of `NamedList`.
    """

    @property
    def source(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def entries(self) -> Iterable[str]: ...
    @property
    def exceptions(self) -> Iterable[str]: ...
    @property
    def exact_exceptions(self) -> Iterable[str]: ...
    @property
    def exact(self) -> Iterable[str]: ...
    @property
    def permits(self) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class NamedList:
    """A list in memory: where it came from, its category, its names and own exceptions in normal form.

    `source` is what people see (`starter/gaming`); `sha256` is the hex digest of the text it was read from.
    `exact` names and `exact_exceptions` stand for themselves alone, not for what is below them. `permits` are
    names that no list of this category may close (a published list of recommended permits). A source that spans
    several categories is several lists of the same source.
    """

    source: str
    category: str
    sha256: str
    entries: Iterable[str]
    exceptions: Iterable[str] = ()
    exact: Iterable[str] = ()
    permits: Iterable[str] = ()
    exact_exceptions: Iterable[str] = ()


def compile_snapshot(
    document: Mapping[str, Any],
    lists: Iterable[ListLike],
    generation: int,
    own_names: Iterable[str] = (),
    *,
    sections: Mapping[str, bytes] | None = None,
    hygiene: Hygiene | None = None,
) -> bytes:
    """Compile a policy document and lists; `own_names` (the portal's host, own zones) join the never-blocked
    names; `sections` go in as they are; `hygiene` keeps names out and writes section `quarantine`.

    The order of the lists and of their names does not matter. Memory: about 60 octets a name, whatever its
    length.

    Raises: DocumentError (bad document), NameError_ (bad own name), PolicyError (unknown category, the same
        source and category twice, generation out of range, a bad name for a section).
    """
    if not 0 <= generation <= MAX_GENERATION:
        raise PolicyError(f"generation {generation} is not between 0 and {MAX_GENERATION}")
    given = list(lists)
    places = _places(given)
    policy = parse_document(document)
    never = never_blocked(policy, own_names)
    overruled, gathering = _gather(given, places, never, hygiene)
    words, keys, values = gathering.merge()
    said = gathering.said
    ordered = sorted(places, key=places.__getitem__)
    digests = {(each.source, each.category): each.sha256 for each in given}
    facts = {
        "generation": generation,
        "document": write_document(policy),
        "sources": [_source(pair, digests[pair], places[pair], said) for pair in ordered],
        "values": words,
        "never_blocked": never,
    }
    found = sorted(overruled)
    parts: dict[str, list[bytes | memoryview]] = {
        "facts": [_json(facts)],
        "index": lay_out(zip(keys, values, strict=True), len(keys), gathering.crcs),
        "overruled": [_json({"first": found[:MAX_OVERRULED], "total": len(found)})],
    }
    extra = dict(sections or {})
    if hygiene is not None:
        extra["quarantine"] = hygiene.section()
    for name in sorted(extra):
        if name in RESERVED:
            raise PolicyError(f"{name!r} is the compiler's own section of a snapshot: choose another name")
        parts[name] = [extra[name]]
    return seal(parts)


def _json(facts: Any) -> bytes:
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _source(pair: tuple[str, str], sha256: str, place: int, said: Mapping[int, int]) -> list[str | int]:
    counts = [said.get(place * KINDS + bits, 0) for bits in range(KINDS)]
    return [*pair, sha256, counts[0] + counts[EXACT], counts[EXCEPTION] + counts[EXACT | EXCEPTION]]


def _places(lists: Iterable[ListLike]) -> dict[tuple[str, str], int]:
    """(source, category) → position in the snapshot."""
    pairs = sorted((each.source, each.category) for each in lists)
    for before, after in pairwise(pairs):
        if before == after:
            raise PolicyError(f"the list {after[0]!r} is given twice for category {after[1]!r}")
    for source, category in pairs:
        if category not in CATEGORIES:
            raise PolicyError(f"the list {source!r} has the unknown category {category!r}")
    return {pair: place for place, pair in enumerate(pairs)}


def _gather(
    lists: Iterable[ListLike],
    places: Mapping[tuple[str, str], int],
    never: Mapping[str, str],
    hygiene: Hygiene | None,
) -> tuple[set[tuple[str, str, str]], Gathering]:
    """Every word of every list, and (listed name, source, never-blocked name) where one is the other or above it."""
    gathering = Gathering()
    protected = protectors(never)
    overruled: set[tuple[str, str, str]] = set()
    add = gathering.add
    for each in lists:
        source, category = each.source, each.category
        base = places[source, category] * KINDS
        for bits, names in ((0, each.entries), (EXACT, each.exact)):
            for name in names:
                touched = protected(name)
                if touched is not None:
                    overruled.add((name, source, touched))
                if hygiene is not None:
                    excepted = hygiene.admit(name, source, category)
                    if excepted is None:
                        continue
                    for below in excepted:
                        add(below, base | EXCEPTION)
                add(name, base | bits)
        for bits, names in ((EXCEPTION, each.exceptions), (EXACT | EXCEPTION, each.exact_exceptions)):
            for name in names:
                add(name, base | bits)
        for name in each.permits:
            if hygiene is None or hygiene.admit_permit(name, source, category):
                for place in (place for (_, of), place in places.items() if of == category):
                    add(name, place * KINDS | EXCEPTION)
    return overruled, gathering


def never_blocked(policy: Policy, own_names: Iterable[str] = ()) -> dict[str, str]:
    """Every never-blocked name with its kind: the built-in ones, IT's additions (`it`), the municipality's own
    zones and the installation's names (`own`). Raises: NameError_.
    """
    own = [*policy.own_zones, *(listable(name) for name in own_names)]
    return dict(NEVER_BLOCKED) | dict.fromkeys(policy.never_blocked, "it") | dict.fromkeys(own, "own")
