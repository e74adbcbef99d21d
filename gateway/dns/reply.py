"""An upstream's answer, read strictly into the few facts that review and cache need, and rendered again: pure.

The additional section is left out: nothing in it is needed by a stub, and without it the hop-by-hop OPT
goes too. Names only ever point backwards, so cutting a message's tail leaves every name whole.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from gateway.dns import wire
from gateway.dns.errors import WireError
from gateway.dns.inside import is_private
from gateway.dns.wire import Query, lower_name, name_text

_MAX_RECORDS = 1000
_MAX_JUMPS = 32
_MAX_NAMES = 100
_MAX_NAME_BYTES = 1 << 15
_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_TTL = struct.Struct("!I")
_ADDRESS_WIDTHS = {b"\xc0\x0c\0\1\0\1": 4, b"\xc0\x0c\0\x1c\0\1": 16}
_ASKED = b"\xc0\x0c"  # a pointer to the question's name

GUEST_TTL_MAX_S = 300
"""The longest that a device may keep a permitted answer, so that a change of policy reaches it soon."""
KEEP_MAX_S = 3600
NEGATIVE_MAX_S = 900
FAILURE_S = 1


class TooManyNamesError(WireError):
    """A message that would take long to read and review, and that nobody sends in good faith (RFC 9267 §2)."""


class Record(NamedTuple):
    """What review looks at in one record: names are lower-case text, addresses 4 or 16 bytes. `owner` None is the name
    that was asked for.
    """

    owner: str | None
    rtype: int
    target: str | None = None
    addresses: tuple[bytes, ...] = ()


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
    found = _read_addresses(packet, start, answers) if not rcode and not authority else None
    if found is None:
        try:
            found = _read_records(packet, start, answers, authority)
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


Found = tuple[int, tuple[Record, ...], tuple[tuple[int, int], ...], int, bool]
"""The position after both sections, the records of the answer section, TTLs of both (see `Reply`), the lifetime (s)
of a negative answer, and whether some TTL is to be another than the message has.
"""


def _with_ttls(body: bytes, ttls: tuple[tuple[int, int], ...]) -> bytes:
    written = bytearray(body)
    for offset, ttl_s in ttls:
        _TTL.pack_into(written, offset, ttl_s)
    return bytes(written)


def _read_addresses(packet: bytes, start: int, answers: int) -> Found | None:
    """An answer section of nothing but A, or nothing but AAAA, records of the name that was asked for, as nearly all
    are; None for any other.
    """
    head = packet[start : start + 6]
    width = _ADDRESS_WIDTHS.get(head)
    if width is None:
        return None
    length = width.to_bytes(2, "big")
    addresses: list[bytes] = []
    ttls: list[tuple[int, int]] = []
    position = start
    for _ in range(answers):
        data = position + 12
        if packet[position : position + 6] != head or packet[data - 2 : data] != length:
            return None
        (ttl_s,) = _TTL.unpack_from(packet, position + 6)
        if ttl_s & 0x80000000:
            return None
        ttls.append((position + 6 - start, ttl_s))
        addresses.append(packet[data : data + width])
        position = data + width
    if position > len(packet):
        return None
    return position, (Record(None, head[3], None, tuple(addresses)),), tuple(ttls), 0, False


def _read_records(packet: bytes, start: int, answers: int, authority: int) -> Found:  # noqa: PLR0912 - one record a turn
    """Both sections, whatever is in them. Raises: WireError."""
    records: list[Record] = []
    ttls: list[tuple[int, int]] = []
    names = _Names()
    position, negative_ttl_s, size, respelt = start, 0, len(packet), False
    for index in range(answers + authority):
        owner: str | None
        if packet[position : position + 2] == _ASKED:  # nearly always
            owner, position = None, position + 2
        else:
            owner, position = _read_name(packet, position, names)
        if position + 10 > size:
            raise WireError("record cut off")
        rtype, rclass, ttl_s, length = _RECORD.unpack_from(packet, position)
        data = position + 10
        end = data + length
        if end > size:
            raise WireError("record data cut off")
        if ttl_s & 0x80000000:  # RFC 2181 §8: a TTL with the top bit set is zero
            ttl_s, respelt = 0, True
        if rtype == wire.OPT:
            raise WireError("OPT outside the additional section")
        if index < answers:
            if rclass != wire.IN:
                raise WireError("a record of another class than the question")
            if (rtype == wire.A and length == 4) or (rtype == wire.AAAA and length == 16):
                records.append(Record(owner, rtype, None, (packet[data:end],)))
            else:
                records.append(_read_record(packet, owner, rtype, data, end, names))
        elif rtype == wire.SOA and length >= 22:
            (minimum_s,) = _TTL.unpack_from(packet, end - 4)
            if minimum_s < ttl_s:  # RFC 2308 §5, also where an alias leads to what does not exist
                ttl_s, respelt = minimum_s, True
            negative_ttl_s = min(ttl_s, NEGATIVE_MAX_S)
        ttls.append((position + 4 - start, ttl_s))
        position = end
    return position, tuple(records), tuple(ttls), negative_ttl_s, respelt


def _read_record(packet: bytes, owner: str | None, rtype: int, data: int, end: int, names: _Names) -> Record:
    if rtype in (wire.A, wire.AAAA):
        raise WireError("an A record is 4 bytes, an AAAA record 16")
    if rtype in (wire.CNAME, wire.DNAME):
        target, after = _read_name(packet, data, names)
        if after != end:
            raise WireError("target name and record differ in length")
        return Record(owner, rtype, target)
    if rtype in (wire.SVCB, wire.HTTPS):
        return _read_service(packet, owner, rtype, data, end, names)
    return Record(owner, rtype)


def _read_service(packet: bytes, owner: str | None, rtype: int, data: int, end: int, names: _Names) -> Record:
    """Target and address hints of SVCB and HTTPS (RFC 9460 §2.2, §7.3)."""
    if data + 3 > end:
        raise WireError("service record cut off")
    target, position = _read_name(packet, data + 2, names)
    addresses: list[bytes] = []
    while position < end:
        if position + 4 > end:
            raise WireError("service parameter cut off")
        key, length = struct.unpack_from("!HH", packet, position)
        value = packet[position + 4 : position + 4 + length]
        position += 4 + length
        width = {4: 4, 6: 16}.get(key)
        if width:
            if length % width or not length:
                raise WireError("address hint of a wrong length")
            addresses.extend(value[at : at + width] for at in range(0, length, width))
    if position != end:
        raise WireError("service parameter longer than its record")
    return Record(owner, rtype, target or None, tuple(addresses))


class _Names:
    """The names of one message by their position, as far as they are worth reading."""

    __slots__ = ("_different", "_size_bytes", "at")

    def __init__(self) -> None:
        self.at: dict[int, str] = {}
        self._different: set[str] = set()
        self._size_bytes = 0

    def add(self, position: int, name: bytes) -> str:
        """The text of an uncompressed wire name. Raises: TooManyNamesError."""
        self._size_bytes += len(name)
        if self._size_bytes > _MAX_NAME_BYTES:
            raise TooManyNamesError(f"more than {_MAX_NAME_BYTES} bytes of names")
        text = self.at[position] = name_text(name)
        self._different.add(text)
        if len(self._different) > _MAX_NAMES:
            raise TooManyNamesError(f"more than {_MAX_NAMES} different names")
        return text


def _read_name(packet: bytes, position: int, names: _Names) -> tuple[str, int]:
    """The name at `position` as lower-case text, and the position after it (RFC 1035 §4.1.4)."""
    start, size = position, len(packet)
    after = 0
    raw = bytearray()
    jumps = 0
    limit = position
    while True:
        if position >= size:
            raise WireError("name cut off")
        length = packet[position]
        if not length:
            break
        if length >= 0xC0:
            if position + 1 >= size:
                raise WireError("pointer cut off")
            target = (length & 0x3F) << 8 | packet[position + 1]
            after = after or position + 2
            jumps += 1
            if target >= limit or target < 12 or jumps > _MAX_JUMPS:
                raise WireError("a name points forwards, into the header, or too often")
            if not raw and (known := names.at.get(target)) is not None:
                return known, after
            position = limit = target
            continue
        if length > 63:
            raise WireError("reserved label")
        raw += packet[position : position + 1 + length]
        if len(raw) > 254 or position + 1 + length > size:
            raise WireError("name too long or cut off")
        position += 1 + length
    return names.add(start, bytes(raw) + b"\0"), after or position + 1


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
