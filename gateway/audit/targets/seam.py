"""What every target is: something that takes a package, or says why not."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from gateway.audit.checkpoint import Checkpoint
from gateway.audit.cosignature import Cosigned
from gateway.audit.errors import AuditError
from gateway.audit.note import VerifierKey

TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Package:
    """What is sent: the signed checkpoint `note`, what it says, and the list of leaves that have been erased.

    `proof` gives the consistency proof from a smaller size; `cosigned_size` is what the target was last known to hold.
    """

    checkpoint: Checkpoint
    note: bytes
    erasures: bytes
    keys: tuple[VerifierKey, ...]
    proof: Callable[[int], tuple[bytes, ...]]
    cosigned_size: int = 0

    @property
    def name(self) -> str:
        """A name of this checkpoint: its size, so that names sort, and the beginning of its root."""
        return f"{self.checkpoint.size:012d}-{self.checkpoint.root.hex()[:8]}"


@dataclass(frozen=True)
class Held:
    """What a target holds of this log: the largest `size`, and in `note` the largest checkpoint signed by a known key.

    `note` is smaller than `size`, or empty, where what is larger can't be opened.
    """

    size: int
    note: bytes = b""


@dataclass(frozen=True)
class Delivered:
    """It was taken, with what came back: a witness's cosignatures, and what the target held before."""

    cosigned: tuple[Cosigned, ...] = ()
    held: Held | None = None


class TargetError(AuditError):
    """It was not taken. The text is one line for people, without secrets; `held` is what was found there all the
    same.
    """

    def __init__(self, reason: str, held: Held | None = None) -> None:
        super().__init__(" ".join(reason.split())[:300])
        self.held = held


class Target(Protocol):
    """One place that checkpoints are sent to. Sending the same package again succeeds and changes nothing there."""

    name: str
    kind: str

    def send(self, package: Package, now: datetime) -> Delivered:
        """Send it, and return when it is there to stay. Raises: TargetError, and nothing else."""


def read_secret(path: Path, what: str) -> str:
    """The text of a secret's file. Raises: TargetError."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"{what} {path} can't be read: {getattr(error, 'strerror', None) or 'no text'}") from error
    if not secret:
        raise TargetError(f"{what} {path} is empty")
    return secret


def client_tls(ca_file: Path | None) -> ssl.SSLContext:
    """How a target's certificate is checked: by the machine's authorities, or by `ca_file` alone. Raises:
    TargetError.
    """
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise TargetError(f"ca_file {ca_file} can't be used: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
