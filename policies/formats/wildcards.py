"""Wildcard lists: `*.name` means the name and everything below it, a bare `name` exactly itself.

Published wildcard lists mean the name itself too by `*.name`, unlike a zone file (RFC 4592).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policies.formats.domains import COMMENTS, bare
from policies.formats.entry import Action, Entry, Refusal, name_entry


def read(text: str) -> Sequence[Entry | Refusal]:
    """The entry of one line."""
    text = text.strip()
    if not text or text.startswith(COMMENTS):
        return ()
    text = text.partition("#")[0].rstrip()
    action: Action = "block"
    if text.startswith("@@"):
        text, action = text[2:].lstrip(), "permit"
    name = bare(text)
    if "*" in name:
        return (Refusal("wildcard_inside"),)
    return (name_entry(name, action, exact=name == text),)


def render(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines that `read` reads back; `important` can't be said in this format."""
    for entry in entries:
        yield ("@@" if entry.action == "permit" else "") + ("" if entry.exact else "*.") + entry.name
