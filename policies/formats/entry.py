"""What one line of a published list gives: entries, or a refusal with its reason, counted with examples."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from policies.names import NameError_, listable

EXAMPLES_PER_REASON = 5
EXAMPLE_CHARACTERS = 80

Action = Literal["block", "permit"]

_ADDRESS_RANGE = re.compile(r"\[?[0-9A-Fa-f:.]+\]?(?:/\d{1,3}|:\d{1,5}|-[0-9.]+)")


class Entry(NamedTuple):
    """One name that a list speaks of, in normal form, with everything below it unless `exact`.

    `permit` is the list's own exception. `important` entries stand against the list's exceptions. `category` is set
    where the list itself names one for the line.
    """

    name: str
    action: Action = "block"
    category: str | None = None
    important: bool = False
    exact: bool = False


class Refusal(NamedTuple):
    """A line, or a name in it, that gives no entry. `ignored` lines are sound but of no use to DNS, as cosmetic rules;
    the others are damaged or cannot be obeyed. `reason` is a stable key.
    """

    reason: str
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that gave no name. `line` counts from 1; `text` is cut at 80 characters."""

    line: int
    text: str
    reason: str


@dataclass(slots=True)
class Rejects:
    """What a reading left out: `counts` of rejects and of `ignored` lines by reason, and the first examples of each.

    `lines` is the number of lines read, empty ones and comments included.
    """

    lines: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    examples: list[Reject] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many were rejected, ignored ones not counted."""
        return self.counts.total()

    def add(self, refusal: Refusal, number: int, line: bytes) -> None:
        """Count `refusal`, and keep the line as an example when it is among the first of its reason."""
        counter = self.ignored if refusal.ignored else self.counts
        counter[refusal.reason] += 1
        if counter[refusal.reason] <= EXAMPLES_PER_REASON:
            shown = line[: 4 * EXAMPLE_CHARACTERS].decode("utf-8", "replace").strip()[:EXAMPLE_CHARACTERS]
            self.examples.append(Reject(number, shown, refusal.reason))


def name_entry(
    text: str,
    action: Action = "block",
    *,
    exact: bool = False,
    important: bool = False,
    category: str | None = None,
) -> Entry | Refusal:
    """The entry for a name as a list writes it, or the refusal with the reason of `policies.names`, or `url`."""
    try:
        return Entry(listable(text), action, category, important, exact)
    except NameError_ as problem:
        if problem.reason in ("bad_character", "idna") and ("/" in text or ":" in text):
            return Refusal("ip_address" if _ADDRESS_RANGE.fullmatch(text) else "url")
        return Refusal(problem.reason)
