"""Up to 64 datagrams a system call, each with its sender and its kernel mark, in buffers made once.

`BatchSocket` uses recvmmsg/sendmmsg through ctypes; `PlainSocket` fills the same buffers with recvmsg/sendto
where the C library has no such calls. The hot path reads the buffers directly: message `i` lies at
`i * SLOT_BYTES` of `incoming`, its sender at `i * NAME_BYTES` of `names`. The answer in slot `k` of `outgoing`
(at `k * OUT_BYTES`, its length in `out_lengths[2 * k + 1]`) goes to the sender of message `k`, or of message `i`
after `direct(k, i)`.
"""

from __future__ import annotations

import socket
import struct
import sys
from ctypes import addressof, c_char, c_void_p, sizeof

from gateway.dns.libc import IoVec, MMsgHdr, MsgHdr, batch_calls

BATCH = 64
SLOT_BYTES = 512
OUT_BYTES = 1232
NAME_BYTES = 28
_CONTROL_BYTES = 32
SO_RCVMARK = 75
_SO_MARK = 36
_MSG_DONTWAIT = 0x40
_MSG_TRUNC = 0x20


_STEP = sizeof(MMsgHdr)
_LENGTH_STEP = _STEP // 4
_LENGTH_AT = MMsgHdr.len.offset // 4
_FLAGS_AT = MsgHdr.flags.offset // 4
_MARK_STEP = _CONTROL_BYTES // 4
_MARK_AT = 4  # after cmsg_len (8 bytes), cmsg_level and cmsg_type (4 each) on a 64-bit machine


def enable_marks(udp: socket.socket) -> bool:
    """Ask the kernel to put each datagram's mark beside it; False where it cannot (before Linux 5.19)."""
    try:
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVMARK, 1)
    except OSError:
        return False
    return True


class _Buffers:
    """What both kinds of socket share: the buffers, and single answers sent later."""

    def __init__(self, udp: socket.socket) -> None:
        self.socket = udp
        self.is_ipv4 = udp.family == socket.AF_INET
        self.name_bytes = 16 if self.is_ipv4 else NAME_BYTES
        self._incoming = bytearray(BATCH * SLOT_BYTES)
        self._outgoing = bytearray(BATCH * OUT_BYTES)
        self._names = bytearray(BATCH * NAME_BYTES)
        self._control = bytearray(BATCH * _CONTROL_BYTES)
        self._control_zero = bytes(BATCH * _CONTROL_BYTES)
        self._headers = bytearray(BATCH * _STEP)
        self.incoming = memoryview(self._incoming)
        self.outgoing = self._outgoing
        self.names = memoryview(self._names)
        self.out_lengths = memoryview(bytearray(BATCH * 16)).cast("Q")
        self.later: list[tuple[bytes, bytes]] = []
        """Answers (sender, octets) that `send_later` is to send."""
        self._words = memoryview(self._headers).cast("I")
        self._marks = memoryview(self._control).cast("I")

    def lengths_of(self, count: int) -> list[int]:
        """The length of each of the first `count` messages, as far as it fitted its slot."""
        return self._words[_LENGTH_AT : count * _LENGTH_STEP : _LENGTH_STEP].tolist()

    def marks_of(self, count: int) -> list[int]:
        """The kernel's mark of each of the first `count` messages; 0 where it told none."""
        return self._marks[_MARK_AT : count * _MARK_STEP : _MARK_STEP].tolist()

    def sender(self, index: int) -> bytes:
        """The socket address of message `index`, as the kernel gave it."""
        return bytes(self.names[index * NAME_BYTES : index * NAME_BYTES + self.name_bytes])

    def was_truncated(self, index: int) -> bool:
        """Whether message `index` was longer than a slot."""
        return bool(self._words[index * _LENGTH_STEP + _FLAGS_AT] & _MSG_TRUNC)

    def send_later(self) -> int:
        """Send what was put into `later`. Returns how many answers were skipped."""
        later, self.later = self.later, []
        return sum(not self.send_one(sender, answer) for sender, answer in later)

    def send_one(self, sender: bytes, answer: bytes) -> bool:
        """Send one answer; False when the kernel would not take it."""
        try:
            self.socket.sendto(answer, decode_address(sender))
        except OSError:
            return False
        return True


class BatchSocket(_Buffers):
    """A UDP socket served by recvmmsg and sendmmsg. `udp` must be bound and non-blocking.

    Raises: OSError when the C library lacks the calls.
    """

    def __init__(self, udp: socket.socket) -> None:
        super().__init__(udp)
        calls = batch_calls()
        if calls is None or sys.byteorder != "little" or sizeof(c_void_p) != 8:
            raise OSError("no recvmmsg here")
        self._recvmmsg, self._sendmmsg = calls.recvmmsg, calls.sendmmsg
        self._fd = udp.fileno()
        out_headers = bytearray(BATCH * _STEP)
        self._pins = [self._incoming, self._outgoing, self._names, self._control, self._headers, out_headers]
        bases = [addressof((c_char * len(pin)).from_buffer(pin)) for pin in self._pins]
        in_at, out_at, self._names_at, control_at, self._in_headers_at, self._out_headers_at = bases
        self._in_iov, self._out_iov = (IoVec * BATCH)(), (IoVec * BATCH)()
        receive = (MMsgHdr * BATCH).from_buffer(self._headers)
        send = (MMsgHdr * BATCH).from_buffer(out_headers)
        for i in range(BATCH):
            self._in_iov[i].base, self._in_iov[i].len = in_at + i * SLOT_BYTES, SLOT_BYTES
            self._out_iov[i].base = out_at + i * OUT_BYTES
            for message, iov in ((receive[i], self._in_iov), (send[i], self._out_iov)):
                message.hdr.name = self._names_at + i * NAME_BYTES
                message.hdr.iov, message.hdr.iovlen = addressof(iov) + i * sizeof(IoVec), 1
            receive[i].hdr.namelen, send[i].hdr.namelen = NAME_BYTES, self.name_bytes
            receive[i].hdr.control, receive[i].hdr.controllen = control_at + i * _CONTROL_BYTES, _CONTROL_BYTES
        self._template = bytes(self._headers)
        self._header_view = memoryview(self._headers)
        self._control_view = memoryview(self._control)
        self._out_names = memoryview(out_headers).cast("Q")
        self.out_lengths = memoryview(self._out_iov).cast("B").cast("Q")
        self._directed: list[int] = []
        self._later_names = bytearray(BATCH * NAME_BYTES)
        self._later_names_at = addressof((c_char * len(self._later_names)).from_buffer(self._later_names))
        self._used = 0

    def receive(self) -> int:
        """Take what is waiting, without waiting: the number of messages, 0 when there is none."""
        used = self._used
        if used:  # namelen, controllen and flags are in-out: set them anew, and let no old mark stand
            self._header_view[: used * _STEP] = self._template[: used * _STEP]
            self._control_view[: used * _CONTROL_BYTES] = self._control_zero[: used * _CONTROL_BYTES]
        count: int = self._recvmmsg(self._fd, self._in_headers_at, BATCH, _MSG_DONTWAIT, None)
        self._used = count if count > 0 else 0
        return self._used

    def direct(self, slot: int, index: int) -> None:
        """Say that the answer in `slot` goes to the sender of message `index`; holds until `send`."""
        self._out_names[slot * (_STEP // 8)] = self._names_at + index * NAME_BYTES
        self._directed.append(slot)

    def send_later(self) -> int:
        """As in the base, by as few system calls as there are batches."""
        later, self.later = self.later, []
        skipped = 0
        for start in range(0, len(later), BATCH):
            batch = later[start : start + BATCH]
            for slot, (sender, answer) in enumerate(batch):
                self._later_names[slot * NAME_BYTES : slot * NAME_BYTES + len(sender)] = sender
                self._out_names[slot * (_STEP // 8)] = self._later_names_at + slot * NAME_BYTES
                self._outgoing[slot * OUT_BYTES : slot * OUT_BYTES + len(answer)] = answer
                self.out_lengths[slot * 2 + 1] = len(answer)
            self._directed.extend(range(len(batch)))
            skipped += self.send(len(batch))
        return skipped

    def send(self, count: int) -> int:
        """Send the first `count` placed answers; one that fails is skipped. Returns how many were skipped."""
        done = skipped = 0
        while done < count:
            sent: int = self._sendmmsg(self._fd, self._out_headers_at + done * _STEP, count - done, _MSG_DONTWAIT)
            if sent > 0:
                done += sent
            else:  # the first one is at fault (source port 0: EINVAL), or the socket's buffer is full
                done += 1
                skipped += 1
        for slot in self._directed:
            self._out_names[slot * (_STEP // 8)] = self._names_at + slot * NAME_BYTES
        self._directed.clear()
        return skipped


class PlainSocket(_Buffers):
    """The same by one recvmsg and sendto a datagram: slower, and everywhere."""

    def __init__(self, udp: socket.socket) -> None:
        super().__init__(udp)
        self._directed: dict[int, int] = {}

    def receive(self) -> int:
        """As `BatchSocket.receive`."""
        for index in range(BATCH):
            start = index * SLOT_BYTES
            slot = self.incoming[start : start + SLOT_BYTES]
            try:
                size, control, flags, address = self.socket.recvmsg_into([slot], _CONTROL_BYTES)
            except OSError:
                return index
            mark = 0
            for level, kind, data in control:
                if level == socket.SOL_SOCKET and kind == _SO_MARK and len(data) == 4:
                    (mark,) = struct.unpack("=I", data)
            self._marks[index * _MARK_STEP + _MARK_AT] = mark
            self._words[index * _LENGTH_STEP + _LENGTH_AT] = size
            self._words[index * _LENGTH_STEP + _FLAGS_AT] = flags
            name = encode_address(address)
            self._names[index * NAME_BYTES : index * NAME_BYTES + len(name)] = name
        return BATCH

    def direct(self, slot: int, index: int) -> None:
        """As `BatchSocket.direct`."""
        self._directed[slot] = index

    def send(self, count: int) -> int:
        """As `BatchSocket.send`."""
        skipped = 0
        for slot in range(count):
            index, size = self._directed.get(slot, slot), self.out_lengths[slot * 2 + 1]
            start = slot * OUT_BYTES
            if not self.send_one(self.sender(index), bytes(self._outgoing[start : start + size])):
                skipped += 1
        self._directed.clear()
        return skipped


AnySocket = BatchSocket | PlainSocket


def open_batch(udp: socket.socket) -> AnySocket:
    """The fastest kind that this machine has."""
    try:
        return BatchSocket(udp)
    except OSError:
        return PlainSocket(udp)


def encode_address(address: tuple[str, int] | tuple[str, int, int, int]) -> bytes:
    """A Python socket address as the kernel's sockaddr_in or sockaddr_in6."""
    if len(address) == 2:
        return (
            struct.pack("=H", socket.AF_INET) + struct.pack("!H", address[1]) + socket.inet_aton(address[0]) + bytes(8)
        )
    host = socket.inet_pton(socket.AF_INET6, address[0].partition("%")[0])
    return (
        struct.pack("=H", socket.AF_INET6)
        + struct.pack("!HI", address[1], address[2])
        + host
        + struct.pack("=I", address[3])
    )


def decode_address(name: bytes) -> tuple[str, int] | tuple[str, int, int, int]:
    """The inverse of `encode_address`."""
    (port,) = struct.unpack_from("!H", name, 2)
    if len(name) == 16:
        return socket.inet_ntoa(name[4:8]), port
    (flow,) = struct.unpack_from("!I", name, 4)
    (scope,) = struct.unpack_from("=I", name, 24)
    return socket.inet_ntop(socket.AF_INET6, name[8:24]), port, flow, scope
