"""Exports under way and finished ones, kept for whoever ordered them, then deleted: they hold personal data.

Each is a process of its own in a private folder of its own. An hour after it is ready, or soon after everything was
downloaded, nothing is left of it.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from captive_portal.auth.tokens import new_token
from gateway.audit.export_child import BUNDLE, Job, State, read_state

log = logging.getLogger(__name__)

KEEP_S = 3600.0
AFTER_DOWNLOAD_S = 120.0  # a browser that lost the file on its way can ask again
MAX_UNDER_WAY = 2
COMMAND = (sys.executable, "-m", "gateway.audit.export_child")


@dataclass(frozen=True)
class KeptExport:
    """An export of `staff_id`. `name` is what the browser should call the bundle; `fetched`: what it has taken."""

    key: str
    staff_id: str
    name: str
    folder: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    fetched: set[str] = field(default_factory=set, repr=False)

    @property
    def bundle(self) -> Path:
        return self.folder / BUNDLE

    @property
    def note(self) -> Path | None:
        """The signature, where the sealer has signed in time."""
        path = self.folder / f"{BUNDLE}.note"
        return path if path.exists() else None

    @property
    def state(self) -> State:
        """How far it is; a process that ended without a word has failed."""
        ended = self.process.poll() is not None  # asked first: what it tells comes before its end
        state = read_state(self.folder)
        if ended and state.stage not in ("done", "failed"):
            return replace(state, stage="failed", reason="unexpected")
        return state

    @property
    def is_under_way(self) -> bool:
        """Whether it is still being made; a process that has told its end only has to leave."""
        return self.state.stage not in ("done", "failed")


class ExportShelf:
    """The folder `STATE/run/exports`, one private folder an export. Emptied at start, as after a crash."""

    def __init__(self, state: Path, keep_s: float = KEEP_S, after_download_s: float = AFTER_DOWNLOAD_S) -> None:
        self._folder = state / "run" / "exports"
        self._keep_s, self._after_download_s = keep_s, after_download_s
        self._kept: dict[str, KeptExport] = {}
        self._lock = threading.Lock()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, staff_id: str, name: str, job: Callable[[Path], Job]) -> KeptExport | None:
        """Begin an export; None while as many are under way as may be, or one of this person's.

        Raises: OSError when its folder can't be made.
        """
        with self._lock:
            under_way = [each for each in self._kept.values() if each.is_under_way]
            if len(under_way) >= MAX_UNDER_WAY or any(each.staff_id == staff_id for each in under_way):
                return None
            key = new_token()
            folder = self._folder / key
            folder.mkdir(parents=True, mode=0o700)
            process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE)
            kept = KeptExport(key, staff_id, name, folder, process)
            self._kept[key] = kept
        assert process.stdin is not None
        try:
            process.stdin.write(job(folder).encode())
            process.stdin.close()
        except BrokenPipeError:
            log.warning("the export process ended at once")
        self._discard_in(self._keep_s, kept, wait=True)
        return kept

    def find(self, key: str, staff_id: str) -> KeptExport | None:
        """The export, for its maker, while it is kept and nobody in it has been erased."""
        kept = self._kept.get(key)
        if kept is None or kept.staff_id != staff_id:
            return None
        return None if kept.state.stage == "done" and not kept.bundle.exists() else kept

    def under_way(self, staff_id: str) -> KeptExport | None:
        """The export of this person that is not finished."""
        kept = [each for each in self._kept.values() if each.staff_id == staff_id and each.is_under_way]
        return kept[0] if kept else None

    def sent(self, kept: KeptExport, file: str) -> None:
        """A file has been sent; once all have, the export does not stay for long."""
        kept.fetched.add(file)
        if {"bundle", "note"} - kept.fetched <= (set() if kept.note else {"note"}):
            self._discard_in(self._after_download_s, kept)

    def discard(self, key: str) -> None:
        """Stop an export if it is under way, and delete it, now."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            kept.process.kill()
            kept.process.wait()
            shutil.rmtree(kept.folder, ignore_errors=True)

    def _discard_in(self, seconds: float, kept: KeptExport, *, wait: bool = False) -> None:
        def later() -> None:
            if wait:
                kept.process.wait()
            time.sleep(seconds)
            self.discard(kept.key)

        threading.Thread(target=later, name="export-discard", daemon=True).start()
