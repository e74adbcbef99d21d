"""One question put to upstreams by TCP, one upstream after the other, until one gives an answer that can be passed on.

Asked so when an answer by UDP was truncated or oddly spelt, or when the asker came by TCP (RFC 7766).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gateway.dns import wire
from gateway.dns.config import Address
from gateway.dns.errors import WireError
from gateway.dns.reply import Reply, matches, parse_reply

PASSED_ON = frozenset((wire.NOERROR, wire.NXDOMAIN))
"""Response codes that answer the question; with any other the next upstream is asked."""

Query = Callable[[], tuple[int, bytes]]
"""Makes a fresh query: its ID and its octets."""

_TIMEOUT_S = 3.0


async def first_answer(upstreams: Sequence[Address], question: bytes, query: Query) -> Reply | None:
    """The first reply to `question` (lower case, as on the wire) that can be passed on; else the last failure that
    an upstream gave; None when none answered. All upstreams together get 3 s.
    """
    failure: Reply | None = None
    for upstream in upstreams:
        try:
            async with asyncio.timeout(_TIMEOUT_S / len(upstreams)):
                reply = await _exchange(upstream, question, query)
        except (OSError, EOFError, TimeoutError, WireError):
            continue
        if reply.rcode in PASSED_ON:
            return reply
        failure = reply
    return failure


async def _exchange(upstream: Address, question: bytes, query: Query) -> Reply:
    reader, writer = await asyncio.open_connection(*upstream)
    try:
        ident, packet = query()
        writer.write(len(packet).to_bytes(2, "big") + packet)
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            answer = await reader.readexactly(size)
            if size < 12 or int.from_bytes(answer[:2], "big") != ident:
                continue
            reply = parse_reply(answer)
            if matches(reply, question) and not reply.truncated:
                return reply
    finally:
        writer.close()
