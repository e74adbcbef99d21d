"""Lists on disk that belong to no source any more, as after a removal in the console: they go after a day."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from gateway.lists.errors import SourceError
from gateway.lists.intake import only_writer
from gateway.lists.source import KEY

KEPT_FOR = timedelta(days=1)  # an import writes its list first and its source a moment later


def sweep(state: Path, known: Collection[str], now: datetime) -> list[str]:
    """Remove the folders of sources that are not `known` and were not touched for a day; returns their keys.

    Raises: OSError.
    """
    gone: list[str] = []
    for folder in sorted((state / "lists").glob("*")):
        if folder.name in known or not KEY.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
            continue
        if now.timestamp() - folder.stat().st_mtime < KEPT_FOR.total_seconds():
            continue
        try:
            with only_writer(state, folder.name):
                shutil.rmtree(folder)
        except SourceError:  # somebody is at it just now
            continue
        gone.append(folder.name)
    return gone
