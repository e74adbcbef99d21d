"""From a file that has arrived to a list in use: unpack, recognise, read, check, sort, and only then replace.

Every step streams; ten million lines take no more memory than ten thousand.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from gateway.clock import format_utc
from gateway.lists import store
from gateway.lists.active import parse_line
from gateway.lists.archive import Limits, read_chunks
from gateway.lists.checks import MAX_ENTRIES, Findings, check
from gateway.lists.errors import RefusedError, SourceError
from gateway.lists.progress import Progress
from gateway.lists.sorting import SortedLines
from gateway.lists.source import AUTO, Source
from gateway.lists.store import Facts
from policies.categories import CATEGORIES
from policies.formats import Entry, NotAListError, Rejects, bounded_lines, detect, read_entries
from policies.formats.detect import SAMPLE_LINES, looks_like_markup
from policies.formats.stored import line_of

PROGRESS_EVERY = 20_000
_NOT_A_LIST = {
    "html": "a web page came instead of a list: check the address, or whether something asks for a sign-in",
    "json": "JSON came instead of a list: choose another file of this publisher",
    "empty": "there is nothing in it",
    "binary": "it is not text",
    "unknown": "its format is not recognised: name it (format)",
}


@dataclass(frozen=True, slots=True)
class Raw:
    """A file as it arrived, and where from. `path` is not removed here."""

    path: Path
    url: str = ""
    etag: str = ""
    last_modified: str = ""


def no_progress(_stage: str, _done: int, _total: int | None) -> None:
    """Where nobody watches."""


@contextmanager
def only_writer(state: Path, key: str) -> Iterator[Path]:
    """The source's folder, made when missing, held against every other process.

    Raises: SourceError `busy` when another one is at it; OSError.
    """
    folder = store.folder_of(state, key)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SourceError("busy", f"another process is refreshing {key}; try again when it is done") from None
        yield folder
    finally:
        os.close(descriptor)


def list_before(state: Path, source: Source) -> Facts | None:
    """The facts of the list in use that a refresh of `source` is measured by, if there is one that can be read."""
    facts = store.current_facts(state, source.key)
    return facts if facts is not None and facts.is_of(source) else None


def take_in(
    state: Path,
    source: Source,
    raw: Raw,
    now: datetime,
    *,
    accept: bool = False,
    progress: Progress = no_progress,
    limits: Limits | None = None,
) -> tuple[Facts, bool]:
    """Read the file and put it in use; (facts, whether the list changed). Call inside `only_writer`.

    `accept`: even when it shrank or grew beyond belief.
    Raises: SourceError (ArchiveError, RefusedError) or OSError; the list in use is untouched then.
    """
    last = list_before(state, source)
    folder = store.folder_of(state, source.key)
    rejects, findings = Rejects(), Findings()
    lines = bounded_lines(read_chunks(raw.path, source.member, limits))
    chosen, lines = _recognise(source, lines)
    new = folder / ".new"
    try:
        with SortedLines(folder) as ordered:
            for entry in read_entries(chosen, lines, rejects, source.reading):
                _take(entry, source, ordered, rejects, findings)
                if ordered.taken % PROGRESS_EVERY == 0:
                    progress("reading", ordered.taken, None)
            sha256, counts, unique = _write(new, ordered, progress)
            facts = Facts(
                source=source.key,
                sha256=sha256,
                format=chosen,
                fetched_at=format_utc(now),
                counts=counts,
                category=source.category,
                url=raw.url,
                etag=raw.etag,
                last_modified=raw.last_modified,
                raw_sha256=_digest(raw.path),
                raw_bytes=raw.path.stat().st_size,
                lines=rejects.lines,
                duplicates=ordered.taken - unique,
                rejects=dict(sorted(rejects.counts.items())),
                ignored=dict(sorted(rejects.ignored.items())),
                examples=[[each.line, each.text, each.reason] for each in rejects.examples],
                public_suffixes=findings.public_suffixes,
                suffix_examples=findings.suffix_examples,
                never_blocked=findings.never_blocked,
                never_blocked_examples=findings.never_blocked_examples,
            )
        check(
            facts.entries,
            rejects.total,
            findings,
            last.entries if last and not accept else None,
            permits=source.permits,
        )
        damaged = bool(store.marked_damaged(state, [source.key]))
        changed = last is None or last.sha256 != sha256 or damaged  # mended: compile it now
        store.put(state, facts, new)  # the same list too: the text on disk may be damaged
    finally:
        new.unlink(missing_ok=True)
    return facts, changed


def still_good(state: Path, last: Facts, now: datetime) -> Facts:
    """Note that the list in use was found unchanged at `now`."""
    facts = replace(last, fetched_at=format_utc(now))
    store.write_facts(state, facts)
    return facts


def _recognise(source: Source, lines: Iterator[bytes]) -> tuple[str, Iterator[bytes]]:
    sample = list(islice(lines, SAMPLE_LINES))
    try:
        if source.format == AUTO:
            chosen = detect(sample)
        else:
            chosen = source.format
            texts = [line.decode("utf-8", "replace").lstrip("\ufeff").strip() for line in sample]
            reason = looks_like_markup([text for text in texts if text] or [""])
            if reason is not None:
                raise NotAListError(reason)
    except NotAListError as problem:
        raise RefusedError(problem.reason, f"not a list: {_NOT_A_LIST[problem.reason]}") from None
    if chosen == "csv" and "column" not in source.options:
        raise RefusedError("column", "a table: say which column holds the names (column), by its number or heading")
    return chosen, chain(sample, lines)


def _take(entry: Entry, source: Source, ordered: SortedLines, rejects: Rejects, findings: Findings) -> None:
    if entry.category is not None:
        if entry.category not in CATEGORIES:
            rejects.counts["unknown_category"] += 1
            return
        if entry.category == source.category:
            entry = entry._replace(category=None)
    if entry.action == "block":
        findings.look(entry.name, permits=source.permits)
    if ordered.taken >= MAX_ENTRIES:
        raise RefusedError("too_many", f"more than {MAX_ENTRIES} entries: refused")
    ordered.add(f"{line_of(entry)}\n".encode("ascii"))


def _write(path: Path, lines: Iterable[bytes], progress: Progress) -> tuple[str, dict[str, dict[str, int]], int]:
    digest = hashlib.sha256()
    counts: dict[str, dict[str, int]] = {}
    unique = 0
    with path.open("wb") as file:
        for line in lines:
            file.write(line)
            digest.update(line)
            unique += 1
            kind, category, _ = parse_line(line.decode("ascii"))
            counted = counts.setdefault(category, {})
            counted[kind] = counted.get(kind, 0) + 1
            if unique % PROGRESS_EVERY == 0:
                progress("sorting", unique, None)
        for counted in counts.values():
            if "exceptions" in counted:
                counted.setdefault("exact_exceptions", 0)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), counts, unique


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
