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
from captive_portal.guest.let_in import LetIn
from captive_portal.guest.peers import Peers
from captive_portal.probes import find

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
    """The answers. `let_in`: where a gateway lets devices through, so that a check may be answered "online".
    `leads_here`: whether names that are closed lead here too, so that a device that is online is told why.
    """

    def __init__(
        self,
        own_hosts: Set[str],
        portal: bytes,
        peers: Peers,
        allowance: Allowance,
        let_in: LetIn | None,
        leads_here: Callable[[], bool] = lambda: False,
    ) -> None:
        self._own_hosts = own_hosts
        self._portal = portal
        self._peers = peers
        self._allowance = allowance
        self._let_in = let_in
        self._leads_here = leads_here
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
        leads_here = self._leads_here()
        if self._let_in is None:
            if leads_here:
                return None
        elif (leads_here or find(host, head[1].decode("ascii")) is not None) and not self._let_in.is_held(
            self._peers.device(address)
        ):
            return None
        return self._redirected() if self._allowance.take(self._peers.key(address)) else DROP

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
