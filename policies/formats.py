"""Published list text into names and rejects; so far one format: one domain a line.

A line holds one name, which means itself and everything below it; `@@name` is the list's own exception; `#`
starts a comment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from policies.names import NameError_, listable

MAX_LINE_OCTETS = 2048
EXAMPLES_PER_REASON = 5


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that gave no name. `line` counts from 1; `text` is cut at 80 characters."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedList:
    """What a list says: names in normal form, each once, in order of appearance, and what was left out.

    `rejects` counts lines by reason (the reasons of `policies.names`, and `encoding`, `line_too_long`);
    `duplicates` is the number of repeated names; `sha256` is the hex digest of the octets read.
    """

    entries: tuple[str, ...]
    exceptions: tuple[str, ...]
    rejects: Mapping[str, int]
    examples: tuple[Reject, ...]
    duplicates: int
    sha256: str


def parse_domains(lines: Iterable[bytes]) -> ParsedList:
    """Read a plain-domain list from lines with or without their line ends. Never raises for what a line
    holds.
    """
    entries: dict[str, None] = {}
    exceptions: dict[str, None] = {}
    rejects: Counter[str] = Counter()
    examples: list[Reject] = []
    duplicates = 0
    digest = sha256()
    for number, line in enumerate(lines, start=1):
        digest.update(line)
        try:
            text = _content(line, first=number == 1)
            if not text:
                continue
            target = exceptions if text.startswith("@@") else entries
            name = listable(text.removeprefix("@@"))
        except NameError_ as problem:
            rejects[problem.reason] += 1
            if rejects[problem.reason] <= EXAMPLES_PER_REASON:
                shown = line[:320].decode("utf-8", "replace").strip()[:80]
                examples.append(Reject(number, shown, problem.reason))
            continue
        duplicates += name in target
        target[name] = None
    return ParsedList(
        tuple(entries),
        tuple(exceptions),
        dict(sorted(rejects.items())),
        tuple(examples),
        duplicates,
        digest.hexdigest(),
    )


def _content(line: bytes, *, first: bool) -> str:
    if len(line) > MAX_LINE_OCTETS:
        raise NameError_("line_too_long", "line too long")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise NameError_("encoding", "not UTF-8") from None
    if first:
        text = text.removeprefix("\ufeff")
    return text.partition("#")[0].strip()
