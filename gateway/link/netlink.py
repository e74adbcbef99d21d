"""Raw netlink: frame requests, read answers, walk attributes, with nothing but a socket.

pyroute2 was measured first: importing its route socket costs 21 MB and 105 ms in each process, and the portal asks
once per request. What we need of netlink is a dozen constants.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from types import TracebackType

from gateway.errors import GatewayError

NLM_F_REQUEST = 0x01
NLM_F_ACK = 0x04
NLM_F_DUMP = 0x300

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLM_F_DUMP_INTR = 0x10
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_TYPE_MASK = 0x3FFF  # without the NESTED and NET_BYTEORDER bits
_RECEIVE_SIZE_BYTES = 1 << 18
_DUMP_TRIES = 5


class NetlinkError(GatewayError):
    """The kernel refused a netlink request; `errno` says why."""

    def __init__(self, errno: int) -> None:
        super().__init__(f"the kernel refused a netlink request: {os.strerror(errno)}")
        self.errno = errno


class DumpInterruptedError(GatewayError):
    """A table changed each time it was being read; try again."""


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded to four bytes. Set bit 0x8000 in `kind` for a nested one."""
    size = _ATTRIBUTE.size + len(payload)
    return _ATTRIBUTE.pack(size, kind) + payload + bytes(-size % 4)


def attributes(data: bytes) -> dict[int, bytes]:
    """Attributes by type, flags removed; of repeated types the last. Stops at the first malformed one."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, offset)
        if size < _ATTRIBUTE.size or offset + size > len(data):
            break
        found[kind & _TYPE_MASK] = data[offset + _ATTRIBUTE.size : offset + size]
        offset += (size + 3) & ~3
    return found


class Netlink:
    """One netlink socket of one protocol (`socket.NETLINK_ROUTE`, 12 for netfilter). Not for several threads."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))
        self._socket.settimeout(5.0)
        self._sequence = 0

    def __enter__(self) -> Netlink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def ask(self, kind: int, body: bytes) -> bytes:
        """Send one request and return the body of its answer.

        Raises: NetlinkError when the kernel says no (`errno` ENOENT, ENETUNREACH, …).
        """
        self._send(kind, NLM_F_REQUEST, body)
        for _, payload in self._receive():
            return payload
        return b""

    def tell(self, kind: int, body: bytes) -> None:
        """Send one order and wait until the kernel has carried it out.

        Raises: NetlinkError when the kernel says no.
        """
        self._send(kind, NLM_F_REQUEST | NLM_F_ACK, body)
        for _ in self._receive():
            pass

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """The bodies of all entries of a kernel table; read again when it changed meanwhile.

        Raises: NetlinkError; DumpInterruptedError when it kept changing.
        """
        for _ in range(_DUMP_TRIES):
            self._send(kind, NLM_F_REQUEST | NLM_F_DUMP, body)
            flags = 0
            bodies = []
            for message_flags, payload in self._receive(dump=True):
                flags |= message_flags
                bodies.append(payload)
            if not flags & _NLM_F_DUMP_INTR:
                return bodies
        raise DumpInterruptedError("a kernel table kept changing while it was read; try again")

    def _send(self, kind: int, flags: int, body: bytes) -> None:
        self._sequence += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0) + body)

    def _receive(self, *, dump: bool = False) -> Iterator[tuple[int, bytes]]:
        while True:
            data = self._socket.recv(_RECEIVE_SIZE_BYTES)
            offset = 0
            while offset + _HEADER.size <= len(data):
                size, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
                payload = data[offset + _HEADER.size : offset + size]
                offset += (size + 3) & ~3
                if sequence != self._sequence:
                    continue  # a late answer to a request that was given up
                if kind == _NLMSG_DONE:
                    if flags & _NLM_F_DUMP_INTR:
                        yield flags, b""
                    return
                if kind == _NLMSG_ERROR:
                    errno = -struct.unpack_from("=i", payload)[0]
                    if errno:
                        raise NetlinkError(errno)
                    return
                yield flags, payload
