"""The sealer's memory: which checkpoint it signed last, in a small file beside the key, outside the database.

It is written, durably, before the database commits a new head, so that a database restored from a backup can't make the
sealer sign a second history. `published` was committed when the file was written; `pending` was being committed, and is
either the head by now or, where the sealer was cut off, is made so from the staged leaves that it names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway import durable
from gateway.audit.checkpoint import Checkpoint, parse_checkpoint
from gateway.audit.errors import AuditError, NoteError

_RANGE = re.compile(r"([0-9]{1,19})(?:-([0-9]{1,19}))?", re.ASCII)


class ForgottenError(AuditError):
    """The memory can't be read or written: nothing may be signed."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the file says; `staged` are the ids of the staged leaves that `pending` orders, in that order."""

    published: Checkpoint | None = None
    pending: Checkpoint | None = None
    staged: tuple[int, ...] = ()

    @property
    def newest(self) -> Checkpoint | None:
        """The largest head that may have been published."""
        return self.pending or self.published


class Memory:
    """The file at `path`. Write it only while holding the head: two sealers may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Remembered | None:
        """What is remembered; None when there is no file. Raises: ForgottenError."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ForgottenError(f"{self.path} can't be read: {error}") from error
        try:
            document = json.loads(text)
            if document["v"] != 1:
                raise ValueError("another version")
            published, pending = (
                parse_checkpoint(document[key].encode())[0] if document[key] is not None else None
                for key in ("published", "pending")
            )
            return Remembered(published, pending, parse_ids(document["staged"]))
        except (ValueError, KeyError, TypeError, AttributeError, NoteError) as error:
            raise ForgottenError(
                f"{self.path} is damaged ({error}); it holds the checkpoint that was signed last: restore it, or remove"
                " it when you know that the database was not restored"
            ) from error

    def write(self, published: str | None, pending: str | None = None, staged: Sequence[int] = ()) -> None:
        """Remember signed checkpoints. Raises: ForgottenError; then nothing may be published."""
        document = {"v": 1, "published": published or None, "pending": pending, "staged": encode_ids(staged)}
        try:
            durable.replace(self.path, json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")
        except OSError as error:
            raise ForgottenError(f"{self.path} can't be written ({error.strerror}); nothing is signed") from error


def encode_ids(ids: Sequence[int]) -> str:
    """Ids in their order as ranges: `12,3-5`."""
    parts: list[list[int]] = []
    for each in ids:
        if parts and each == parts[-1][1] + 1:
            parts[-1][1] = each
        else:
            parts.append([each, each])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def parse_ids(text: str) -> tuple[int, ...]:
    """The ids of `encode_ids`. Raises: ValueError."""
    found: list[int] = []
    for part in text.split(",") if text else ():
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no range of ids")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + 1_000_000:
            raise ValueError(f"{part!r} is no range of ids")
        found += range(first, last + 1)
    return tuple(found)
