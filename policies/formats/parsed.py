"""A short plain-domain list read as a whole, as the starter lists are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from policies.formats.entry import Reject, Rejects
from policies.formats.reading import read_entries


@dataclass(frozen=True, slots=True)
class ParsedList:
    """What a list says: names in normal form, each once, in order of appearance, and what was left out.

    `rejects` counts lines by reason; `duplicates` is the number of repeated names; `sha256` is the hex digest of the
    octets read.
    """

    entries: tuple[str, ...]
    exceptions: tuple[str, ...]
    rejects: Mapping[str, int]
    examples: tuple[Reject, ...]
    duplicates: int
    sha256: str


def parse_domains(lines: Iterable[bytes]) -> ParsedList:
    """Read a plain-domain list from lines with or without their line ends. Never raises for what a line holds."""
    digest = sha256()

    def digested() -> Iterator[bytes]:
        for line in lines:
            digest.update(line)
            yield line

    rejects = Rejects()
    entries: dict[str, None] = {}
    exceptions: dict[str, None] = {}
    duplicates = 0
    for entry in read_entries("domains", digested(), rejects):
        target = exceptions if entry.action == "permit" else entries
        duplicates += entry.name in target
        target[entry.name] = None
    counts = dict(sorted(rejects.counts.items()))
    return ParsedList(
        tuple(entries), tuple(exceptions), counts, tuple(rejects.examples), duplicates, digest.hexdigest()
    )
