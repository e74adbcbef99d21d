"""The door: takes connections, answers at once what can be answered from their first bytes, and seats the others.

A transport, a protocol and a seat cost more than a redirect. Under load a client's request has mostly come by the time
its connection is taken, and then four system calls are all that it costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable

AT_ONCE = 64  # connections taken before others have their turn
WAITING = 4096  # in the kernel, while we are busy; who finds no room there tries again a second later
FIRST_BYTES = 16 * 1024
PAUSE_S = 0.5
_SHORT_OF = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Answer = Callable[[bytes, str], bytes | None]
"""From first bytes and the peer's address: what to send and close (nothing: just close), or None to be seated."""

log = logging.getLogger(__name__)


class Door:
    """A listening socket, open from now on. `seat` makes the protocol of a connection from its first bytes.

    For uvicorn it is a server: `close` and `wait_closed`.
    """

    def __init__(self, bound: socket.socket, answer: Answer, seat: Callable[[bytes], asyncio.BaseProtocol]) -> None:
        self._bound, self._answer, self._seat = bound, answer, seat
        self._loop = asyncio.get_running_loop()
        self._seating: set[asyncio.Task[object]] = set()
        self._again: asyncio.TimerHandle | None = None
        bound.listen(WAITING)
        bound.setblocking(False)
        self._open()

    def close(self) -> None:
        """Take no more connections."""
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._bound)

    async def wait_closed(self) -> None:
        """Wait until those taken are seated."""
        if self._seating:
            await asyncio.wait(self._seating)

    def _open(self) -> None:
        self._again = None
        self._loop.add_reader(self._bound, self._come)

    def _come(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, peer = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _SHORT_OF:  # Linux tells here what befell that one connection (accept(2))
                    return
                log.warning("no connection can be taken for a moment: %s", error.strerror)
                self._loop.remove_reader(self._bound)
                self._again = self._loop.call_later(PAUSE_S, self._open)
                return
            self._welcome(connection, str(peer[0]))

    def _welcome(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)
        try:
            first = connection.recv(FIRST_BYTES)
        except (BlockingIOError, InterruptedError):
            self._take_in(connection, b"")
            return
        except OSError:  # gone already
            connection.close()
            return
        answer = self._answer(first, address) if first else b""
        if answer is None:
            self._take_in(connection, first)
            return
        with contextlib.closing(connection), contextlib.suppress(OSError):
            if answer:
                connection.send(answer)  # a new connection's buffer takes it whole

    def _take_in(self, connection: socket.socket, first: bytes) -> None:
        seating = self._loop.create_task(self._seated(connection, first))
        self._seating.add(seating)
        seating.add_done_callback(self._seating.discard)

    async def _seated(self, connection: socket.socket, first: bytes) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: self._seat(first), connection)
        except OSError:  # gone meanwhile
            connection.close()
