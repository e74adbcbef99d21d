"""An upstream's answer: what review and cache need to know of it (`records` reads it), and rendered again. Pure.

The additional section is left out: nothing in it is needed by a stub, and without it the hop-by-hop OPT
goes too. Names only ever point backwards, so cutting a message's tail leaves every name whole.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from gateway.dns import wire
from gateway.dns.errors import WireError
from gateway.dns.inside import is_private
from gateway.dns.records import Record, TooManyNamesError, read_addresses, read_records
from gateway.dns.wire import Query, lower_name

_MAX_RECORDS = 1000
_HEADER = struct.Struct("!6H")
_TTL = struct.Struct("!I")

GUEST_TTL_MAX_S = 300
"""The longest that a device may keep a permitted answer, so that a change of policy reaches it soon."""
KEEP_MAX_S = 3600
FAILURE_S = 1


class Reply(NamedTuple):
    """An upstream's answer without its ID, question and additional section.

    `ttls` holds (offset in `body`, seconds) of each record, `ttl_max_s` the largest; `lifetime_s` is how long the
    whole may be kept (RFC 2308 §5 for negative answers; 0 = not at all). `leads` is whether it has other names than the
    one asked for, `leads_inside` whether an address inside.
    """

    rcode: int
    question: bytes
    answer_count: int
    authority_count: int
    body: bytes
    ttls: tuple[tuple[int, int], ...]
    records: tuple[Record, ...]
    lifetime_s: int
    truncated: bool = False
    ttl_max_s: int = 0xFFFFFFFF
    leads: bool = True
    leads_inside: bool = True

    @property
    def size_bytes(self) -> int:
        """About how much memory this takes."""
        return 700 + len(self.body) + 420 * len(self.ttls)


def parse_reply(packet: bytes) -> Reply:
    """Read an upstream's answer.

    One with more than 100 names to look at is a SERVFAIL. Raises: WireError, and nothing else, for whatever bytes.
    """
    flags, answers, authority, start = _read_head(packet)
    rcode = flags & 15
    question = packet[12:start]
    if flags & wire.TC:
        return Reply(rcode, question, 0, 0, b"", (), (), 0, truncated=True)
    if rcode not in (wire.NOERROR, wire.NXDOMAIN):
        return _failure(rcode, question)
    found = read_addresses(packet, start, answers) if not rcode and not authority else None
    if found is None:
        try:
            found = read_records(packet, start, answers, authority)
        except TooManyNamesError:
            return _failure(wire.SERVFAIL, question)
    end, records, ttls, negative_ttl_s, respelt = found
    largest_s = shortest_s = 0
    if ttls:
        seconds = [ttl_s for _, ttl_s in ttls]
        largest_s, shortest_s = max(seconds), min(seconds)
    is_negative = rcode == wire.NXDOMAIN or not answers
    lifetime_s = negative_ttl_s if is_negative else min(KEEP_MAX_S, shortest_s)
    leads = leads_inside = False
    for record in records:
        leads = leads or record.target is not None or record.owner is not None
        for address in record.addresses:
            leads_inside = leads_inside or is_private(address)
    body = _with_ttls(packet[start:end], ttls) if respelt else packet[start:end]
    return Reply(
        rcode, question, answers, authority, body, ttls, records, lifetime_s, False, largest_s, leads, leads_inside
    )


def _read_head(packet: bytes) -> tuple[int, int, int, int]:
    """Flags, records of the answer and authority sections, and the position after the question. Raises: WireError."""
    if len(packet) < 12:
        raise WireError("shorter than a header")
    _ident, flags, questions, answers, authority, _ = _HEADER.unpack_from(packet)
    if not flags & wire.QR or flags & 0x7800 or questions != 1:
        raise WireError("not an answer to one question")
    if answers + authority > _MAX_RECORDS:
        raise WireError(f"more than {_MAX_RECORDS} records")
    start = wire.name_end(packet, 12) + 4
    if start > len(packet):
        raise WireError("question cut off")
    return flags, answers, authority, start


def _failure(rcode: int, question: bytes) -> Reply:
    """An answer that answers nothing. Records that came along are let go: whoever validated may have found them bogus.
    It is remembered briefly (RFC 9520 §3.2).
    """
    return Reply(rcode, question, 0, 0, b"", (), (), FAILURE_S)


def _with_ttls(body: bytes, ttls: tuple[tuple[int, int], ...]) -> bytes:
    written = bytearray(body)
    for offset, ttl_s in ttls:
        _TTL.pack_into(written, offset, ttl_s)
    return bytes(written)


def matches(reply: Reply, lower_question: bytes) -> bool:
    """Whether an answer is to this question, whatever the case of its name."""
    return lower_name(reply.question[:-4]) + reply.question[-4:] == lower_question


def render(
    query: Query,
    reply: Reply,
    age_s: int,
    limit_bytes: int,
    ttl_max_s: int = GUEST_TTL_MAX_S,
    ede: int | None = None,
) -> bytes:
    """An upstream's answer for this asker: own ID, own spelling, TTLs less `age_s` and at most `ttl_max_s`.

    Longer than `limit_bytes` it becomes an empty answer with TC. AA and AD are off: this is a copy, unvalidated.
    `ede` is the code of an Extended DNS Error to tell (RFC 8914).
    """
    opt = b""
    if query.edns:
        opt = wire.plain_opt(query.do) if ede is None else wire.opt_record(0, query.do, (ede, ""))
    if 12 + len(query.question) + len(reply.body) + len(opt) > limit_bytes:
        return wire.truncated(query)
    flags = wire.QR | wire.RA | (query.flags & (wire.RD | wire.CD)) | reply.rcode
    header = _HEADER.pack(query.id, flags, 1, reply.answer_count, reply.authority_count, 1 if opt else 0)
    if not age_s and reply.ttl_max_s <= ttl_max_s:
        return b"".join((header, query.question, reply.body, opt))
    body = bytearray(reply.body)
    for offset, ttl_s in reply.ttls:
        _TTL.pack_into(body, offset, min(ttl_max_s, max(0, ttl_s - age_s)))
    return b"".join((header, query.question, body, opt))
