"""Header and question of a query, read strictly, and answers of our own written: pure, and never by a library.

Sources: RFC 1035 §4, RFC 6891 (EDNS), RFC 8914 (Extended DNS Errors), RFC 9619 (one question).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from gateway.dns.errors import WireError

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
A, NS, CNAME, SOA, HINFO, TXT, AAAA, DNAME, OPT, SVCB, HTTPS, ANY = 1, 2, 5, 6, 13, 16, 28, 39, 41, 64, 65, 255
IN, CH = 1, 3
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
EDE_STALE, EDE_NOT_READY, EDE_BLOCKED, EDE_PROHIBITED, EDE_NO_AUTHORITY, EDE_NETWORK = 3, 14, 15, 18, 22, 23

MAX_UDP_BYTES = 1232
"""The largest datagram sent or asked for: below it nothing is fragmented on real paths (RFC 9715 §3)."""

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_TYPE_AND_CLASS = struct.Struct("!HH").unpack_from
_PLAIN = frozenset(range(0x21, 0x7F)) - frozenset(b".\\")  # as policies.names writes them
_PLAIN_OR_DOT = bytes(sorted(_PLAIN | {0x2E}))
ONE_QUESTION = struct.pack("!5H", RD, 1, 0, 0, 0)
"""What follows the ID of nearly every query."""
_OWNER = b"\xc0\x0c"
_OPTIONS_MAX = 100
_SOA_NAMES = b"\x0agjestenett\x07invalid\0\x06nobody\x07invalid\0"
_FORBIDDEN_TYPES = frozenset(range(128, 255)) | {0, OPT}


class Query(NamedTuple):
    """One question. `question` is its bytes as asked (name, type, class); `owner` is the name in lower case, as it
    stands on the wire. `udp_bytes` is what the asker can take by UDP; `edns` says whether an OPT came along,
    `has_options` whether anything else did.
    """

    id: int
    flags: int
    question: bytes
    owner: bytes
    qtype: int
    qclass: int
    edns: bool = False
    udp_bytes: int = 512
    do: bool = False
    has_options: bool = False

    @property
    def name(self) -> str:
        """The name as text (`name_text`), made anew at each call."""
        return name_text(self.owner)

    @property
    def lower_question(self) -> bytes:
        """The question with its name in lower case: the key under which upstream answers are shared."""
        return self.owner + self.question[-4:]

    @property
    def is_lower(self) -> bool:
        """Whether no letter of the name is in upper case."""
        return self.question.startswith(self.owner)


class BadQueryError(WireError):
    """A datagram that gets no real answer. `rcode` None means: not even an error (RFC 8906: never answer answers)."""

    def __init__(self, reason: str, rcode: int | None) -> None:
        super().__init__(reason)
        self.rcode = rcode


def lower_name(name: bytes) -> bytes:
    """A wire name in lower case. Length bytes (0–63) are below `A`, so ASCII lowering cannot touch them."""
    return name.lower()


def parse_query(packet: bytes) -> Query:
    """Read a query strictly.

    Raises: BadQueryError, and nothing else, for whatever bytes.
    """
    size = len(packet)
    if size < 12:
        raise BadQueryError("shorter than a header", None)
    ident, flags, questions, answers, authority, additional = _HEADER.unpack_from(packet)
    if packet[2:12] != ONE_QUESTION:
        _check_header(flags, questions, answers, authority)
    end = name_end(packet, 12)
    question = packet[12 : end + 4]
    if len(question) < end - 8:
        raise BadQueryError("question cut off", FORMERR)
    qtype, qclass = _TYPE_AND_CLASS(packet, end)
    owner = packet[12:end].lower()
    if not additional and end + 4 == size:
        return Query(ident, flags, question, owner, qtype, qclass)
    edns, udp_bytes, do, has_options = _read_additional(packet, end + 4, additional)
    return Query(ident, flags, question, owner, qtype, qclass, edns, udp_bytes, do, has_options)


def _check_header(flags: int, questions: int, answers: int, authority: int) -> None:
    if flags & QR:
        raise BadQueryError("an answer, not a query", None)
    if flags & 0x7800:
        raise BadQueryError("opcode is not QUERY", NOTIMP)
    if questions != 1 or answers or authority:
        raise BadQueryError("not exactly one question and no records", FORMERR)
    if flags & TC:
        raise BadQueryError("a truncated query", FORMERR)


def name_end(packet: bytes, start: int) -> int:
    """The position after the uncompressed name at `start`. Raises: BadQueryError."""
    position = start
    try:
        while length := packet[position]:
            if length > 63:
                raise BadQueryError("compression or a reserved label in a question", FORMERR)
            position += length + 1
    except IndexError:
        raise BadQueryError("name cut off", FORMERR) from None
    if position - start > 254:
        raise BadQueryError("name longer than 255 bytes", FORMERR)
    return position + 1


def _read_additional(packet: bytes, position: int, count: int) -> tuple[bool, int, bool, bool]:
    """EDNS present, UDP size, DO, whether options or further records came along (RFC 6891 §6.1)."""
    edns, udp_bytes, do, has_options = False, 512, False, False
    for _ in range(count):
        end = name_end(packet, position)
        if end + 10 > len(packet):
            raise BadQueryError("record cut off", FORMERR)
        rtype, rclass, ttl, length = _RECORD.unpack_from(packet, end)
        data_end = end + 10 + length
        if data_end > len(packet):
            raise BadQueryError("record data cut off", FORMERR)
        if rtype == OPT:
            if edns or end != position + 1:
                raise BadQueryError("two OPT records, or one with a name", FORMERR)
            if (ttl >> 16) & 0xFF:
                raise BadQueryError("EDNS version is not 0", BADVERS)
            _check_options(packet, end + 10, data_end)
            edns, udp_bytes, do = True, max(rclass, 512), bool(ttl & 0x8000)
            has_options = has_options or length > 0
        else:
            has_options = True
        position = data_end
    if position != len(packet):
        raise BadQueryError("bytes after the message", FORMERR)
    return edns, udp_bytes, do, has_options


def _check_options(packet: bytes, position: int, end: int) -> None:
    for _ in range(_OPTIONS_MAX):
        if position >= end:
            break
        if position + 4 > end:
            raise BadQueryError("EDNS option cut off", FORMERR)
        position += 4 + int.from_bytes(packet[position + 2 : position + 4], "big")
    if position != end:
        raise BadQueryError(f"EDNS option longer than its record, or more than {_OPTIONS_MAX} of them", FORMERR)


def name_text(name: bytes) -> str:
    """An uncompressed wire name as lower-case text without the last dot, in the normal form of `policies.names`: dots,
    backslashes and what is not printable ASCII in a label are written `\\DDD`. The root is the empty text.
    """
    labels: list[bytes] = []
    position = 0
    while length := name[position]:
        position += 1
        labels.append(name[position : position + length])
        position += length
    joined = b".".join(labels).lower()
    if joined.count(b".") < len(labels) and not joined.translate(None, _PLAIN_OR_DOT):
        return joined.decode("ascii")
    return ".".join(_escaped(label.lower()) for label in labels)


_TEXTS = tuple(chr(octet) if octet in _PLAIN else f"\\{octet:03d}" for octet in range(256))


def _escaped(label: bytes) -> str:
    return "".join([_TEXTS[octet] for octet in label])


def is_meta_type(qtype: int) -> bool:
    """Types that no forwarder asks for: zone transfers, TSIG and the like (ANY is answered apart)."""
    return qtype in _FORBIDDEN_TYPES


def reply(
    query: Query,
    rcode: int,
    answers: tuple[bytes, ...] = (),
    authority: tuple[bytes, ...] = (),
    ede: tuple[int, str] | None = None,
    aa: bool = False,
) -> bytes:
    """A whole answer of our own: question echoed byte for byte, OPT only if the query had one (RFC 6891 §7)."""
    flags = QR | RA | (query.flags & (RD | CD)) | (AA if aa else 0) | (rcode & 15)
    opt = opt_record(rcode >> 4, query.do, ede) if query.edns else b""
    counts = (1, len(answers), len(authority), 1 if opt else 0)
    return b"".join((_HEADER.pack(query.id, flags, *counts), query.question, *answers, *authority, opt))


def opt_record(extended_rcode: int, do: bool, ede: tuple[int, str] | None = None) -> bytes:
    """Our OPT: size 1232, version 0, with an Extended DNS Error (RFC 8914 §2) when given."""
    data = b""
    if ede is not None:
        text = ede[1].encode("utf-8")[:200]
        data = struct.pack("!HHH", 15, 2 + len(text), ede[0]) + text
    ttl = extended_rcode << 24 | (0x8000 if do else 0)
    return b"\0" + _RECORD.pack(OPT, MAX_UDP_BYTES, ttl, len(data)) + data


_PLAIN_OPTS = opt_record(0, False), opt_record(0, True)


def plain_opt(do: bool) -> bytes:
    """Our OPT that says nothing but our size and DO."""
    return _PLAIN_OPTS[do]


def record(rtype: int, ttl_s: int, data: bytes) -> bytes:
    """A record of class IN whose owner is the question's name."""
    return _OWNER + _RECORD.pack(rtype, IN, ttl_s, len(data)) + data


def text(rclass: int, said: str) -> bytes:
    """A TXT record of one string, for the question's name; TTL 0."""
    data = said.encode("utf-8")[:255]
    return _OWNER + _RECORD.pack(TXT, rclass, 0, len(data) + 1) + bytes((len(data),)) + data


def soa(ttl_s: int) -> bytes:
    """The SOA for answers of our own: it lets a client keep a negative answer for `ttl_s` (RFC 2308 §5)."""
    return record(SOA, ttl_s, _SOA_NAMES + struct.pack("!5I", 1, 3600, 600, 86400, ttl_s))


def error_reply(packet: bytes, rcode: int) -> bytes:
    """The answer to what is no good query: the question repeated where it can be read, else the header only."""
    ident, flags, questions = struct.unpack_from("!3H", packet)
    question = b""
    if questions == 1 and not flags & 0x7800:
        try:
            end = name_end(packet, 12) + 4
        except BadQueryError:
            end = len(packet) + 1
        question = packet[12:end] if end <= len(packet) else b""
    opt = opt_record(rcode >> 4, False) if rcode > 15 else b""
    out_flags = QR | RA | (flags & (0x7800 | RD | CD)) | (rcode & 15)
    return _HEADER.pack(ident, out_flags, 1 if question else 0, 0, 0, 1 if opt else 0) + question + opt


def truncated(query: Query) -> bytes:
    """Nothing but the question and TC: ask again by TCP (RFC 2181 §9)."""
    whole = bytearray(reply(query, NOERROR))
    whole[2] |= TC >> 8
    return bytes(whole)
