"""What a device that has not accepted asks the internet for, answered from the first bytes of its connection.

Phones ask dozens of hosts a second in the background, each on a connection of its own. A head that is whole and plain
and names a stranger's host needs no parser, task or thread: its answer is always the same. Whatever else comes goes on
to the application, which decides by the same rules (`edge`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Set
from email.utils import formatdate

from captive_portal.guest.allowance import Allowance
from captive_portal.probes import find

NOT_ONLINE_S = 5.0  # for how long a device that was not let through, and sees no page of ours, is taken to be held
MAX_NOT_ONLINE = 10_000
DROP = b""  # say nothing and close

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEAD = re.compile(
    rb"(?:GET|HEAD) (/[!-$&->@-~]*)(?:\?[!-~]*)? HTTP/1\.[01]\r\n((?:" + _TOKEN + rb":[^\r\n\0]*\r\n)+)\r\n"
)
_HOST = re.compile(rb"^host:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_MORE_THAN_A_HEAD = re.compile(rb"^(?:content-length|transfer-encoding|expect|upgrade):", re.IGNORECASE | re.MULTILINE)


def host_name(value: bytes) -> str:
    """The host that a Host header names: lower case, without port, brackets or final dot."""
    text = value.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].removesuffix(".")


class Doorstep:
    """The answers. `enforced`: a gateway lets devices through, so that a check may be answered "online"."""

    def __init__(
        self,
        own_hosts: Set[str],
        portal: bytes,
        allowance: Allowance,
        *,
        enforced: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own_hosts = own_hosts
        self._portal = portal
        self._allowance = allowance
        self._enforced = enforced
        self._monotonic = monotonic
        self._not_online: dict[str, float] = {}
        self._redirect, self._redirect_at = b"", 0

    def answer(self, data: bytes, address: str) -> bytes | None:
        """What to send to `address` for the first bytes of its connection, which is then closed; `DROP` for a device
        that asks too often; None: the application is to see them.
        """
        head = _HEAD.fullmatch(data)
        if head is None or _MORE_THAN_A_HEAD.search(head[2]) is not None:
            return None
        hosts = _HOST.findall(head[2])
        host = host_name(hosts[0]) if len(hosts) == 1 else ""
        if host in self._own_hosts:
            return None
        if self._enforced and find(host, head[1].decode("ascii")) is not None and not self._is_held(address):
            return None
        return self._redirected() if self._allowance.take(address) else DROP

    def held(self, address: str) -> None:
        """The application found that the gateway does not let this device through."""
        if len(self._not_online) >= MAX_NOT_ONLINE:
            self._not_online.clear()
        self._not_online[address] = self._monotonic() + NOT_ONLINE_S

    def may_be_let_in(self, address: str) -> None:
        """The device asks for pages of ours: what is known of it may change at any moment."""
        self._not_online.pop(address, None)

    def _is_held(self, address: str) -> bool:
        return self._not_online.get(address, 0.0) > self._monotonic()

    def _redirected(self) -> bytes:
        now = int(time.time())
        if now != self._redirect_at:
            lines = (
                b"HTTP/1.1 302 Found",
                b"date: " + formatdate(now, usegmt=True).encode(),
                b"location: " + self._portal,
                b"cache-control: no-store",
                b"connection: close",
                b"content-length: 0",
            )
            self._redirect, self._redirect_at = b"\r\n".join(lines) + b"\r\n\r\n", now
        return self._redirect
