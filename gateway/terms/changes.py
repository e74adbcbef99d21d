"""What is new in the rules for somebody who accepted an earlier version, in words that they read. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt

from gateway.terms.compare import Row, compare


@dataclass(frozen=True)
class Changes:
    """The paragraphs that differ, in order, of the texts in `language`."""

    language: str
    rows: tuple[Row, ...]


def changes(old: Mapping[str, str], new: Mapping[str, str], languages: Sequence[str]) -> Changes | None:
    """What differs between two versions (language → Markdown), in the first of `languages` that both have, else in
    another that both have. None when there is none: then the whole text is new to the reader.
    """
    both = [language for language in (*languages, *sorted(old)) if language in old and language in new]
    if not both:
        return None
    found = compare(plain(old[both[0]]), plain(new[both[0]]))
    return Changes(both[0], tuple(row for row in found if row.differs))


def plain(markdown: str) -> str:
    """The text without its markup: headings, paragraphs and items of lists, parted by blank lines."""
    blocks = MarkdownIt("commonmark", {"html": False}).parse(markdown)
    parts = []
    for block in blocks:
        if block.type == "inline":
            parts.append("".join(_text(child.type, child.content) for child in block.children or ()))
        elif block.type in ("code_block", "fence"):
            parts.append(block.content)
    return "\n\n".join(" ".join(part.split()) for part in parts if part.strip())


def _text(type_: str, content: str) -> str:
    return " " if type_ in ("softbreak", "hardbreak") else content
