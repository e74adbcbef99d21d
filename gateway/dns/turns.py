"""A share of each turn of the event loop: so many questions of all connections together, then datagrams again.

What a connection has sent lies in memory, and reading it does not wait; without a share, one connection would have
hundreds of questions answered before the loop looks at anything else.
"""

from __future__ import annotations

import asyncio
from collections import deque

QUESTIONS_A_TURN = 16


class Turns:
    """Lets `most` through in a turn of the running loop; the others wait for a later one, first come, first served."""

    def __init__(self, most: int = QUESTIONS_A_TURN) -> None:
        self._most = most
        self._left = most
        self._is_armed = False
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Return in a turn that has room; at once where this one has."""
        self._arm()
        if self._left:
            self._left -= 1
            return
        future = self._loop.create_future()
        self._waiting.append(future)
        await future

    def _arm(self) -> None:
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        """A new turn: those who wait have its room first."""
        self._is_armed, self._left = False, self._most
        while self._waiting and self._left:
            future = self._waiting.popleft()
            if not future.done():  # else its connection has ended meanwhile
                future.set_result(None)
                self._left -= 1
        if self._left < self._most:
            self._arm()
