"""What each of many names is: its categories, and which list or judge says so. One line in, one line out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gateway.lists.explanation import judge_of
from policies.names import NameError_, from_person, parents
from policies.snapshot import Listing, Snapshot

LIKELY = 0.5
MAX_CHARS = 253
_DIGITS = frozenset("0123456789")  # an address ends in one
_PLAIN = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*").fullmatch


class Classifier:
    """Classifies names by one snapshot, whatever the group: lists say what a name is, policies what follows.

    `judge`: ask the judge of unlisted names about those that no list has. Raises: PolicyError (damaged snapshot).
    """

    def __init__(self, snapshot: Snapshot, *, judge: bool = False) -> None:
        self._lookup, self._said_of = snapshot.lookup, snapshot.said_of
        self._never = snapshot.never_blocked
        self._judge = judge_of(snapshot) if judge else None
        self._said: dict[tuple[tuple[int, bool], ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self.has_judge = self._judge is not None
        self.judged = self._judge.categories if self._judge is not None else ()
        """The categories that the judge has learnt."""

    def facts(self, text: str) -> dict[str, Any]:
        """`name`, `categories`, `sources` (lists, or `judge`, or `never_blocked/<kind>`), with a judge `confidence`;
        for text that is no name `error`.
        """
        try:
            name = from_person(text)
        except NameError_ as problem:
            return {"name": text[:300], "categories": [], "sources": [], "error": problem.reason}
        never = self._never_blocked(name)
        if never is not None:
            return {"name": name, "categories": [], "sources": [f"never_blocked/{never}"]}
        listings = self._lookup(name)
        if listings:
            categories, sources = self._listed(listings)
            return {"name": name, "categories": list(categories), "sources": list(sources)}
        if self._judge is not None:
            found = self._judge.opinions(name, LIKELY)
            if found:
                confidence = {each.category: round(each.confidence, 4) for each in found}
                return {"name": name, "categories": [*confidence], "sources": ["judge"], "confidence": confidence}
        return {"name": name, "categories": [], "sources": []}

    def json_lines(self, texts: Iterable[str]) -> Iterator[str]:
        """One JSON object a line, for each text that is not blank."""
        return self._lines(texts, '{"name":"', as_json)

    def tab_lines(self, texts: Iterable[str]) -> Iterator[str]:
        """Name, categories and sources, each of these two separated by commas; tabs between them."""
        return self._lines(texts, "", as_tabs)

    def _lines(self, texts: Iterable[str], before: str, write: Callable[[dict[str, Any]], str]) -> Iterator[str]:
        """Most names of a stream are in normal form already: what follows the name is then written once for each
        set of lists that says something, and `before`, name and that are put together.
        """
        lookup, said_of, never, plain = self._lookup, self._said_of, self._never, _PLAIN
        ends = {_end(name) for name in never}
        tops = {name for name in never if "." not in name}
        afters: dict[tuple[tuple[int, bool], ...], str] = {}
        judged: set[tuple[tuple[int, bool], ...]] = set()
        for text in texts:
            name = text.strip()
            if not name:
                continue
            if (
                not plain(name)
                or name[-1] in _DIGITS
                or len(name) > MAX_CHARS
                or (
                    (_end(name) in ends or (tops and name.rpartition(".")[2] in tops))
                    and any(suffix in never for suffix in parents(name))
                )
            ):
                yield write(self.facts(name))
                continue
            key = said_of(name)
            after = afters.get(key)
            if after is None:
                listings = lookup(name)
                if self._judge is not None and not listings:
                    judged.add(key)
                categories, sources = self._listed(listings)
                nameless = {"name": "", "categories": list(categories), "sources": list(sources)}
                after = afters[key] = write(nameless)[len(before) :]
            if judged and key in judged:
                yield write(self.facts(name))
            else:
                yield before + name + after

    def _never_blocked(self, name: str) -> str | None:
        return next((self._never[suffix] for suffix in parents(name) if suffix in self._never), None)

    def _listed(self, listings: tuple[Listing, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Categories and sources of what is listed, without the lists that except the name themselves."""
        key = tuple((listing.source_id, listing.exception) for listing in listings)
        said = self._said.get(key)
        if said is None:
            silenced = {listing.source_id for listing in listings if listing.exception}
            told = [listing for listing in listings if listing.source_id not in silenced]
            said = (
                tuple(dict.fromkeys(listing.category for listing in told)),
                tuple(dict.fromkeys(listing.source for listing in told)),
            )
            self._said[key] = said
        return said


def _end(name: str) -> str:
    """The last two labels, by which most names are seen at once to be no never-blocked ones."""
    head, _, last = name.rpartition(".")
    return f"{head.rpartition('.')[2]}.{last}" if head else last


def as_json(facts: dict[str, Any]) -> str:
    """Facts as a line of JSON."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")) + "\n"


def as_tabs(facts: dict[str, Any]) -> str:
    """Facts as a tab-separated line; what is no name has its reason after `error:`."""
    name = "".join(character if character.isprintable() else "�" for character in facts["name"])
    told = [*facts["sources"], *([f"error:{facts['error']}"] if "error" in facts else [])]
    percent = facts.get("confidence", {})
    categories = [f"{key}={percent[key]:.2f}" if key in percent else key for key in facts["categories"]]
    return f"{name}\t{','.join(categories)}\t{','.join(told)}\n"
