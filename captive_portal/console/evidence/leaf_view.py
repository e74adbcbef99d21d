"""An entry as a reader may see it: its words, the personal values in their scope, and how many others there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from captive_portal.console.evidence.leaf_words import ALWAYS, LOCAL
from gateway.audit.entry import Disclosure, parse_entry
from gateway.audit.scope import Scope
from gateway.storage import leaves
from gateway.storage.engine import Session
from gateway.storage.headings import FoundLeaf


@dataclass(frozen=True)
class SeenLeaf:
    """A leaf. `withheld` personal values are outside the reader's scope; `erased` ones are gone for everybody."""

    leaf: FoundLeaf
    document: Mapping[str, Any]
    shown: Sequence[Disclosure]
    withheld: int
    erased: int


def see(session: Session, found: Sequence[FoundLeaf], scope: Scope) -> Sequence[SeenLeaf]:
    """These leaves as a reader with `scope` sees them."""
    known = leaves.disclosures(session, [leaf.leaf_id for leaf in found])
    seen = []
    for leaf in found:
        document = parse_entry(leaf.entry)
        disclosed = [
            Disclosure(salt, name, value) for name, (salt, value) in sorted(known.get(leaf.leaf_id, {}).items())
        ]
        shown = [each for each in disclosed if scope.shows(each.name)]
        erased = max(0, len(document["personal"]) - len(disclosed))
        seen.append(SeenLeaf(leaf, document, shown, len(disclosed) - len(shown), erased))
    return seen


def is_within(leaf: FoundLeaf, document: Mapping[str, Any], scope: Scope) -> bool:
    """Whether a reader with `scope` may open this leaf."""
    if document["type"] in LOCAL:
        return scope.includes(document["site"], leaf.at)
    return document["type"] in ALWAYS or scope.includes_moment(leaf.at)
