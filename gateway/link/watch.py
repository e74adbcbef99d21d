"""The service `watch`: sends the captive-portal option by router advertisement on the guest interfaces (RFC 8910 §2.3).

It listens to router solicitations, and to what other programs on this machine advertise; `advertise` says when to send.
"""

from __future__ import annotations

import ctypes
import logging
import random
import selectors
import socket
import struct
import time
from collections.abc import Callable, Sequence

from gateway.errors import UsageError
from gateway.link.advertise import Advertiser
from gateway.link.frames import Advertisement, Solicitation, advertisement_frame, read_frame

log = logging.getLogger(__name__)

RECHECK_S = 2.0
FRAME_BYTES = 2048
_ETH_P_ALL = 0x0003  # else what this machine sends is not seen
_OUTGOING = 4  # PACKET_OUTGOING
_SO_ATTACH_FILTER = 26
# Classic BPF: IPv6 with ICMPv6 as its first header, of type 133 or 134; all else stays in the kernel.
_FILTER = (
    (0x28, 0, 0, 12), (0x15, 0, 6, 0x86DD), (0x30, 0, 0, 20), (0x15, 0, 4, 58), (0x30, 0, 0, 54),
    (0x15, 1, 0, 133), (0x15, 0, 1, 134), (0x06, 0, 0, FRAME_BYTES), (0x06, 0, 0, 0),
)  # fmt: skip


class Watch:
    """Runs until told to stop. `uri` gives what to announce now, None: nothing; it is asked every few seconds."""

    def __init__(self, interfaces: Sequence[str], uri: Callable[[], str | None], stop: Callable[[], bool]) -> None:
        self._uri = uri
        self._stop = stop
        self._links = [_Link(name) for name in interfaces]

    def run(self) -> None:
        """Raises: UsageError when raw sockets are not allowed."""
        uri, looked_s = self._uri(), time.monotonic()
        with selectors.DefaultSelector() as selector:
            while not self._stop():
                now_s = time.monotonic()
                if now_s - looked_s >= RECHECK_S:
                    uri, looked_s = self._uri(), now_s
                for link in self._links:
                    link.tend(selector, uri, now_s)
                due_s = min((link.advertiser.due_s for link in self._links if link.is_open), default=now_s + RECHECK_S)
                wait_s = min(RECHECK_S, 1.0, max(0.0, due_s - now_s)) if uri is not None else 1.0
                for key, _ in selector.select(wait_s):
                    key.data.read(time.monotonic())
            for link in self._links:
                link.close(selector)


class _Link:
    """One interface: its raw socket, and its schedule."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._socket: socket.socket | None = None
        self._last = b""
        self._uri: str | None = None
        self._elsewhere = False
        self._trouble: str | None = None  # nothing said yet
        self.advertiser = Advertiser(time.monotonic(), random.random)

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def tend(self, selector: selectors.BaseSelector, uri: str | None, now_s: float) -> None:
        """Open what is closed, and send what is due."""
        if uri != self._uri:
            self._uri = uri
            self.advertiser.begin(now_s)
        if uri is None:
            return
        try:
            self._open(selector)
            if now_s >= self.advertiser.due_s:
                self._send(uri, now_s)
        except OSError as error:
            self.close(selector)
            self._tell(f"{self._name}: no router advertisements ({error.strerror}); trying again")
            self.advertiser.due_s = now_s + RECHECK_S

    def read(self, now_s: float) -> None:
        """Take one frame. Of advertisements only this machine's own count: a guest's say nothing about us."""
        assert self._socket is not None
        try:
            frame, (_, _, kind, *_) = self._socket.recvfrom(FRAME_BYTES)
        except OSError:
            return  # found again, and said, when the next is sent
        said = None if frame == self._last else read_frame(frame)
        if isinstance(said, Solicitation) and kind != _OUTGOING:
            self.advertiser.solicited(now_s)
        elif isinstance(said, Advertisement) and kind == _OUTGOING:
            if said.has_portal != self._elsewhere:
                self._elsewhere = said.has_portal
                word = "another program announces the URI here too" if said.has_portal else "only we announce the URI"
                log.info("%s: %s", self._name, word)
            if not said.has_portal:
                self.advertiser.advertised(said.origin, now_s)

    def close(self, selector: selectors.BaseSelector) -> None:
        if self._socket is not None:
            selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _open(self, selector: selectors.BaseSelector) -> None:
        if self._socket is not None:
            return
        try:
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC)
        except PermissionError as error:
            raise UsageError("watch needs the capability NET_RAW; run it with that, or as root") from error
        try:
            _attach_filter(made)
            made.bind((self._name, _ETH_P_ALL))
            made.setblocking(False)
        except OSError:
            made.close()
            raise
        self._socket = made
        selector.register(made, selectors.EVENT_READ, self)

    def _send(self, uri: str, now_s: float) -> None:
        assert self._socket is not None
        mac = self._socket.getsockname()[4].hex(":")
        self._last = advertisement_frame(self.advertiser.origin(mac, now_s), uri, mac)
        self._socket.send(self._last)
        self.advertiser.sent(now_s)
        self._tell("")

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                log.warning("%s", trouble)
            else:
                log.info("%s: router advertisements with the captive-portal URI are sent", self._name)


def _attach_filter(made: socket.socket) -> None:
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in _FILTER))
    described = struct.pack("HL", len(_FILTER), ctypes.addressof(program))
    made.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)
