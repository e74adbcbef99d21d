"""Devices that have not accepted, as the portal sees them: requests for strangers' hosts, each on a new connection.

`python -m tests.bench.strangers flood HOST PORT DEVICES SECONDS` asks as fast as it can, `AT_ONCE` at
a time; `… paced HOST PORT DEVICES SECONDS PER_S` lets each device ask so often, whatever the answers do. Device N has
the address `guests.address(N)`. Prints JSON.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field

from tests.bench.guests import address

AT_ONCE = 32
ASKED = (  # of a phone's requests in the background, about one in five is a connectivity check
    ("connectivitycheck.gstatic.com", "/generate_204"),
    ("api.example.com", "/v1/sync?device=1"),
    ("cdn.example.net", "/a/b/c.js"),
    ("updates.example.org", "/check"),
    ("ads.example.com", "/"),
)
HEADS = tuple(
    f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)\r\n"
    "Accept-Encoding: gzip\r\nConnection: Keep-Alive\r\n\r\n".encode()
    for host, path in ASKED
)


@dataclass
class Told:
    """What was answered."""

    redirected: int = 0
    failed: int = 0
    took_ms: list[float] = field(default_factory=list)

    def count(self, answer: bytes) -> None:
        """Note an answer's kind: any 30x counts, as every system takes it for "portal"."""
        if answer.startswith(b"HTTP/1.1 30"):
            self.redirected += 1
        else:
            self.failed += 1


def flood(host: str, port: int, addresses: list[str], seconds: float) -> dict[str, object]:
    """As many requests as this client can make, `AT_ONCE` at a time."""
    told, turn = Told(), 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        asking = []
        for _ in range(AT_ONCE):
            turn += 1
            connection = socket.create_connection((host, port), 5, (addresses[turn % len(addresses)], 0))
            connection.sendall(HEADS[turn % len(HEADS)])
            asking.append(connection)
        for connection in asking:
            answer = b""
            with contextlib.suppress(OSError):
                answer = connection.recv(4096)
            told.count(answer)
            connection.close()
    took_s = time.perf_counter() - started
    return {"per_s": told.redirected / took_s, "redirected": told.redirected, "failed": told.failed}


def paced(host: str, port: int, addresses: list[str], seconds: float, per_s: float) -> dict[str, object]:
    """Each device asks `per_s` times a second; milliseconds from when each request was due to its answer, and of
    those how many before this client, which shares its core with others, came to ask.
    """
    late_ms: list[float] = []
    told, chosen = Told(), selectors.EpollSelector()
    interval_s = 1 / (per_s * len(addresses))
    started = time.perf_counter()
    due, turn = started, 0
    while due < started + seconds or chosen.get_map():
        now = time.perf_counter()
        while due <= now and due < started + seconds:
            late_ms.append(1000 * (time.perf_counter() - due))
            connection = socket.socket()
            connection.setblocking(False)
            connection.bind((addresses[turn % len(addresses)], 0))
            connection.connect_ex((host, port))
            head = HEADS[(turn + turn // len(addresses)) % len(HEADS)]  # so that the devices' checks are spread
            chosen.register(connection, selectors.EVENT_WRITE, (due, head))
            due, turn = due + interval_s, turn + 1
        for key, _ in chosen.select(max(0.0, min(0.01, due - time.perf_counter()))):
            _advance(chosen, key, told)
        if now > started + seconds + 10:
            break
    told.failed += len(chosen.get_map())
    return {
        "asked": turn,
        "late_ms": late_ms,
        "took_ms": told.took_ms,
        "redirected": told.redirected,
        "failed": told.failed,
    }


def _advance(chosen: selectors.BaseSelector, key: selectors.SelectorKey, told: Told) -> None:
    connection, (due, head) = key.fileobj, key.data
    assert isinstance(connection, socket.socket)
    try:
        if head:
            connection.send(head)
            chosen.modify(connection, selectors.EVENT_READ, (due, b""))
            return
        answer = connection.recv(4096)
    except OSError:
        answer = b""
    told.took_ms.append(1000 * (time.perf_counter() - due))
    told.count(answer)
    chosen.unregister(connection)
    connection.close()


def main(mode: str, host: str, port: str, devices: str, seconds: str, per_s: str = "0") -> object:
    """What one of the two measured."""
    addresses = [address(device) for device in range(int(devices))]
    if mode == "flood":
        return flood(host, int(port), addresses, float(seconds))
    return paced(host, int(port), addresses, float(seconds), float(per_s))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
