"""Small files that are there whole or not at all: written beside, flushed, and put in place by rename."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Make `path` hold `text` (UTF-8) durably; what stood there stays until the new is complete.

    `mode` are its permissions, whatever the umask. Does not write where the text stands already.
    Raises: OSError; then what stood there stands, and nothing is left beside it.
    """
    try:
        if path.read_bytes() == text.encode():
            return
    except FileNotFoundError:
        pass
    partial = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
