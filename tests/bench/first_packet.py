"""From POST of the acceptance to the first forwarded packet, as the guest's device sees it.

Run in a guest's namespace: `python -m tests.bench.first_packet HOST PORTAL CA ECHO`, with the body of the
form on standard input; prints milliseconds. A thread sends a datagram each millisecond to an echo on the internet; what
counts is the first echo after the POST has begun to be sent.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time

ECHO_PORT = 3478
LIMIT_S = 10.0


def main(host: str, portal: str, ca: str, echo: str) -> float:
    """Milliseconds from the first byte of the POST to the first echo."""
    body = sys.stdin.buffer.read()
    context = ssl.create_default_context(cafile=ca)
    connection = context.wrap_socket(socket.create_connection((portal, 443), 5), server_hostname=host)
    first: list[float] = []
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(echo, first, stop))
    watcher.start()
    time.sleep(0.05)
    if first:
        raise SystemExit("the device was not closed to begin with")
    head = (
        f"POST /accept HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    started = time.perf_counter()
    connection.sendall(head.encode() + body)
    answer = connection.recv(4096)
    if b" 303 " not in answer.split(b"\r\n", 1)[0]:
        raise SystemExit(f"not accepted: {answer[:200]!r}")
    watcher.join(LIMIT_S)
    stop.set()
    if not first:
        raise SystemExit("no packet was forwarded")
    return 1000 * (first[0] - started)


def _watch(echo: str, first: list[float], stop: threading.Event) -> None:
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.settimeout(0.001)
    probe.connect((echo, ECHO_PORT))
    while not stop.is_set():
        with contextlib.suppress(OSError):
            probe.send(b"?")
            probe.recv(64)
            first.append(time.perf_counter())
            return


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
