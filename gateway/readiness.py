"""How a service tells whoever started it that it is at work: `READY=1`, as systemd takes it too (sd_notify(3))."""

from __future__ import annotations

import contextlib
import os
import socket

VARIABLE = "NOTIFY_SOCKET"
_READY = b"READY=1"


def asked_by() -> str:
    """The address of who wants to know, "" where nobody does. Neither this process nor a child finds it again."""
    return os.environ.pop(VARIABLE, "")


def say_ready(to: str | None = None) -> None:
    """Say that what listens does so from now on, to who asked this process. Where nobody asked, nobody is told."""
    address = asked_by() if to is None else to
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        out.send(_READY)


class Ear:
    """Where one service is heard; `address` is the value of its `NOTIFY_SOCKET`."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind("")  # the kernel chooses a name outside the file system: unix(7), autobind
        self.address = "@" + self._socket.getsockname()[1:].decode("ascii")

    def hears_ready(self) -> bool:
        """Whether it has said so since this was asked last. Never waits."""
        told = False
        with contextlib.suppress(BlockingIOError):
            while True:
                told = _READY in self._socket.recv(4096).splitlines() or told
        return told

    def close(self) -> None:
        """Nobody is heard any more."""
        self._socket.close()
