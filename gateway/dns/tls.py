"""The portal's certificate for DNS over TLS: read by path when it is new, so that a renewal needs no restart."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0

_Stamp = tuple[tuple[int, int, int], tuple[int, int, int]]


class Certificate:
    """A certificate and its key (PEM files), as the TLS context of a server (RFC 7858 §3.2: TLS 1.2 or later).

    The key goes from its file straight into the TLS library and is nowhere else. It has to stay readable for this
    service alone beside the portal, since a renewed one is read as the first was.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._stamp: _Stamp | None = None
        self._problem: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.context: ssl.SSLContext | None = None
        """For new connections; None until the files could be read. A renewed one that can't be read changes nothing."""

    def look(self) -> None:
        """Read the files when they are others than those in use. Cheap when they are not."""
        try:
            stamp = _stamp_of(self._certificate), _stamp_of(self._key)
            if stamp == self._stamp:
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.options |= ssl.OP_NO_RENEGOTIATION
            context.set_alpn_protocols(["dot"])
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")  # never ask the terminal
        except (OSError, ValueError) as error:  # SSLError is an OSError
            self._tell(f"DNS over TLS: {self._certificate} and its key can't be used: {error}; check portal.tls_key")
            return
        self._stamp, self.context = stamp, context
        self._tell(None)
        log.info("DNS over TLS: certificate read")
        if os.stat(self._key).st_mode & 0o004:
            log.warning("%s can be read by everybody on this machine; take that right away", self._key)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look now, and every few seconds from now on."""
        self.look()
        self._timer = loop.call_later(LOOK_EVERY_S, self.watch, loop)

    def close(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            log.error("%s", problem)
        self._problem = problem


def _stamp_of(path: Path) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns, status.st_size
