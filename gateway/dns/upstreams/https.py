"""Questions by DoH: one POST each, by the HTTP library, over connections that it keeps (RFC 8484).

It connects to the configured address and checks the certificate against the configured name, which goes out as SNI and
Host too; so nothing has to be looked up. With the extra `doh` installed it speaks HTTP/2, else HTTP/1.1.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any

import httpx

from gateway.dns.upstreams.exchange import SHORT, Events, Exchange, Line, is_shortage
from gateway.dns.upstreams.query import padded_query, repeats
from gateway.dns.upstreams.upstream import Upstream

_TYPE = "application/dns-message"
_TIMEOUT_S = 4.0
_CONNECTIONS_MAX = 16
_REPLY_MAX_BYTES = 65535
_NO_ID = b"\0\0"
_LOGGERS = ("httpx", "httpcore")


class Post(Line):
    """One question by one request. Who waits for it no longer ends the request: over HTTP/1.1 it holds a connection."""

    __slots__ = ("_is_abandoned", "_is_connecting", "task")
    is_single = True

    def __init__(self, upstream: Upstream) -> None:
        super().__init__(upstream)
        self.task: asyncio.Task[None] | None = None
        self._is_connecting = self._is_abandoned = False

    def abandon(self) -> None:
        """End the request, unless its answer is here; one that is connecting, as soon as it has connected."""
        self._is_abandoned = True
        if self.task is not None and not self._is_connecting:
            self.task.cancel()

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """What the library is doing. Ended between these two it would leave its socket to the garbage collector."""
        if event == "connection.connect_tcp.started":
            self._is_connecting = True
        elif self._is_connecting and event.endswith(".send_request_headers.started"):
            self._is_connecting = False
            if self._is_abandoned:
                self.abandon()


class HttpsLines:
    """One HTTP client for one server. Each question under way is a line of its own, since HTTP tells answers apart."""

    def __init__(
        self, upstream: Upstream, loop: asyncio.AbstractEventLoop, events: Events, context: ssl.SSLContext
    ) -> None:
        self._upstream = upstream
        self._loop = loop
        self._events = events
        self._tasks: set[asyncio.Task[None]] = set()
        address = upstream.address
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._url = f"https://{host}:{address.port}{address.path}"
        port = "" if address.port == 443 else f":{address.port}"
        self._headers = {
            "Host": address.name + port,
            "Content-Type": _TYPE,
            "Accept": _TYPE,
            "User-Agent": "gjestenett",
        }
        self._context = context
        self._http2 = find_spec("h2") is not None
        upstream.narrow = min(upstream.limit, _CONNECTIONS_MAX)
        for name in _LOGGERS:  # else each question is a line of its own
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = self._new_client(_CONNECTIONS_MAX)
        self._probing = self._new_client(1)  # a probe must not wait for a connection that slow names hold

    def _new_client(self, connections: int) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        return httpx.AsyncClient(
            verify=self._context, http2=self._http2, trust_env=False, timeout=_TIMEOUT_S, limits=limits
        )

    def send(self, exchange: Exchange) -> None:
        """Ask, unless this question is with the server already."""
        if any(line.upstream is self._upstream for line, _ in exchange.sent):
            return
        line = Post(self._upstream)
        exchange.wait_on(line, _NO_ID)
        health = self._upstream.health
        health.sent += 1
        health.by_stream += 1
        client = self._probing if exchange is self._upstream.probe else self._client
        line.task = self._start(self._ask(client, exchange, line))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def flush(self) -> None:
        """Nothing is held back here."""

    def reset(self) -> None:
        """Begin anew on connections of their own: the kept ones may lead nowhere by now."""
        for old in (self._client, self._probing):
            self._start(old.aclose())
        self._client, self._probing = self._new_client(_CONNECTIONS_MAX), self._new_client(1)

    def close(self) -> None:
        """End what is under way, and the connections on the loop's next turns."""
        for task in self._tasks:
            task.cancel()
        for client in (self._client, self._probing):
            self._start(client.aclose())

    async def _ask(self, client: httpx.AsyncClient, exchange: Exchange, line: Post) -> None:
        begun_s = self._loop.time()
        kind, why = "reset", ""
        try:
            packet = await self._post(client, line, padded_query(_NO_ID, exchange.asked, exchange.key))
        except httpx.TimeoutException:
            kind = "timeout"
        except httpx.HTTPError as problem:
            if is_shortage(problem):
                kind = SHORT
            elif isinstance(problem, httpx.ConnectError):
                certificate = "certificate" in str(problem).lower()
                kind, why = ("certificate" if certificate else "refused"), str(problem)
        else:
            line.task = None
            try:
                self._take(exchange, line, packet, self._loop.time() - begun_s)
            except Exception as fault:
                self._events.fault(exchange, fault)
            return
        line.task = None
        if kind is not SHORT:
            self._upstream.health.failures[kind] += 1
        if why:
            self._events.broken(self._upstream, why)
        if line.pending:
            exchange.leave(line)
            self._events.failed(exchange, self._upstream, kind)

    async def _post(self, client: httpx.AsyncClient, line: Post, body: bytes) -> bytes:
        """The body of the answer. Raises: httpx.HTTPError."""
        extensions = {"sni_hostname": self._upstream.address.name, "trace": line.trace}
        async with client.stream(
            "POST", self._url, content=body, headers=self._headers, extensions=extensions
        ) as response:
            if response.http_version == "HTTP/2":  # any number shares a connection
                self._upstream.narrow = self._upstream.limit
            response.raise_for_status()
            if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _TYPE:
                raise httpx.DecodingError("not a DNS message")
            packet = bytearray()
            async for part in response.aiter_bytes():
                packet += part
                if len(packet) > _REPLY_MAX_BYTES:
                    raise httpx.DecodingError("longer than a DNS message can be")
            return bytes(packet)

    def _take(self, exchange: Exchange, line: Line, packet: bytes, rtt_s: float) -> None:
        if not repeats(packet, exchange.key[0]):
            self._events.near_miss(exchange, line, packet)
            exchange.leave(line)
            self._events.failed(exchange, self._upstream, "mismatched")
        elif self._events.replied(exchange, line, packet):
            self._events.heard(self._upstream, 1, rtt_s)
        elif line.pending:
            exchange.leave(line)
            self._events.failed(exchange, self._upstream, "malformed")
