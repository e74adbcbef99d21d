"""A tunnel made to get the most through our limits, which no published tool does: only A, AAAA and HTTPS.

`python -m tests.lab.tunnel serve ADDRESS LOG` is the authority of `tunnel.example`: each answer is as full of fresh
bytes as its type allows, lives 0 seconds, and the bytes of each new name are counted. `… dig PLAN` is the device's
side: it asks long new names and short old ones as fast as it may, and prints how many fresh bytes came down.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import sys
import time
from pathlib import Path

import dns.message
import dns.rdatatype
import dns.rdtypes.svcbbase
import dns.rrset

ZONE = "tunnel.example"
TYPES = ("AAAA", "A", "HTTPS")
ADDRESS_BYTES = {"A": 4, "AAAA": 16}
HTTPS_BYTES = 150


def _records(kind: str) -> list[bytes]:
    if kind == "HTTPS":
        return [b"\0\1\0" + struct.pack("!HH", 65000, HTTPS_BYTES) + os.urandom(HTTPS_BYTES) for _ in range(2)]
    public = {"A": b"\xcb", "AAAA": b"\x20\x01"}[kind]  # or the guard against rebinding would help
    return [public + os.urandom(ADDRESS_BYTES[kind] - len(public)) for _ in range(40)]


def serve(address: str, log: Path) -> None:
    """Answer for the zone until killed; LOG holds the number of different names and of their bytes, by run."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    seen: set[str] = set()
    counts: dict[str, dict[str, int]] = {}
    print("ready", flush=True)
    while True:
        packet, peer = server.recvfrom(4096)
        query = dns.message.from_wire(packet)
        question = query.question[0]
        name = question.name.to_text().lower()
        if name not in seen:
            seen.add(name)
            payload, _, run = name.removesuffix(f".{ZONE}.").rpartition(".")
            count = counts.setdefault(run, {"names": 0, "up_bytes": 0})
            count["names"] += 1
            count["up_bytes"] += len(payload) * 5 // 8  # as base32
            log.write_text(json.dumps(counts))
        kind = dns.rdatatype.to_text(question.rdtype)
        records = _records(kind) if kind in TYPES else []
        header = packet[:2] + struct.pack("!5H", 0x8580, 1, len(records), 0, 0)
        body = packet[12 : 12 + len(question.name.to_wire()) + 4]
        for data in records:
            body += b"\xc0\x0c" + struct.pack("!HHIH", question.rdtype, 1, 0, len(data)) + data
        server.sendto(header + body, peer)


def dig(run: str, servers: list[str], seconds: float, per_s: float) -> dict[str, float]:
    """Ask by turns for what carries most; the fresh bytes of the answers, and the seconds it took."""
    sockets = []
    for server in servers:
        one = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
        one.connect((server, 53))
        one.setblocking(False)
        sockets.append(one)
    poll = select.poll()
    for one in sockets:
        poll.register(one, select.POLLIN)
    by_fd = {one.fileno(): one for one in sockets}
    seen: set[bytes] = set()
    down_bytes, sent, answers, refused = 0, 0, 0, 0
    started = time.monotonic()
    while (now := time.monotonic()) < started + seconds:
        if now >= started + sent / per_s:
            # the first names of the domain are as long as may be, each minute; then the old ones again
            label = f"{'x' * 60}.{'y' * 11}{sent:06d}" if sent % 2 else f"s{sent % 16}"
            name, rtype = f"{label}.{run}.{ZONE}", TYPES[sent % len(TYPES)]
            query = dns.message.make_query(name, rtype, id=sent & 0xFFFF, use_edns=0, payload=1232)
            with contextlib.suppress(OSError):
                sockets[sent % len(sockets)].send(query.to_wire())
            sent += 1
        for fd, _ in poll.poll(2):
            with contextlib.suppress(OSError):
                told = dns.message.from_wire(by_fd[fd].recv(65535))
                answers += 1
                refused += told.rcode() == 5
                for rrset in told.answer:
                    for record in rrset:
                        data = record.to_wire()
                        if data not in seen:
                            seen.add(data)
                            down_bytes += len(data)
    lasted_s = time.monotonic() - started
    return {"down_bytes": down_bytes, "sent": sent, "answers": answers, "refused": refused, "lasted_s": lasted_s}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], Path(sys.argv[3]))
    else:
        print(json.dumps(dig(**json.loads(sys.argv[2]))))
