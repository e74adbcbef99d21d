"""A real HTTP server on loopback that says what a test tells it to, well or badly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

Handler = Callable[[socket.socket, bytes], None]


class ListServer:
    """Answers each request by path with octets, or hands the connection to a function. `requests` are what came."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Handler] = {}
        self.requests: list[bytes] = []
        self.stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def put(self, path: str, body: bytes, status: str = "200 OK", **headers: str) -> str:
        """Answer `path` with a sound response; returns the URL."""
        lines = {"Content-Length": str(len(body)), **{key.replace("_", "-"): value for key, value in headers.items()}}
        head = "".join(f"{key}: {value}\r\n" for key, value in lines.items() if value)
        self.answers[path] = f"HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n".encode() + body
        return self.url(path)

    def close(self) -> None:
        self.stopping.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in (self._acceptor, *self._threads):
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            thread.start()
            self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    request += piece
                self.requests.append(request)
                answer = self.answers.get(
                    request.split()[1].decode(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                )
                if callable(answer):
                    answer(connection, request)
                else:
                    connection.sendall(answer)
            except OSError:
                pass  # the client went away: what it made of that is the test's business


@pytest.fixture
def server() -> Iterator[ListServer]:
    running = ListServer()
    yield running
    running.close()
