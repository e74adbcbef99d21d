"""The lists in use, on disk: STATE/lists/<source key>/<sha256>.txt in canonical form, and its facts beside it.

`current` is a link that is replaced by rename, so a reader never sees half a list; what it points to is never removed.
A list that is there but damaged is an error and never "no list": it would open what the list closes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Protocol

from gateway.lists.compile import ListsError

CURRENT = "current"
DAMAGED = ".damaged"
KEPT = 3
Kind = Literal["entries", "exceptions", "exact_exceptions", "exact", "important", "important_exact"]


class DamagedListError(ListsError):
    """The stored list of the source `key` can't be what was stored; as it can't be compiled, no policy can be."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(f"the list of {key} is damaged ({what}): fetch it again with lists sync {key}, or import it")
        self.key = key


class SourceChoice(Protocol):
    """What is to be known of a source to find its list (`gateway.lists.source.Source`)."""

    @property
    def key(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def permits(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a stored list. `counts` maps a category (empty: the source's own) to counts by kind."""

    source: str
    sha256: str
    format: str
    fetched_at: str
    counts: Mapping[str, Mapping[str, int]]
    category: str = ""
    url: str = ""
    etag: str = ""
    last_modified: str = ""
    raw_sha256: str = ""
    raw_bytes: int = 0
    lines: int = 0
    duplicates: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)
    examples: list[list[Any]] = field(default_factory=list)
    public_suffixes: int = 0
    suffix_examples: list[str] = field(default_factory=list)
    never_blocked: int = 0
    never_blocked_examples: list[str] = field(default_factory=list)

    def total(self, *kinds: Kind) -> int:
        """How many names of these kinds there are, over all categories."""
        return sum(count.get(kind, 0) for count in self.counts.values() for kind in kinds)

    @property
    def entries(self) -> int:
        """How many names it closes."""
        return self.total("entries", "exact", "important", "important_exact")

    def is_of(self, source: SourceChoice) -> bool:
        """Whether it is the list of `source` and not of another that had its key: of its category (version 1 did not
        say which) and from its address. A file that was carried in by hand stands until the address is fetched.
        """
        return self.category in ("", source.category) and self.url in ("", source.url)


def folder_of(state: Path, key: str) -> Path:
    """Where the lists of a source lie."""
    return state / "lists" / key


def current_facts(state: Path, key: str) -> Facts | None:
    """The facts of the list in use; None when there is none that can be read, so that a refresh mends what is damaged.

    What closes names asks `facts_of`.
    """
    try:
        return facts_in_use(state, key)
    except ListsError:
        return None


def facts_in_use(state: Path, key: str) -> Facts | None:
    """The facts of the list in use; None when there never was one. Raises: ListsError when they can't be read."""
    folder = folder_of(state, key)
    try:
        target = os.readlink(folder / CURRENT)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise _damaged(key, f"{CURRENT}: {problem.strerror or problem}") from problem
    try:
        return read_facts(folder / target)
    except OSError as problem:
        raise _damaged(key, f"its facts: {problem.strerror or problem}") from problem
    except (ValueError, TypeError, AttributeError) as problem:
        raise _damaged(key, f"its facts are not as this program writes them ({problem})") from problem


def facts_of(state: Path, source: SourceChoice) -> Facts | None:
    """The facts of the list in use of `source`; None when there is none, or only one of another source that had its
    key. Raises: ListsError when they can't be read.
    """
    facts = facts_in_use(state, source.key)
    return facts if facts is not None and facts.is_of(source) else None


def read_facts(text_path: Path) -> Facts:
    """The facts beside a stored list; fields of another version are left out, or have their defaults.

    Raises: OSError; ValueError, TypeError, AttributeError when they can't be those of a list in use.
    """
    told = json.loads(text_path.with_suffix(".json").read_text(encoding="utf-8"))
    if not isinstance(told, dict):
        raise TypeError("no object")
    facts = Facts(**{each.name: told[each.name] for each in fields(Facts) if each.name in told})
    if facts.sha256 != text_path.stem:
        raise ValueError("those of another list")
    if not all(
        type(count) is int and count >= 0 for counts in facts.counts.values() for count in counts.values()
    ) or not any(count for counts in facts.counts.values() for count in counts.values()):
        raise ValueError("no counts")
    return facts


def is_whole(state: Path, facts: Facts) -> bool:
    """Whether the text of a stored list is there and unaltered. Raises: OSError other than that it is missing."""
    try:
        with (folder_of(state, facts.source) / f"{facts.sha256}.txt").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == facts.sha256
    except FileNotFoundError:
        return False


def mark_damaged(state: Path, keys: Iterable[str]) -> frozenset[str]:
    """Look at the stored lists of these sources whole, and leave a mark with each that is damaged; returns these.

    Raises: OSError.
    """
    found: set[str] = set()
    for key in keys:
        try:
            facts = facts_in_use(state, key)
            if facts is None or is_whole(state, facts):
                continue
        except ListsError:
            pass
        found.add(key)
        (folder_of(state, key) / DAMAGED).touch()
    return frozenset(found)


def marked_damaged(state: Path, keys: Iterable[str]) -> frozenset[str]:
    """Of these sources, those that carry the mark: until a list is put in use there."""
    return frozenset(key for key in keys if (folder_of(state, key) / DAMAGED).exists())


def _damaged(key: str, what: str) -> DamagedListError:
    return DamagedListError(key, what)


def put(state: Path, facts: Facts, text: Path) -> None:
    """Put `text`, a finished file in the source's folder, in use. Raises: OSError; then nothing has changed."""
    folder = folder_of(state, facts.source)
    name = f"{facts.sha256}.txt"
    write_facts(state, facts)
    os.replace(text, folder / name)
    link = folder / ".link"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    os.replace(link, folder / CURRENT)
    (folder / DAMAGED).unlink(missing_ok=True)
    _flush(folder)
    _prune(folder, facts.sha256)


def write_facts(state: Path, facts: Facts) -> None:
    """Write the facts of a list, new or in use, flushed and by rename. Raises: OSError."""
    path = folder_of(state, facts.source) / f"{facts.sha256}.json"
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(asdict(facts), file, ensure_ascii=False, sort_keys=True, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    _flush(path.parent)


def remove(state: Path, key: str) -> None:
    """Remove every list of a source."""
    folder = folder_of(state, key)
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prune(folder: Path, in_use: str) -> None:
    texts = sorted(folder.glob("*.txt"), key=lambda each: each.stat().st_mtime_ns, reverse=True)
    for old in [each for each in texts if each.stem != in_use][KEPT - 1 :]:
        old.unlink(missing_ok=True)
        old.with_suffix(".json").unlink(missing_ok=True)
