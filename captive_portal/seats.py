"""Connections as seats: nobody takes them all by opening connections and saying nothing.

Each connection has a deadline whenever we wait for its client, and when the seats run out, the address that holds most
of the waiting ones loses the one that has waited longest. Nobody is ever answered "too many connections".
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from captive_portal.door import Answer
from gateway.transports import abort

HANDSHAKE_S = HEAD_S = BODY_S = 10
FLUSH_S = 30  # for a slow client to take what is left of an answer


class Seat:
    """One TCP connection. While it waits for its client it has a deadline and may be closed for another's sake."""

    def __init__(self, seats: Seats, transport: asyncio.Transport) -> None:
        self._seats, self._transport = seats, transport
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._gone = False
        self.address = str((transport.get_extra_info("peername") or ("",))[0])

    def wait(self, seconds: float) -> None:
        """From now on it is the client's turn, for so long."""
        if self._gone:
            return
        self.serve()
        self._seats.waiting.setdefault(self.address, {})[self] = None
        self._timer = self._loop.call_later(seconds, self._late)

    def serve(self) -> None:
        """From now on it is our turn."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        mine = self._seats.waiting.get(self.address, {})
        mine.pop(self, None)
        if not mine:
            self._seats.waiting.pop(self.address, None)

    def leave(self) -> None:
        """The connection is gone."""
        self._gone = True
        self.serve()
        self._seats.taken.discard(self)

    def close(self) -> None:
        """Close when what was written has been sent."""
        self._transport.close()

    def abort(self) -> None:
        """Close now, without a word."""
        self.leave()
        abort(self._transport)

    def _late(self) -> None:
        if self._transport.get_write_buffer_size() and not self._transport.is_closing():
            self.close()
            self._timer = self._loop.call_later(FLUSH_S, self.abort)
        else:
            self.abort()


class Seats:
    """The connections of this process, of all its listeners: at most `limit`, each address's waiting ones by age."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken: set[Seat] = set()
        self.waiting: dict[str, dict[Seat, None]] = {}
        self.stopping = False

    def take(self, transport: asyncio.Transport) -> Seat:
        """A seat for a new connection, which begins by waiting for its client."""
        seat = Seat(self, transport)
        self.taken.add(seat)
        seat.wait(HANDSHAKE_S)
        if self.stopping:
            seat.abort()
        elif len(self.taken) > self.limit:
            most = max(self.waiting, key=lambda address: len(self.waiting[address]))  # of equals, the first to come
            next(iter(self.waiting[most])).abort()
        return seat

    def close_waiting(self) -> None:
        """Stop: close every connection that owes its client no answer."""
        self.stopping = True
        for mine in list(self.waiting.values()):
            for seat in list(mine):
                seat.close()


class SeatedHttp(H11Protocol):
    """HTTP/1.1 with a deadline for each head and body."""

    def __init__(self, seats: Seats, first: bytes = b"", answer: Answer | None = None, **options: Any) -> None:
        """`first`: what was read before there was a transport. `answer`: the door's, for bytes that came later."""
        super().__init__(**options)
        self._seats = seats
        self._first, self._answer = first, answer
        self._turn: tuple[object, str] | None = None
        self.seat: Seat | None = None  # over TLS it is the lower layer's

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if self.seat is None:
            self.seat = self._seats.take(transport)
        super().connection_made(transport)
        self._watch()
        if self._first:
            self._answer = None
            self.data_received(self._first)

    def data_received(self, data: bytes) -> None:
        answer, self._answer = self._answer, None
        said = answer(data, self.client[0] if self.client else "") if answer is not None else None
        if said is None:
            super().data_received(data)
            return
        self.transport.write(said)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.seat is not None and self.scheme == "http":
            self.seat.leave()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        """Tell the seat whose turn it is. Only a change moves the deadline: a byte now and then does not."""
        if self.seat is None or self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            turn, seconds = "head", HEAD_S
        elif self.conn.their_state is h11.SEND_BODY:
            turn, seconds = "body", BODY_S
        else:
            turn, seconds = "answer", 0
        if (self.cycle, turn) != self._turn:
            self._turn = (self.cycle, turn)
            if seconds:
                self.seat.wait(seconds)
            else:
                self.seat.serve()


class SeatedTls(SSLProtocol):
    """TLS under `SeatedHttp`: its seat is taken before the handshake, so that one that never ends counts too."""

    max_size = 32 * 1024  # of the read buffer that each connection holds; the default is 256 KiB

    def __init__(self, seats: Seats, http: SeatedHttp, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        nobody: Any = None  # waits for the handshake: a future that nobody reads would complain of every failed one
        options: dict[str, Any] = {"ssl_handshake_timeout": HANDSHAKE_S, "ssl_shutdown_timeout": FLUSH_S}
        super().__init__(loop, http, context, nobody, True, **options)
        self._seats, self._http = seats, http

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._http.seat = self._seats.take(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._http.seat is not None:
            self._http.seat.leave()
        super().connection_lost(exc)
