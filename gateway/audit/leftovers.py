"""Copies of erased values in the state directory: the console's own exports are deleted, any other file is named."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.audit.export_child import read_state
from gateway.storage.erasures import holds

EXPORTS = Path("run") / "exports"
POSTGRES_DUMP = b"PGDMP"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Leftovers:
    """`deleted` held erased values and are gone; `found` hold them still; `unread` can't be looked into."""

    deleted: tuple[Path, ...] = ()
    found: tuple[Path, ...] = ()
    unread: tuple[Path, ...] = ()


def clear(state: Path, marks: Sequence[bytes], database: Path | None) -> Leftovers:
    """Look for `marks` in every file under `state` but the live database's own, in ZIP files too, and clear up.

    An export that is not finished goes unread: it may have read what was erased, and compress or write it only later.
    Its process fails without its folder.
    """
    deleted = _unfinished(state / EXPORTS)
    found: list[Path] = []
    unread: list[Path] = []
    for path in _files(state, database):
        try:
            if not _holds(path, marks):
                if _is_dump(path):
                    unread.append(path)
                continue
        except FileNotFoundError:
            continue  # deleted meanwhile, as temporary files are
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
            unread.append(path)
            continue
        exports = state / EXPORTS
        if path.is_relative_to(exports):
            folder = exports / path.relative_to(exports).parts[0]
            shutil.rmtree(folder, ignore_errors=True)
            deleted.append(folder)
        else:
            found.append(path)
    return Leftovers(tuple(dict.fromkeys(deleted)), tuple(found), tuple(unread))


def _unfinished(exports: Path) -> list[Path]:
    gone = []
    for folder in sorted(exports.iterdir()) if exports.is_dir() else ():
        if folder.is_dir() and not folder.is_symlink() and read_state(folder).stage != "done":
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
    return gone


def _files(state: Path, database: Path | None) -> Iterator[Path]:
    own = {Path(f"{database.absolute()}{end}") for end in ("", "-wal", "-shm")} if database is not None else set()
    for folder, _, names in os.walk(state):
        for name in sorted(names):
            path = Path(folder) / name
            if path.absolute() not in own and path.is_file() and not path.is_symlink():
                yield path


def _holds(path: Path, marks: Sequence[bytes]) -> bool:
    if holds(str(path), marks):
        return True
    if not zipfile.is_zipfile(path):
        return False
    overlap = max(map(len, marks), default=1) - 1
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            tail = b""
            with archive.open(name) as member:
                while chunk := member.read(_CHUNK_BYTES):
                    window = tail + chunk
                    if any(mark in window for mark in marks):
                        return True
                    tail = window[-overlap:] if overlap else b""
    return False


def _is_dump(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(POSTGRES_DUMP)) == POSTGRES_DUMP
