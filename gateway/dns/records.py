"""The records of an upstream's answer, read strictly into the few facts that review and cache need. Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

from gateway.dns import wire
from gateway.dns.errors import WireError
from gateway.dns.wire import name_text

_MAX_JUMPS = 32
_MAX_NAMES = 100
_MAX_NAME_BYTES = 1 << 15
_RECORD = struct.Struct("!HHIH")
_TTL = struct.Struct("!I")
_ADDRESS_WIDTHS = {b"\xc0\x0c\0\1\0\1": 4, b"\xc0\x0c\0\x1c\0\1": 16}
_ASKED = b"\xc0\x0c"  # a pointer to the question's name

NEGATIVE_MAX_S = 900
"""The longest that a negative answer is kept."""


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


Found = tuple[int, tuple[Record, ...], tuple[tuple[int, int], ...], int, bool]
"""The position after both sections, the records of the answer section, TTLs of both (see `Reply`), the lifetime (s)
of a negative answer, and whether some TTL is to be another than the message has.
"""


def read_addresses(packet: bytes, start: int, answers: int) -> Found | None:
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


def read_records(packet: bytes, start: int, answers: int, authority: int) -> Found:  # noqa: PLR0912 - one record a turn
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
