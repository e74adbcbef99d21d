"""What is wrong with a policy document: each problem with the place it stands at, as text and as a path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policies.names import PolicyError

Path = tuple[str | int, ...]
"""Keys and positions from the top of a document to a value: ("groups", "course", "closed", 2)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `path` is as near as can be said; `line` (from 1) is known for documents read from text."""

    path: Path
    text: str
    line: int | None = None

    def __str__(self) -> str:
        return self.text if self.line is None else f"line {self.line}: {self.text}"


class DocumentError(PolicyError):
    """The policy document is not usable. `found` are all problems; `problems` the same as text, each with the place
    it stands at.
    """

    def __init__(self, found: Iterable[Problem]) -> None:
        self.found = tuple(found)
        self.problems = tuple(str(problem) for problem in self.found)
        super().__init__("; ".join(self.problems))


def place_text(path: Path) -> str:
    """`groups.course.schedules[0].days`; the whole document is `policy`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "policy"
