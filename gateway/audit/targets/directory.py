"""A directory, such as a mounted share: a file for each checkpoint, written whole and never over another.

Files stand in a folder named after the log, `SIZE-ROOT.checkpoint` and `SIZE-HASH.erased`. The largest size there tells
the sealer, after a restore of the whole machine, what was once signed, also where a later key signed it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from gateway import durable
from gateway.audit.checkpoint import open_checkpoint, parse_checkpoint
from gateway.audit.errors import NoteError
from gateway.audit.note import MAX_NOTE_BYTES, VerifierKey
from gateway.audit.targets.seam import Delivered, Held, Package, TargetError

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
_LOOKED_AT = 100
_NAME = re.compile(r"([0-9]{12,18})-[0-9a-f]{8}\.checkpoint", re.ASCII)


class DirectoryTarget:
    """The directory `path`; it has to be there, since an empty mount point must not be taken for the share."""

    kind = "directory"

    def __init__(self, name: str, path: Path, origin: str) -> None:
        self.name = name
        self.path = path
        self._folder = path / origin.replace("/", "_")

    def send(self, package: Package, now: datetime) -> Delivered:
        """As `Target.send`."""
        erasures = f"{package.checkpoint.size:012d}-{hashlib.sha256(package.erasures).hexdigest()[:8]}.erased"
        held: Held | None = None
        try:
            if not self.path.is_dir():
                raise TargetError(f"{self.path} is no directory; is the share mounted?")
            self._folder.mkdir(exist_ok=True)
            held = self.held(package.keys)
            self._add(erasures, package.erasures)
            self._add(f"{package.name}.checkpoint", package.note)
            durable.sync_folder(self._folder)
        except OSError as error:
            raise TargetError(f"{self.path} can't be written: {error.strerror}", held) from error
        return Delivered(held=held)

    def held(self, keys: Sequence[VerifierKey]) -> Held | None:
        """The largest size that a checkpoint there is named for, and the largest one signed with one of the log's keys.

        After a restore from before a replacement of the key, what was signed since can't be opened, but counts by its
        name. Raises: OSError.
        """
        if not self._folder.is_dir():
            return None
        names = [match for match in map(_NAME.fullmatch, os.listdir(self._folder)) if match is not None]
        names.sort(key=lambda match: (int(match[1]), match[0]), reverse=True)
        if not names:
            return None
        return Held(int(names[0][1]), self._largest_signed([match[0] for match in names[:_LOOKED_AT]], keys))

    def _largest_signed(self, names: Sequence[str], keys: Sequence[VerifierKey]) -> bytes:
        for name in names:
            with (self._folder / name).open("rb") as file:
                note = file.read(MAX_NOTE_BYTES + 1)
            try:
                open_checkpoint(note, keys)
            except NoteError:
                continue  # cut off, by a key that is not known here, or somebody else's
            return note
        return b""

    def _add(self, name: str, content: bytes) -> None:
        """Add a file that is whole from the moment it is there. Raises: OSError; TargetError when another has the
        name.
        """
        final, beside = self._folder / name, self._folder / f".{name}.{os.getpid()}"
        if self._is_there(final, content):
            return
        try:
            _write(beside, content)
            try:
                os.link(beside, final)  # unlike a rename it never replaces
            except FileExistsError:
                self._is_there(final, content)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                _write(final, content)  # as some shares know no links: exclusively, and removed when it fails
        finally:
            beside.unlink(missing_ok=True)

    @staticmethod
    def _is_there(path: Path, content: bytes) -> bool:
        try:
            found = path.read_bytes()
        except FileNotFoundError:
            return False
        if found != content and not _same_checkpoint(found, content):
            raise TargetError(f"{path} holds something else; it is not overwritten: look into it")
        return True


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _same_checkpoint(one: bytes, other: bytes) -> bool:
    try:
        return parse_checkpoint(one)[0] == parse_checkpoint(other)[0]
    except NoteError:
        return False
