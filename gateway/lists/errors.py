"""What goes wrong on the way from a source to a usable list; the list in use stays in use."""

from __future__ import annotations

from gateway.errors import GatewayError


class SourceError(GatewayError):
    """A source that gave no usable list. `reason` is a stable key for counting and translation."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DownloadError(SourceError):
    """Nothing usable came over the network."""


class ArchiveError(SourceError):
    """A packed file that is damaged, too large when unpacked, or has no one list in it."""


class RefusedError(SourceError):
    """A list arrived and was read, but is not put in use."""
