"""A server's certificate, read by path whenever it is new, so that a renewal needs no restart."""

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

    `service` is how the log calls it, `alpn` what it speaks. The key goes from its file straight into the TLS library
    and is nowhere else. It has to stay readable for the services that show it, since a renewed one is read as the first
    was.
    """

    def __init__(self, certificate: Path, key: Path, *, service: str, alpn: str) -> None:
        self._service = service
        self._alpn = alpn
        self._certificate = certificate
        self._key = key
        self._stamp: _Stamp | None = None
        self._problem: str | None = None
        self._said = False
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
            context.set_alpn_protocols([self._alpn])
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")  # never ask the terminal
        except (OSError, ValueError) as error:  # SSLError is an OSError
            self._tell(f"{self._service}: {self._certificate} and its key can't be used: {error}; check both files")
            return
        self._stamp, self.context = stamp, context
        self._tell(None)
        log.info("%s: certificate read", self._service)
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
        """Say a problem once, and not at first sight: between a renewal's two files the one does not fit the other."""
        if problem != self._problem:
            self._problem, self._said = problem, False
            if self.context is not None:
                return
        if problem is not None and not self._said:
            self._said = True
            log.error("%s", problem)


def _stamp_of(path: Path) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns, status.st_size
