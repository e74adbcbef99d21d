"""What is looked at before a list that has arrived is put in use."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.lists.errors import RefusedError
from gateway.lists.public_suffixes import installed_suffixes
from policies.hygiene import protectors
from policies.never_blocked import NEVER_BLOCKED

EXAMPLES = 20
SMALLEST_TO_COMPARE = 20
SHRUNK_TO = 0.5
GROWN_BY = 10
LARGE = 100_000
MAX_ENTRIES = 20_000_000
TOO_MANY_SUFFIXES = 50
_protected = protectors(NEVER_BLOCKED)


@dataclass(slots=True)
class Findings:
    """What a list holds that it should not: how many, and the first of them by name."""

    public_suffixes: int = 0
    never_blocked: int = 0
    suffix_examples: list[str] = field(default_factory=list)
    never_blocked_examples: list[str] = field(default_factory=list)

    def look(self, name: str, *, permits: bool = False) -> None:
        """Note a listed name that is a public suffix, or is, or is above or below, a never-blocked one; in a list of
        `permits` the latter is as it should be.
        """
        if "." not in name or installed_suffixes().kind(name) == "icann":
            self.public_suffixes += 1
            if len(self.suffix_examples) < EXAMPLES:
                self.suffix_examples.append(name)
        if not permits and _protected(name) is not None:
            self.never_blocked += 1
            if len(self.never_blocked_examples) < EXAMPLES:
                self.never_blocked_examples.append(name)


def check(entries: int, rejected: int, findings: Findings, last_entries: int | None, *, permits: bool = False) -> None:
    """Refuse a list that can't be right. Single public suffixes and never-blocked names are for the hygiene of the
    compiler; many of them mean that this is another kind of list. A list of `permits` may not grow beyond
    belief however short it is: what it names is opened.

    Raises: RefusedError with reason `empty`, `mostly_rejects`, `public_suffixes`, `never_blocked`, `shrunk` or `grown`.
    """
    if entries == 0:
        raise RefusedError("empty", f"no usable name in it ({rejected} lines rejected); the list before it stays")
    if rejected > entries:
        raise RefusedError(
            "mostly_rejects", f"{rejected} lines rejected and {entries} names read: not a list, or another format"
        )
    if findings.public_suffixes > max(TOO_MANY_SUFFIXES, entries // 100):
        raise RefusedError("public_suffixes", f"{findings.public_suffixes} public suffixes in it: not a list of sites")
    if findings.never_blocked > max(EXAMPLES, entries // 20):
        raise RefusedError(
            "never_blocked", f"{findings.never_blocked} never-blocked names in it: a list of permitted sites?"
        )
    if last_entries is None or last_entries < SMALLEST_TO_COMPARE:
        return
    if entries < last_entries * SHRUNK_TO:
        raise RefusedError("shrunk", f"{entries} names, the list in use has {last_entries}: accept it if that is right")
    if (permits or entries > LARGE) and entries > last_entries * GROWN_BY:
        raise RefusedError("grown", f"{entries} names, the list in use has {last_entries}: accept it if that is right")
