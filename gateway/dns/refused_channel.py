"""The private way into a worker's notes of refused names: a Unix socket each, in a folder of the state directory.

A request is one line of JSON, `{"v": 1, "key": "…", "addresses": ["192.0.2.7", …], "for_s": 90}`, the answer one line,
`{"v": 1, "names": [["www.game.example", "game.example", "gaming"], …]}`; then the connection is over. Who may connect
is who may write to the socket: its owner and group, which are the services of this machine. Nothing is written to disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from gateway.dns.refused_names import ADDRESSES_MAX, RefusedNames

SUFFIX = ".sock"
_LINE_MAX_BYTES = 8192
_PATIENCE_S = 2.0
_GRACE_S = 0.05
_KEY = re.compile(r"[0-9a-f]{32}")


class RefusedChannel:
    """Serves one worker's `RefusedNames`, and ends what is over. `start`, then `close` once."""

    def __init__(self, folder: str, notes: RefusedNames, loop: asyncio.AbstractEventLoop) -> None:
        self._folder = Path(folder)
        self._notes = notes
        self._loop = loop
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen in the folder, and clear away what dead workers have left there. Raises: OSError."""
        self._folder.mkdir(mode=0o770, parents=True, exist_ok=True)
        _clear(self._folder)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        name = f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        try:
            with opened(self._folder) as base:
                bound.bind(f"{base}/{name}")
            self._path = self._folder / name
            self._path.chmod(0o660)
            self._server = await asyncio.start_unix_server(self._serve, sock=bound, limit=_LINE_MAX_BYTES)
        except OSError:
            bound.close()
            raise

    def close(self) -> None:
        """Stop, and forget everything."""
        if self._timer is not None:
            self._timer.cancel()
        self._notes.clear()
        if self._server is not None:
            self._server.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                line = await reader.readline()
                writer.write(self._answer(line))
                await writer.drain()
        except (OSError, ValueError, TimeoutError):  # no request of ours: it gets no answer
            pass
        finally:
            writer.close()

    def _answer(self, line: bytes) -> bytes:
        key, addresses, for_s = read_request(line)
        names = self._notes.watch(key, addresses, for_s)
        self._arm()
        rows = [[each.name, each.listed, each.category] for each in names]
        return json.dumps({"v": 1, "names": rows}, separators=(",", ":")).encode() + b"\n"

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        end_s = self._notes.next_end_s()
        if end_s is not None:  # the loop's clock is the monotonic one
            self._timer = self._loop.call_at(end_s + _GRACE_S, self._end)

    def _end(self) -> None:
        self._timer = None
        self._notes.forget_ended()
        self._arm()


def read_request(line: bytes) -> tuple[str, list[bytes], float]:
    """Key, packed addresses and seconds of a request. Raises: ValueError for anything else."""
    try:
        content = json.loads(line)
        key, written, for_s = content["key"], content["addresses"], content["for_s"]
        if content["v"] != 1 or not isinstance(key, str) or not _KEY.fullmatch(key) or isinstance(for_s, bool):
            raise ValueError("no request")
        addresses = [packed(str(each)) for each in written[:ADDRESSES_MAX]]
        seconds = float(for_s)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no request") from error
    if not 0.0 <= seconds <= 3600.0:
        raise ValueError("no request")
    return key, addresses, seconds


def packed(text: str) -> bytes:
    """An address as it stands beside a datagram: without its zone, IPv4-mapped ones as IPv4. Raises: ValueError."""
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bytes((mapped or address).packed)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[str]:
    """A short path of a folder, since a socket's address has room for 107 bytes only. Raises: OSError."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _clear(folder: Path) -> None:
    with opened(folder) as base:
        for path in folder.glob(f"*{SUFFIX}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as attempt:
                attempt.settimeout(_PATIENCE_S)
                try:
                    attempt.connect(f"{base}/{path.name}")
                except ConnectionRefusedError:  # its worker is gone
                    path.unlink(missing_ok=True)
                except OSError:
                    continue
