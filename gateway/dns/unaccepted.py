"""What a device that has not accepted is answered: addresses, and as little else as an answer can hold. Pure.

Everything is written anew, so that nothing of an upstream's answer gets through but its outcome, a few addresses and
short HTTPS records: aliases, spare records and an SOA could carry a tunnel's messages down.
"""

from __future__ import annotations

import struct

from gateway.dns import wire
from gateway.dns.reply import Reply
from gateway.dns.wire import Query
from policies.names import parents
from policies.never_blocked import NEVER_BLOCKED

DEVICE_MARK = 0x8000_0000
"""Set in the mark of a question from a device that has not accepted; the rest tells such devices apart."""

OPEN_TYPES = frozenset((wire.A, wire.AAAA, wire.HTTPS))
NAME_BYTES_MAX = 100
ADDRESSES_MAX = 8
HTTPS_BYTES_MAX = 160
TTL_MAX_S = 10

_EXEMPT = frozenset(
    name for name, kind in NEVER_BLOCKED.items() if kind in ("connectivity", "certificate_status", "time")
)


def is_exempt(name: str) -> bool:
    """Whether a device needs `name` to find the login window, or to trust it: such names are not counted."""
    return not _EXEMPT.isdisjoint(parents(name))


def refusal(query: Query, text: str) -> bytes:
    """REFUSED at once, with the reason (RFC 8914 §4.19); silence would keep a phone waiting."""
    return wire.reply(query, wire.REFUSED, ede=(wire.EDE_PROHIBITED, text))


def objection(query: Query) -> str | None:
    """Why `query` may not be asked before acceptance, as far as it can be seen from itself."""
    if query.qtype not in OPEN_TYPES:
        return "not accepted"
    if len(query.question) - 6 > NAME_BYTES_MAX:  # without type and class, the first length byte and the root's
        return "name too long before acceptance"
    return None


def render(query: Query, reply: Reply, age_s: int) -> bytes:
    """The answer to `query` (of `OPEN_TYPES`) from an upstream's answer of `age_s` seconds.

    At most `ADDRESSES_MAX` addresses of the name, whatever aliases led to them, or HTTPS records (RFC 9460) of at most
    `HTTPS_BYTES_MAX` together, all with one TTL. It always fits 512 bytes, and ends within seconds, so that what a
    device learns before acceptance does not outlast it for long.
    """
    if reply.truncated:
        return wire.truncated(query)
    ttl_s = max(0, min(TTL_MAX_S, reply.lifetime_s - age_s))
    rcode = reply.rcode if reply.rcode in (wire.NOERROR, wire.NXDOMAIN) else wire.SERVFAIL
    found = _https(reply) if query.qtype == wire.HTTPS else _addresses(query, reply)
    if rcode == wire.NOERROR and found:
        return wire.reply(query, rcode, tuple(wire.record(query.qtype, ttl_s, data) for data in found))
    return wire.reply(query, rcode, authority=() if rcode == wire.SERVFAIL else (wire.soa(ttl_s),))


def _addresses(query: Query, reply: Reply) -> list[bytes]:
    owners = {None, query.name} | {each.target for each in reply.records if each.rtype == wire.CNAME}
    found = [
        address
        for each in reply.records
        if each.rtype == query.qtype and each.owner in owners
        for address in each.addresses
    ]
    return found[:ADDRESSES_MAX]


def _https(reply: Reply) -> list[bytes]:
    """The data of the answer section's HTTPS records while they are few; their names are whole (RFC 9460 §2.2)."""
    found: list[bytes] = []
    room_bytes = HTTPS_BYTES_MAX
    for ttl_at, _ in reply.ttls[: reply.answer_count]:
        rtype, rclass, _, size = struct.unpack_from("!HHIH", reply.body, ttl_at - 4)
        data = reply.body[ttl_at + 6 : ttl_at + 6 + size]
        if rtype == wire.HTTPS and rclass == wire.IN and size <= room_bytes and not _is_compressed(data):
            found.append(data)
            room_bytes -= size
    return found


def _is_compressed(data: bytes) -> bool:
    position = 2
    while length := data[position]:
        if length > 63:
            return True
        position += length + 1
    return False
