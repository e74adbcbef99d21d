"""The product's own form of a list that has been read: one entry a line, so that sorted lines are a canonical text.

`name`, `@@name` (exception), `!name` (important), each with `=` before an exact name, and a tab and a category after it
where the list names one itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policies.formats.entry import Entry, Refusal, name_entry


def line_of(entry: Entry) -> str:
    """The line of one entry."""
    if entry[1:] == ("block", None, False, False):
        return entry.name
    mark = "@@" if entry.action == "permit" else "!" if entry.important else ""
    category = f"\t{entry.category}" if entry.category is not None else ""
    return f"{mark}{'=' if entry.exact else ''}{entry.name}{category}"


def read(text: str) -> Sequence[Entry | Refusal]:
    """The entry of one line; an important exception is an exception."""
    text, tab, category = text.rstrip("\r\n").partition("\t")
    if not text:
        return ()
    permit, important = text.startswith("@@"), text.startswith("!")
    text = text[2:] if permit else text[1:] if important else text
    exact = text.startswith("=")
    return (
        name_entry(
            text[1:] if exact else text,
            "permit" if permit else "block",
            exact=exact,
            important=important,
            category=category if tab else None,
        ),
    )


def render(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines that `read` reads back."""
    return map(line_of, entries)
