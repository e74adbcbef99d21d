"""Questions by DoH: one POST each, by the HTTP library, over connections that it keeps (RFC 8484).

It connects to the configured address and checks the certificate against the configured name, which goes out as SNI and
Host too; so nothing has to be looked up. With the extra `doh` installed it speaks HTTP/2, else HTTP/1.1.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any

import httpx

from gateway.dns.upstreams.exchange import Events, Exchange, Line
from gateway.dns.upstreams.query import padded_query, repeats
from gateway.dns.upstreams.upstream import Upstream

_TYPE = "application/dns-message"
_TIMEOUT_S = 4.0
_CONNECTIONS_MAX = 16
_REPLY_MAX_BYTES = 65535
_NO_ID = b"\0\0"


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
        self._client = self._new_client()

    def _new_client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=_CONNECTIONS_MAX, max_keepalive_connections=_CONNECTIONS_MAX)
        http2 = find_spec("h2") is not None
        return httpx.AsyncClient(verify=self._context, http2=http2, trust_env=False, timeout=_TIMEOUT_S, limits=limits)

    def send(self, exchange: Exchange) -> None:
        """Ask, unless this question is with the server already."""
        if any(line.upstream is self._upstream for line, _ in exchange.sent):
            return
        line = Line(self._upstream)
        exchange.wait_on(line, _NO_ID)
        health = self._upstream.health
        health.sent += 1
        health.by_stream += 1
        self._start(self._ask(exchange, line))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def flush(self) -> None:
        """Nothing is held back here."""

    def reset(self) -> None:
        """Begin anew on connections of their own: the kept ones may lead nowhere by now."""
        old, self._client = self._client, self._new_client()
        self._start(old.aclose())

    def close(self) -> None:
        """End what is under way, and the connections on the loop's next turns."""
        for task in self._tasks:
            task.cancel()
        self._start(self._client.aclose())

    async def _ask(self, exchange: Exchange, line: Line) -> None:
        begun_s = self._loop.time()
        kind, why = "reset", ""
        try:
            packet = await self._post(padded_query(_NO_ID, exchange.asked, exchange.key))
        except httpx.TimeoutException:
            kind = "timeout"
        except httpx.HTTPError as problem:
            if isinstance(problem, httpx.ConnectError):
                certificate = "certificate" in str(problem).lower()
                kind, why = ("certificate" if certificate else "refused"), str(problem)
        else:
            self._take(exchange, line, packet, self._loop.time() - begun_s)
            return
        self._upstream.health.failures[kind] += 1
        if why:
            self._events.broken(self._upstream, why)
        if line.pending:
            exchange.leave(line)
            self._events.failed(exchange, self._upstream, kind)

    async def _post(self, body: bytes) -> bytes:
        """The body of the answer. Raises: httpx.HTTPError."""
        extensions = {"sni_hostname": self._upstream.address.name}
        async with self._client.stream(
            "POST", self._url, content=body, headers=self._headers, extensions=extensions
        ) as response:
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
        if not line.pending:  # answered by another
            self._events.heard(self._upstream, 1, rtt_s)
        elif not repeats(packet, exchange.key[0]):
            self._events.near_miss(exchange, line, packet)
            exchange.leave(line)
            self._events.failed(exchange, self._upstream, "mismatched")
        elif self._events.replied(exchange, line, packet):
            self._events.heard(self._upstream, 1, rtt_s)
        elif line.pending:
            exchange.leave(line)
            self._events.failed(exchange, self._upstream, "malformed")
