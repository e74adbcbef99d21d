"""Two texts side by side: paragraph against paragraph, with the words that were added and removed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

WORDS_AT_MOST = 3000  # beyond that a paragraph is compared as a whole: the time grows with the square

Kind = Literal["same", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text on one side."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One paragraph of each text; () where a side has none."""

    old: tuple[Piece, ...]
    new: tuple[Piece, ...]

    @property
    def differs(self) -> bool:
        return any(piece.kind != "same" for piece in (*self.old, *self.new))


def compare(old: str, new: str) -> Sequence[Row]:
    """The rows of both texts in order. Joined, the pieces of a side are its paragraphs, each whole."""
    return list(_rows(_paragraphs(old), _paragraphs(new)))


def _rows(old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    for tag, first, end, begin, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        before, after = old[first:end], new[begin:stop]
        if tag == "equal":
            yield from (Row((Piece("same", text),), (Piece("same", text),)) for text in before)
            continue
        for number in range(max(len(before), len(after))):
            yield _row(before[number] if number < len(before) else "", after[number] if number < len(after) else "")


def _row(old: str, new: str) -> Row:
    if not old or not new:
        return Row((Piece("removed", old),) if old else (), (Piece("added", new),) if new else ())
    words, others = re.findall(r"\s+|\w+|[^\w\s]", old), re.findall(r"\s+|\w+|[^\w\s]", new)
    if len(words) > WORDS_AT_MOST or len(others) > WORDS_AT_MOST:
        return Row((Piece("removed", old),), (Piece("added", new),))
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, first, end, begin, stop in SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        before, after = "".join(words[first:end]), "".join(others[begin:stop])
        if before:
            left.append(Piece("same" if tag == "equal" else "removed", before))
        if after:
            right.append(Piece("same" if tag == "equal" else "added", after))
    return Row(tuple(left), tuple(right))


def _paragraphs(text: str) -> Sequence[str]:
    return [part.strip("\n") for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
