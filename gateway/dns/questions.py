"""The questions of one connection: many under way at once, each answered as soon as it is ready (RFC 7766 §6.2.1.1,
§7).

A connection is idle while it owes no answer (§6.2.3), and is closed when it has been so for a while. What was asked
before the end, ours or that of a client which has said its last (a half-closed connection), is still answered.
"""

from __future__ import annotations

import asyncio

from gateway.dns.resolve import Resolver

UNANSWERED_MAX = 32
_WRITE_BUFFER_BYTES = 1 << 17


class Questions:
    """Reads questions, hands them to the resolver and writes its answers, in whatever order they come."""

    def __init__(
        self,
        resolver: Resolver,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        mark: int,
        source: bytes,
        idle_s: float,
    ) -> None:
        self._resolver = resolver
        self._reader = reader
        self._writer = writer
        self._mark = mark
        self._source = source
        self._idle_s = idle_s
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

    def close(self) -> None:
        """Close the connection; answers that still come are dropped."""
        self._timer.cancel()
        self._writer.close()

    def _look(self) -> None:
        """Close when nothing has been owed for `idle_s`; else look again when that may be."""
        idle_for_s = 0.0 if self._unanswered else self._loop.time() - self._quiet_since
        if idle_for_s >= self._idle_s:
            self._writer.close()
        else:
            self._timer = self._loop.call_later(self._idle_s - idle_for_s, self._look)

    def _deliver(self, answer: bytes) -> None:
        self._unanswered -= 1
        self._quiet_since = self._loop.time()
        self._fewer.set()
        if answer and not self._writer.is_closing():
            self._writer.write(len(answer).to_bytes(2, "big") + answer)

    async def _answer_given(self) -> None:
        self._fewer.clear()
        await self._fewer.wait()
