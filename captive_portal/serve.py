"""Serving ASGI applications: one or more listeners in one process, stopped together and cleanly.

uvicorn's own signal handling is left out: it ends the process by re-raising the signal, before anything beside it could
clean up. No access log: it would be a record of who asked for what.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import uvicorn
from starlette.types import ASGIApp

from captive_portal.door import Answer, Door
from captive_portal.seats import SeatedHttp, SeatedTls, Seats
from gateway.errors import UsageError
from gateway.readiness import say_ready
from gateway.served_certificate import Certificate

BACKLOG = 1024
WORKER_THREADS = 8
MAX_CONNECTIONS = 1000
SPARE_FILES = BACKLOG + 200  # a burst that is accepted before its seats are counted, the database, threads
MAX_HEAD_BYTES = 16 * 1024
IDLE_S = 5
GRACE_S = 3
SWITCH_S = 0.001  # the longest that a page in the making keeps the loop from the next redirect


@dataclass(frozen=True)
class Listener:
    """An application on an address; over TLS when `certificate` and `key` (PEM files) are given.

    `answer` sees the first bytes of plain connections before the application does: see `door`. Renewed files of a
    certificate are shown to new connections within seconds; what can't be used of them changes nothing.
    """

    app: ASGIApp
    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    answer: Answer | None = None


class _Server(uvicorn.Server):
    """A server that leaves signals to `serve`, seats its clients, and shows each the newest certificate."""

    def __init__(
        self, config: uvicorn.Config, seats: Seats, answer: Answer | None, certificate: Certificate | None
    ) -> None:
        super().__init__(config)
        self._seats = seats
        self._answer = answer
        self._certificate = certificate

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self._certificate is not None:
            self._certificate.watch(asyncio.get_running_loop())
        self.servers = [await self._open(bound) for bound in sockets or ()]
        self.started = True

    async def _open(self, bound: socket.socket) -> Any:
        if self._answer is not None and self.config.ssl is None:
            return Door(bound, self._answer, self._protocol)
        return await asyncio.get_running_loop().create_server(self._protocol, sock=bound, backlog=BACKLOG)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._certificate is not None:
            self._certificate.close()
        stopping = asyncio.ensure_future(super().shutdown(sockets))
        await asyncio.sleep(0)  # it has stopped listening and said goodbye over TLS, without waiting for the answer
        self._seats.close_waiting()
        await stopping

    def _protocol(self, first: bytes = b"") -> asyncio.BaseProtocol:
        http = SeatedHttp(
            self._seats,
            first,
            self._answer if self.config.ssl is None else None,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        if self._certificate is None:
            return http
        context = self._certificate.context or self.config.ssl
        assert context is not None  # that it can be read was seen before anything was served
        return SeatedTls(self._seats, http, context)


def serve(listeners: Sequence[Listener], beside: Callable[[], object] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then stop within `GRACE_S` seconds. The exit code: 0, or 1 when a server failed.

    `beside` is called once a second meanwhile, by a thread that answers pages: never where loop or threads are stuck.

    Raises: UsageError when an address can't be listened on or a certificate can't be read; then nothing was served.
    """
    seats = Seats(max(100, min(MAX_CONNECTIONS, _raise_file_limit() - SPARE_FILES)))
    with contextlib.ExitStack() as open_sockets:
        servers = []
        for listener in listeners:
            server = _Server(_config(listener), seats, listener.answer, _certificate(listener))
            servers.append((server, open_sockets.enter_context(contextlib.closing(_listen(listener)))))
        gc.collect()
        gc.freeze()  # else a full collection walks the whole program, and everybody waits for tens of milliseconds
        sys.setswitchinterval(SWITCH_S)
        say_ready()
        return asyncio.run(_run(servers, beside))


async def _run(servers: Sequence[tuple[_Server, socket.socket]], beside: Callable[[], object] | None) -> int:
    anyio.to_thread.current_default_thread_limiter().total_tokens = WORKER_THREADS
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(WORKER_THREADS, "worker"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    tasks = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in servers]
    stop = asyncio.create_task(stopping.wait())
    beating = asyncio.create_task(_each_second(beside)) if beside is not None else None
    await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
    failed = not stopping.is_set()
    stop.cancel()
    if beating is not None:
        beating.cancel()
    for server, _ in servers:
        server.should_exit = True
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return 1 if failed else 0


async def _each_second(work: Callable[[], object]) -> None:
    while True:
        await asyncio.get_running_loop().run_in_executor(None, work)
        await asyncio.sleep(1.0)


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
    return config


def _certificate(listener: Listener) -> Certificate | None:
    if listener.certificate is None or listener.key is None:
        return None
    return Certificate(listener.certificate, listener.key, service=f"HTTPS on {listener.port}", alpn="http/1.1")


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
