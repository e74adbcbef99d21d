"""Small files that are there whole or not at all, also after a power cut: written beside, flushed, then renamed."""

from __future__ import annotations

import os
from pathlib import Path


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Make `path` hold `content` durably; what stood there stays until the new is complete.

    `mode` are its permissions, whatever the umask. Does not write where the content stands already.
    Raises: OSError; then what stood there stands, and nothing is left beside it.
    """
    try:
        if path.read_bytes() == content:
            return
    except FileNotFoundError:
        pass
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or made in `folder` durable. Raises: OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
