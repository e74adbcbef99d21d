"""v2fly's domain lists: `domain:` and bare names are suffixes, `full:` is exactly itself, with `@attributes`.

`keyword:` and `regexp:` would close what nobody named, and `include:` another file: each is rejected with that reason.
A reader takes all lines, or only those with, or without, some attributes (`cn`, `ads`, `!cn`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from policies.formats.entry import Entry, Refusal, name_entry

_REJECTED = ("keyword", "regexp", "include")


def reader(
    only: frozenset[str] = frozenset(), without: frozenset[str] = frozenset()
) -> Callable[[str], Sequence[Entry | Refusal]]:
    """A line reader that keeps lines with an attribute of `only` (all lines when empty) and none of `without`."""

    def read(text: str) -> Sequence[Entry | Refusal]:
        words = text.partition("#")[0].split()
        if not words:
            return ()
        rule, marks = _split_resolved(words[0])
        kind, colon, name = rule.partition(":")
        if not colon:
            kind, name = "domain", rule
        if kind in _REJECTED:
            return (Refusal(kind),)
        if kind not in ("domain", "full"):
            return (Refusal("unknown_kind"),)
        attributes = {each[1:] for each in (*marks, *words[1:]) if each.startswith("@")}
        if any(each[:1] not in ("@", "&") for each in (*marks, *words[1:])):
            return (Refusal("bad_line"),)
        if (only and not attributes & only) or attributes & without:
            return (Refusal("attribute", ignored=True),)
        return (name_entry(name, exact=kind == "full"),)

    return read


def _split_resolved(word: str) -> tuple[str, list[str]]:
    """`domain:name:@a,@b`, as in the published resolved files, into the rule and its attributes."""
    rule, mark, attributes = word.partition(":@")
    return (rule, [f"@{each.removeprefix('@')}" for each in attributes.split(",")]) if mark else (word, [])


def render(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines that a reader reads back; only blocked names can be said in this format."""
    for entry in entries:
        if entry.action == "block":
            yield ("full:" if entry.exact else "domain:") + entry.name
