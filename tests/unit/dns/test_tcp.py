from __future__ import annotations

import asyncio
import socket

from gateway.dns.counters import Counters
from gateway.dns.tcp import TcpListener


class Seen(Counters):
    """Counts what was accepted or refused."""

    def __init__(self) -> None:
        super().__init__()
        self.connections = 0

    def add(self, *key: str) -> None:
        self.connections += key[0] == "connections"


async def hold(connection: socket.socket, *_: object) -> None:
    with connection:
        await asyncio.sleep(60)


def test_connections_that_wait_to_be_accepted_leave_turns_to_others() -> None:
    async def play() -> list[int]:
        with socket.socket() as bound:
            bound.setblocking(False)
            bound.bind(("127.0.0.1", 0))
            bound.listen(128)
            crowd = [socket.create_connection(bound.getsockname()) for _ in range(60)]
            seen, by_turn = Seen(), []
            listener = TcpListener(None, None, 10.0, seen)  # type: ignore[arg-type]  # nobody asks
            listener._connected = hold  # type: ignore[method-assign]
            listener.listen(bound)
            while seen.connections < len(crowd):
                before = seen.connections
                await asyncio.sleep(0)
                by_turn.append(seen.connections - before)
            await asyncio.sleep(0)
            await listener.close()
            for each in crowd:
                each.close()
            return by_turn

    assert max(asyncio.run(play())) <= 2
