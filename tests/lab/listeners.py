"""What stands for the gateway's services in tests of the firewall alone: each answers with its own name.

Run in the gateway's namespace: `python -m tests.lab.listeners`; prints `ready`. Datagrams are told
the mark that they carried, which is what the resolver goes by.
"""

from __future__ import annotations

import socket
import struct
import threading

from tests.lab import topology as net

SO_RCVMARK = 75
SO_MARK = 36


def tcp(port: int, name: str) -> None:
    """Answer each connection with `name`, and the mark of its socket, as a small HTTP reply."""
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    while True:
        peer, _ = server.accept()
        with peer:
            try:
                mark = peer.getsockopt(socket.SOL_SOCKET, SO_MARK)
                body = f"{name} mark={mark}\n".encode()
                peer.settimeout(1)
                peer.recv(65536)
                peer.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
                )
            except OSError:
                pass


def udp(address: str, port: int, name: str) -> None:
    """Answer each datagram with `name` and the mark that it carried."""
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, SO_RCVMARK, 1)
    server.bind((address, port))
    while True:
        _, ancillary, _, peer = server.recvmsg(4096, 256)
        marks = [struct.unpack("=I", data)[0] for level, kind, data in ancillary if kind == SO_MARK]
        server.sendto(f"{name} mark={marks[0] if marks else None}\n".encode(), peer)


def main() -> None:
    """Start all and stay."""
    for port, name in ((8080, "portal"), (8443, "portal-tls"), (8081, "console"), (5300, "dns-tcp"), (22, "ssh")):
        threading.Thread(target=tcp, args=(port, name), daemon=True).start()
    for address in (net.GUEST4, net.GUEST6, net.MGMT_GATEWAY4):
        for port, name in ((5300, "dns"), (123, "time"), (9999, "other")):
            threading.Thread(target=udp, args=(address, port, name), daemon=True).start()
    threading.Event().wait(0.2)
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
