"""Refreshing one source: fetch it, take it in, and say what came of it. The list in use stays until a better one is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from gateway.clock import Clock
from gateway.lists import store
from gateway.lists.addresses import Resolve
from gateway.lists.archive import Limits
from gateway.lists.download import DownloadLimits, NotModified, fetch
from gateway.lists.errors import RefusedError, SourceError
from gateway.lists.intake import Raw, list_before, no_progress, only_writer, still_good, take_in
from gateway.lists.progress import Progress, told
from gateway.lists.source import Source
from gateway.lists.store import Facts

log = logging.getLogger(__name__)

Outcome = Literal["updated", "unchanged", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Refresh:
    """What came of one refresh. `facts` are those of the list now in use, if there is one; `reason` and `message` say
    why it was refused or failed.
    """

    source: str
    outcome: Outcome
    started_at: datetime
    finished_at: datetime
    facts: Facts | None
    reason: str = ""
    message: str = ""


def refresh(
    state: Path,
    source: Source,
    resolve: Resolve,
    clock: Clock,
    *,
    accept: bool = False,
    progress: Progress = no_progress,
    download_limits: DownloadLimits | None = None,
    limits: Limits | None = None,
) -> Refresh:
    """Download `source` and put it in use when it is sound. Never raises for what the network or the file does."""

    def work(folder: Path, progress: Progress) -> tuple[Facts, bool]:
        last = list_before(state, source)
        known = last if last is not None and last.url == source.url and not accept else None
        if known is not None and not store.is_whole(state, known):
            known = None  # "not modified" would leave it damaged
        target = folder / ".download"
        try:
            got = fetch(
                source.url,
                target,
                resolve,
                internal=source.internal,
                etag=known.etag if known else "",
                last_modified=known.last_modified if known else "",
                limits=download_limits,
                watch=lambda done, total: progress("downloading", done, total),
            )
            if isinstance(got, NotModified):
                assert last is not None  # the server was only asked so because there is one
                return still_good(state, last, clock()), False
            raw = Raw(target, source.url, got.etag, got.last_modified)
            return take_in(state, source, raw, clock(), accept=accept, progress=progress, limits=limits)
        finally:
            target.unlink(missing_ok=True)

    return _attempt(state, source, clock, progress, work)


def import_file(
    state: Path,
    source: Source,
    path: Path,
    clock: Clock,
    *,
    accept: bool = False,
    progress: Progress = no_progress,
    limits: Limits | None = None,
) -> Refresh:
    """Take in a file that lies on this machine. Never raises for what the file holds."""

    def work(_folder: Path, progress: Progress) -> tuple[Facts, bool]:
        return take_in(state, source, Raw(path), clock(), accept=accept, progress=progress, limits=limits)

    return _attempt(state, source, clock, progress, work)


def _attempt(
    state: Path,
    source: Source,
    clock: Clock,
    progress: Progress,
    work: Callable[[Path, Progress], tuple[Facts, bool]],
) -> Refresh:
    started = clock()
    outcome: Outcome = "failed"
    reason = message = ""
    try:
        with only_writer(state, source.key) as folder, told(folder, progress) as telling:
            _, changed = work(folder, telling)
        outcome = "updated" if changed else "unchanged"
    except SourceError as problem:
        outcome = "refused" if isinstance(problem, RefusedError) else "failed"
        reason, message = problem.reason, str(problem)
    except OSError as problem:
        reason, message = "disk", f"{problem.filename or 'the file'}: {problem.strerror or problem}"
    except Exception as problem:
        # One source's bad luck must not end the round for all the others.
        log.exception("refreshing %s", source.key)
        reason, message = "error", f"unexpected: {type(problem).__name__}; see the log"
    return Refresh(source.key, outcome, started, clock(), list_before(state, source), reason, " ".join(message.split()))
