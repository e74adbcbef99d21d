"""The answer that sends an asker to another host: an alias of our own, then that host's addresses. Pure."""

from __future__ import annotations

import struct

from gateway.dns import wire
from gateway.dns.reply import GUEST_TTL_MAX_S, Reply
from gateway.dns.wire import Query
from policies.names import to_wire

_CNAME_HEAD_BYTES = 12  # pointer to the question, type, class, TTL and length


def question_for(host: str, query: Query) -> bytes:
    """The question (name, type, class) for `host` that has the type and class of `query`."""
    return to_wire(host) + query.question[-4:]


def without_addresses(query: Query, host: str, ttl_s: int) -> bytes:
    """The alias alone: the answer for types other than A and AAAA, of which the safe host is held to have none.

    So an HTTPS record of the original, with address hints past the alias, is never seen (RFC 9460 §7.3).
    """
    answers = (wire.record(wire.CNAME, ttl_s, to_wire(host)),)
    authority = () if query.qtype == wire.CNAME else (_target_soa(query, ttl_s),)
    return wire.reply(query, wire.NOERROR, answers, authority)


def render(query: Query, host: str, reply: Reply, age_s: int, ttl_max_s: int, limit_bytes: int) -> bytes:
    """The alias and the addresses in `reply`, an upstream's answer `age_s` old to `question_for(host, query)`.

    Aliases on the way from `host` are left out, so all the addresses stand under `host` itself (RFC 1034 §3.6.2).
    """
    if reply.truncated:
        return wire.truncated(query)
    ttl_s = max(0, min(GUEST_TTL_MAX_S, ttl_max_s, reply.lifetime_s - age_s))
    records = [wire.record(wire.CNAME, ttl_s, to_wire(host))]
    for record in reply.records:
        if record.rtype == query.qtype:
            found = (wire.record(query.qtype, ttl_s, address) for address in record.addresses)
            records += [_under_target(query, each) for each in found]
    authority = () if len(records) > 1 else (_target_soa(query, ttl_s),)
    answer = wire.reply(query, reply.rcode, tuple(records), authority)
    return answer if len(answer) <= limit_bytes else wire.truncated(query)


def _under_target(query: Query, record: bytes) -> bytes:
    """A record of the question's name as one of the alias's target, which the first record holds in full."""
    return struct.pack("!H", 0xC000 | 12 + len(query.question) + _CNAME_HEAD_BYTES) + record[2:]


def _target_soa(query: Query, ttl_s: int) -> bytes:
    return _under_target(query, wire.soa(min(ttl_s, 10)))
