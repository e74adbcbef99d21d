"""Finished exports, kept a quarter of an hour for whoever made them, then deleted: they hold personal data."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from captive_portal.auth.tokens import new_token
from gateway.audit.export import Summary

KEEP_S = 900


@dataclass(frozen=True)
class KeptExport:
    """A bundle that waits to be fetched. `name` is what the browser should call it; `note` its signed hash."""

    key: str
    staff_id: str
    name: str
    bundle: Path
    note: Path | None
    entries: int
    size_bytes: int


class ExportShelf:
    """The folder `STATE/run/exports`, one private folder an export. Emptied at start, as after a crash."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "run" / "exports"
        self._kept: dict[str, KeptExport] = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def make(self, staff_id: str, name: str, write: Callable[[Path], Summary]) -> KeptExport:
        """Have `write` make a bundle, and keep it for `staff_id`. When it raises, nothing is left behind."""
        key = new_token()
        folder = self._folder / key
        folder.mkdir(parents=True, mode=0o700)
        try:
            summary = write(folder / "bundle.zip")
            size_bytes = summary.bundle.stat().st_size
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        kept = KeptExport(key, staff_id, name, summary.bundle, summary.sidecar, summary.entries, size_bytes)
        self._kept[key] = kept
        timer = threading.Timer(KEEP_S, self.discard, [key])
        timer.daemon = True
        timer.start()
        return kept

    def find(self, key: str, staff_id: str) -> KeptExport | None:
        """The export, for its maker, while it is kept and nobody in it has been erased."""
        kept = self._kept.get(key)
        return kept if kept is not None and kept.staff_id == staff_id and kept.bundle.exists() else None

    def discard(self, key: str) -> None:
        """Delete an export now."""
        self._kept.pop(key, None)
        shutil.rmtree(self._folder / key, ignore_errors=True)
