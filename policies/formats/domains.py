"""Plain domains: one name a line, which means itself and everything below it.

`@@name` is the list's own exception, `*.name` and `.name` mean the same as `name`, and `#` starts a comment; so do `!`,
`;` and `//` at the start of a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policies.formats.entry import Entry, Refusal, name_entry

COMMENTS = ("#", "!", ";", "//")


def read(text: str) -> Sequence[Entry | Refusal]:
    """The entry of one line."""
    text = text.strip()
    if not text or text.startswith(COMMENTS):
        return ()
    if "#" in text:
        text = text.partition("#")[0].rstrip()
    if text.startswith("@@"):
        return (name_entry(bare(text[2:].lstrip()), "permit"),)
    return (name_entry(bare(text)),)


def bare(text: str) -> str:
    """`text` without a leading `*.` or `.`."""
    if text.startswith("*."):
        return text[2:]
    return text[1:] if text.startswith(".") and len(text) > 1 else text


def render(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines that `read` reads back; `exact` and `important` can't be said in this format."""
    for entry in entries:
        yield f"@@{entry.name}" if entry.action == "permit" else entry.name
