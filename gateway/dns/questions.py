"""The questions of one connection: many under way at once, each answered as soon as it is ready (RFC 7766 §6.2.1.1,
§7).

A connection is idle while it owes no answer (§6.2.3), and is closed when it has been so for a while. What was asked
before the end, ours or that of a client which has said its last (a half-closed connection), is still answered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from gateway.dns.resolve import Resolver
from gateway.transports import abort

UNANSWERED_MAX = 32
_WRITE_BUFFER_BYTES = 1 << 17
_GOODBYE_S = 1.0


class Questions:
    """Reads questions, hands them to the resolver when `may_ask` returns, and writes its answers as they come."""

    def __init__(
        self,
        resolver: Resolver,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        mark: int,
        source: bytes,
        idle_s: float,
        may_ask: Callable[[], Awaitable[None]],
    ) -> None:
        self._resolver = resolver
        self._reader = reader
        self._writer = writer
        self._mark = mark
        self._source = source
        self._idle_s = idle_s
        self._may_ask = may_ask
        self._unanswered = 0
        self._fewer = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._quiet_since = self._loop.time()
        self._timer = self._loop.call_later(idle_s, self._look)
        writer.transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)

    async def answer(self, *, once: bool = False) -> None:
        """Answer until the client ends it, is idle for too long, or sends what is no query; or one question, `once`.

        Raises: OSError, EOFError.
        """
        while True:
            size = int.from_bytes(await self._reader.readexactly(2), "big")
            packet = await self._reader.readexactly(size)
            self._unanswered += 1
            await self._may_ask()
            answer = self._resolver.answer(packet, self._mark, self._source, True, self._deliver)
            if answer is not None:
                self._deliver(answer)
            if once or answer == b"":  # not even a query: nothing good will follow
                return
            while self._unanswered >= UNANSWERED_MAX:
                await self._answer_given()
            await self._writer.drain()

    async def answered(self) -> None:
        """Wait until no answer is owed and all is written. Raises: OSError."""
        while self._unanswered and not self._writer.is_closing():
            await self._answer_given()
        await self._writer.drain()

    async def close(self) -> None:
        """Close the connection; answers that still come are dropped. Returns when its descriptor is closed.

        A client that does not read gets a moment, and a reset: closing waits until all is sent, for ever if need be.
        """
        self._timer.cancel()
        self._writer.close()
        closed = asyncio.create_task(self._writer.wait_closed())
        await asyncio.wait((closed,), timeout=_GOODBYE_S)
        self.abort()
        with contextlib.suppress(OSError):
            await closed

    def abort(self) -> None:
        """Close the connection at once, whatever is still to be sent."""
        abort(self._writer.transport)

    def _look(self) -> None:
        """Close when nothing has been owed for `idle_s`; else look again when that may be."""
        idle_for_s = 0.0 if self._unanswered else self._loop.time() - self._quiet_since
        if idle_for_s < self._idle_s:
            self._timer = self._loop.call_later(self._idle_s - idle_for_s, self._look)
        elif self._writer.transport.get_write_buffer_size():
            self.abort()  # all this time the client has not read what it asked for
        else:
            self._writer.close()

    def _deliver(self, answer: bytes) -> None:
        self._unanswered -= 1
        self._quiet_since = self._loop.time()
        self._fewer.set()
        if answer and not self._writer.is_closing():
            self._writer.write(len(answer).to_bytes(2, "big") + answer)

    async def _answer_given(self) -> None:
        self._fewer.clear()
        await self._fewer.wait()
