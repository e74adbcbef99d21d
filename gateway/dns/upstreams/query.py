"""What goes out: an unforeseeable ID and spelling, one question, and our own OPT; nothing of the asker's.

No address (RFC 7871 §7.1.2), no cookie, no option of a guest goes along: EDNS is hop by hop (RFC 6891 §6.2.6).
"""

from __future__ import annotations

import os

from gateway.dns import wire
from gateway.dns.upstreams.exchange import Key

_BULK_BYTES = 8192
_LETTERS = bytes(0x20 if 97 <= byte <= 122 else 0 for byte in range(256))
_PAD_TO_BYTES = 128


def _header(cd: bool) -> bytes:
    flags = wire.RD | (wire.CD if cd else 0)
    return flags.to_bytes(2, "big") + b"\0\1\0\0\0\0\0\1"


_HEADERS = (_header(False), _header(True))
_OPTS = (wire.opt_record(0, False), wire.opt_record(0, True))

MAX_QUERY_BYTES = 12 + 255 + 4 + len(_OPTS[0])
"""The longest packet without padding."""


class Randomness:
    """The kernel's random bytes, drawn in bulk."""

    __slots__ = ("_at", "_bytes")

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """`size` bytes that nobody has seen."""
        at = self._at
        end = at + size
        if end > len(self._bytes):
            self._bytes, at, end = os.urandom(_BULK_BYTES), 0, size
        self._at = end
        return self._bytes[at:end]


def respell(question: bytes, noise: bytes) -> bytes:
    """The question with each letter of its (lower-case) name in a case that `noise`, of the same length, decides."""
    size = len(question)
    letters = int.from_bytes(question[:-4].translate(_LETTERS) + b"\0\0\0\0", "big")
    spelling = int.from_bytes(question, "big") ^ (letters & int.from_bytes(noise, "big"))
    return spelling.to_bytes(size, "big")


def query(ident: bytes, asked: bytes, key: Key) -> bytes:
    """A whole query (RFC 1035 §4.1, RFC 6891): the size that we take by UDP is 1232 bytes."""
    _, do, cd = key
    return ident + _HEADERS[cd] + asked + _OPTS[do]


def padded_query(ident: bytes, asked: bytes, key: Key) -> bytes:
    """The same for an encrypted line, padded so that its length tells little of the name (RFC 8467 §4.1)."""
    packet = query(ident, asked, key)
    pad = -(len(packet) + 4) % _PAD_TO_BYTES
    option = b"\0\x0c" + pad.to_bytes(2, "big") + bytes(pad)
    return packet[:-2] + len(option).to_bytes(2, "big") + option


def repeats(packet: bytes, question: bytes) -> bool:
    """Whether a message repeats this (lower-case) question, in whatever spelling (RFC 4343)."""
    end = 8 + len(question)
    return wire.lower_name(packet[12:end]) == question[:-4] and packet[end : end + 4] == question[-4:]
