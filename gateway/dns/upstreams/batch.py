"""Many datagrams a system call on a connected socket: sendmmsg and recvmmsg through ctypes, else one by one.

Beside `gateway.dns.mmsg`, which is for a socket with many peers: here the peer is fixed and the errors matter, since on
a connected socket they tell that nobody listens (ICMP).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from array import array
from ctypes import addressof, c_char, c_size_t, sizeof

from gateway.dns.libc import IoVec, MMsgHdr, batch_calls
from gateway.dns.upstreams.query import MAX_QUERY_BYTES

OUT_COUNT = 32
IN_COUNT = 32
IN_BYTES = 1536
"""A longer datagram than we asked for (1232) is cut here, and counts as truncated."""

_OUT_BYTES = (MAX_QUERY_BYTES + 15) // 16 * 16
_STARTS = range(0, IN_COUNT * IN_BYTES, IN_BYTES)
_FULL = frozenset((errno.EAGAIN, errno.ENOBUFS, errno.EINTR))
_STEP = sizeof(MMsgHdr)


class PlainBatch:
    """Both directions by one call a datagram."""

    def __init__(self) -> None:
        self._packets: list[bytes] = []

    def put(self, packet: bytes) -> bool:
        """Keep a packet for `send`. Returns whether the batch is full now."""
        self._packets.append(packet)
        return len(self._packets) == OUT_COUNT

    def send(self, udp: socket.socket) -> int:
        """Send what was put; what does not fit the socket's buffer is lost, as on any wire. Returns how many were sent.

        Raises: OSError when nobody can be reached; what was put is gone.
        """
        packets, self._packets = self._packets, []
        for sent, packet in enumerate(packets):
            try:
                try:
                    udp.send(packet)
                except BlockingIOError:
                    raise
                except OSError:  # perhaps of an earlier one (ICMP): the kernel has now told it, and sends the next time
                    udp.send(packet)
            except BlockingIOError:
                return sent
        return len(packets)

    def receive(self, udp: socket.socket) -> list[bytes]:
        """What is waiting, without waiting for more, each at most `IN_BYTES` long.

        Raises: OSError when nobody can be reached.
        """
        packets: list[bytes] = []
        try:
            while len(packets) < IN_COUNT:
                packets.append(udp.recv(IN_BYTES))
        except BlockingIOError:
            pass
        except OSError:
            if not packets:
                raise
        return packets


class Batch(PlainBatch):
    """Both directions by one call for many.

    Raises: OSError when the C library lacks the calls.
    """

    def __init__(self) -> None:
        super().__init__()
        libc = batch_calls()
        if libc is None or sizeof(c_size_t) != 8:
            raise OSError("no recvmmsg here")
        self._sendmmsg, self._recvmmsg = libc.sendmmsg, libc.recvmmsg
        self._out = bytearray(OUT_COUNT * _OUT_BYTES)
        self._in = bytearray(IN_COUNT * IN_BYTES)
        self._pins: list[object] = []
        self._out_at, self._out_lengths, _ = self._headers(self._out, OUT_COUNT, _OUT_BYTES)
        self._in_at, _, self._in_words = self._headers(self._in, IN_COUNT, IN_BYTES)
        self._in_view = memoryview(self._in)

    def _headers(self, data: bytearray, count: int, size: int) -> tuple[int, memoryview, memoryview]:
        """The address of `count` message headers over `data`; the vectors as 8-byte words, the headers as 4-byte."""
        headers, vectors = (MMsgHdr * count)(), (IoVec * count)()
        held = (c_char * len(data)).from_buffer(data)
        for index, (header, vector) in enumerate(zip(headers, vectors, strict=True)):
            vector.base, vector.len = addressof(held) + index * size, size
            header.hdr.iov, header.hdr.iovlen = addressof(vectors) + index * sizeof(IoVec), 1
        self._pins += [headers, vectors, held]
        return addressof(headers), memoryview(vectors).cast("B").cast("Q"), memoryview(headers).cast("B").cast("I")

    def send(self, udp: socket.socket) -> int:
        """As `PlainBatch.send`."""
        packets, self._packets = self._packets, []
        count, sent, told = len(packets), 0, False
        self._out[: count * _OUT_BYTES] = b"".join([packet.ljust(_OUT_BYTES, b"\0") for packet in packets])
        self._out_lengths[1 : 2 * count : 2] = memoryview(array("Q", map(len, packets)))
        while sent < count:
            done: int = self._sendmmsg(udp.fileno(), self._out_at + sent * _STEP, count - sent, socket.MSG_DONTWAIT)
            if done <= 0:
                number = ctypes.get_errno()
                if number in _FULL:
                    break
                if not told:  # perhaps of an earlier one, as in `PlainBatch.send`
                    told = True
                    continue
                raise OSError(number, os.strerror(number))
            sent += done
        return sent

    def receive(self, udp: socket.socket) -> list[bytes]:
        """As `PlainBatch.receive`."""
        count: int = self._recvmmsg(udp.fileno(), self._in_at, IN_COUNT, socket.MSG_DONTWAIT, None)
        if count <= 0:
            number = ctypes.get_errno()
            if number in _FULL:
                return []
            raise OSError(number, os.strerror(number))
        lengths = self._in_words[_STEP // 4 - 2 : count * _STEP // 4 : _STEP // 4].tolist()
        view = self._in_view
        return [view[start : start + length].tobytes() for start, length in zip(_STARTS, lengths, strict=False)]


def open_batch() -> PlainBatch:
    """The fastest kind that this machine has."""
    try:
        return Batch()
    except OSError:
        return PlainBatch()
