"""A resolver of the lab's internet that behaves as a file tells it to: well, slow, lying, truncated, resetting, silent.

Run inside a namespace: `python -m tests.lab.moody ADDRESS PORT FILE`; prints `ready`. Every name that begins with `no`
does not exist; every other one has the address of the lab's ordinary site, for one second.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.lab import topology as net

MOODS = ("well", "slow", "lying", "truncated", "resetting", "silent", "failing")
SLOW_S = 0.5
FORGED = "203.0.113.66"
_SOA = "SOA ns.lab.test. nobody.lab.test. 1 2 3 4 1"


def answer(query: dns.message.Message, address: str = net.SITE4) -> bytes:
    """The true answer, or one with another address."""
    message = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    if str(question.name).lower().startswith("no"):  # our questions come in any case
        message.set_rcode(dns.rcode.NXDOMAIN)
        message.authority.append(dns.rrset.from_text("test.", 1, "IN", *_SOA.split(" ", 1)))
    elif question.rdtype == 1:
        message.answer.append(dns.rrset.from_text(question.name, 1, "IN", "A", address))
    return message.to_wire()


def by_udp(packet: bytes, mood: str) -> list[bytes]:
    """The datagrams that follow a question."""
    query = dns.message.from_wire(packet)
    truth = answer(query)
    if mood == "silent":
        return []
    if mood in ("truncated", "resetting"):
        return [truth[:2] + b"\x83\x80" + packet[4:6] + bytes(6) + packet[12:-11]]
    if mood == "failing":
        return [truth[:2] + b"\x81\x82" + packet[4:6] + bytes(6) + packet[12:-11]]
    if mood == "lying":
        forged = answer(query, FORGED)
        other_id = bytes((forged[0] ^ 0x55,)) + forged[1:]
        other_name = forged[:13] + b"zz" + forged[15:]
        return [b"", b"x", other_id, other_name, forged[:20], truth]
    if mood == "slow":
        time.sleep(SLOW_S)
    return [truth]


def serve_tcp(connection: socket.socket, mood: str) -> None:
    """One connection, until it ends."""
    with connection, connection.makefile("rb") as stream:
        while size := stream.read(2):
            packet = stream.read(int.from_bytes(size, "big"))
            if mood == "resetting":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if mood != "silent":
                truth = answer(dns.message.from_wire(packet))
                connection.sendall(len(truth).to_bytes(2, "big") + truth)


def main(address: str, port: int, mood: Path) -> None:
    """Serve until killed."""
    stream = socket.create_server((address, port))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((address, port))
    threading.Thread(target=_accept, args=(stream, mood), daemon=True).start()
    print("ready", flush=True)
    while True:
        packet, sender = datagrams.recvfrom(4096)
        threading.Thread(target=_tell, args=(datagrams, packet, sender, mood), daemon=True).start()


def _accept(stream: socket.socket, mood: Path) -> None:
    while True:
        connection, _ = stream.accept()
        threading.Thread(target=serve_tcp, args=(connection, mood.read_text()), daemon=True).start()


def _tell(datagrams: socket.socket, packet: bytes, sender: object, mood: Path) -> None:
    for each in by_udp(packet, mood.read_text()):
        datagrams.sendto(each, sender)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
