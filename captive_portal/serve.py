"""Serving ASGI applications: one or more listeners in one process, stopped together and cleanly.

uvicorn's own signal handling is left out: it ends the process by re-raising the signal, before anything beside it could
clean up. No access log: it would be a record of who asked for what.

A guest needs no permission to open connections and say nothing. Each is a seat: it has a deadline whenever we wait for
the client, and when the seats run out, the client that holds most of them loses the one that has waited longest.
Nobody is ever answered "too many connections".
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.errors import UsageError

BACKLOG = 1024
WORKER_THREADS = 8
MAX_CONNECTIONS = 1000
SPARE_FILES = BACKLOG + 200  # a burst that is accepted before its seats are counted, the database, threads
MAX_HEAD_BYTES = 16 * 1024
IDLE_S = 5
HANDSHAKE_S = HEAD_S = BODY_S = 10
FLUSH_S = 30  # for a slow client to take what is left of an answer
GRACE_S = 3


@dataclass(frozen=True)
class Listener:
    """An application on an address; over TLS when `certificate` and `key` (PEM files) are given."""

    app: ASGIApp
    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


class _Seat:
    """One TCP connection. While it waits for its client it has a deadline and may be closed for another's sake."""

    def __init__(self, seats: _Seats, transport: asyncio.Transport) -> None:
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
        self._transport.abort()

    def _late(self) -> None:
        if self._transport.get_write_buffer_size() and not self._transport.is_closing():
            self.close()
            self._timer = self._loop.call_later(FLUSH_S, self.abort)
        else:
            self.abort()


class _Seats:
    """The connections of this process, of all its listeners: at most `limit`, each address's waiting ones by age."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken: set[_Seat] = set()
        self.waiting: dict[str, dict[_Seat, None]] = {}
        self.stopping = False

    def take(self, transport: asyncio.Transport) -> _Seat:
        """A seat for a new connection, which begins by waiting for its client."""
        seat = _Seat(self, transport)
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


class _Http(H11Protocol):
    """HTTP/1.1 with a deadline for each head and body."""

    def __init__(self, seats: _Seats, **options: Any) -> None:
        super().__init__(**options)
        self._seats = seats
        self._turn: tuple[object, str] | None = None
        self.seat: _Seat | None = None  # over TLS it is the lower layer's

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if self.seat is None:
            self.seat = self._seats.take(transport)
        super().connection_made(transport)
        self._watch()

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


class _Tls(SSLProtocol):
    """TLS under `_Http`: its seat is taken before the handshake, so that one that never ends counts too."""

    max_size = 32 * 1024  # of the read buffer that each connection holds; the default is 256 KiB

    def __init__(self, seats: _Seats, http: _Http, context: ssl.SSLContext) -> None:
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


class _Server(uvicorn.Server):
    """A server that leaves signals to `serve` and seats its clients."""

    def __init__(self, config: uvicorn.Config, seats: _Seats) -> None:
        super().__init__(config)
        self._seats = seats

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(self._protocol, sock=bound, backlog=BACKLOG) for bound in sockets or ()
        ]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        stopping = asyncio.ensure_future(super().shutdown(sockets))
        await asyncio.sleep(0)  # it has stopped listening and said goodbye over TLS, without waiting for the answer
        self._seats.close_waiting()
        await stopping

    def _protocol(self) -> asyncio.BaseProtocol:
        http = _Http(self._seats, config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return http if self.config.ssl is None else _Tls(self._seats, http, self.config.ssl)


def serve(listeners: Sequence[Listener]) -> int:
    """Serve until SIGTERM or SIGINT, then stop within `GRACE_S` seconds. The exit code: 0, or 1 when a server failed.

    Raises: UsageError when an address can't be listened on or a certificate can't be read; then nothing was served.
    """
    seats = _Seats(max(100, min(MAX_CONNECTIONS, _raise_file_limit() - SPARE_FILES)))
    with contextlib.ExitStack() as open_sockets:
        servers = [
            (_Server(_config(listener), seats), open_sockets.enter_context(contextlib.closing(_listen(listener))))
            for listener in listeners
        ]
        return asyncio.run(_run(servers))


async def _run(servers: Sequence[tuple[_Server, socket.socket]]) -> int:
    anyio.to_thread.current_default_thread_limiter().total_tokens = WORKER_THREADS
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    tasks = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in servers]
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
    failed = not stopping.is_set()
    stop.cancel()
    for server, _ in servers:
        server.should_exit = True
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return 1 if failed else 0


def _config(listener: Listener) -> uvicorn.Config:
    config = uvicorn.Config(
        listener.app,
        loop="asyncio",
        http="h11",  # httptools has no bound on the size of a request's head
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,  # X-Forwarded-For is whatever a client writes
        server_header=False,
        access_log=False,
        log_level="warning",
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=listener.certificate,
        ssl_keyfile=listener.key,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"the certificate {listener.certificate} can't be used: {error}; check it and its key"
        ) from error
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return config


def _raise_file_limit() -> int:
    """Let this process open as many files as it may; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 20


def _listen(listener: Listener) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listener.host, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # "::" serves IPv4 as well
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            bound.bind(address)
            bound.listen(BACKLOG)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise UsageError(
            f"can't listen on {listener.host} port {listener.port}: {error.strerror}; choose another in the settings"
        ) from error
    return bound
