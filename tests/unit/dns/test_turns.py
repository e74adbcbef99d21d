from __future__ import annotations

import asyncio

from gateway.dns.turns import Turns


def test_a_turn_lets_so_many_through_and_those_who_wait_go_first() -> None:
    async def play() -> list[list[int]]:
        turns, order, by_turn = Turns(3), [], []

        async def many(who: int, count: int) -> None:
            for _ in range(count):
                await turns.take()
                order.append(who)

        tasks = [asyncio.create_task(many(who, 4)) for who in range(3)]
        while not all(task.done() for task in tasks):
            before = len(order)
            await asyncio.sleep(0)
            by_turn.append(order[before:])
        return [each for each in by_turn if each]

    by_turn = asyncio.run(play())
    assert sum(map(len, by_turn)) == 12
    assert max(map(len, by_turn)) <= 3
    assert set(by_turn[1] + by_turn[2]) == {0, 1, 2}  # nobody has it all


def test_who_has_given_up_takes_nobodys_place() -> None:
    async def play() -> None:
        turns = Turns(1)
        await turns.take()
        gone, next_one = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
        await asyncio.sleep(0)
        gone.cancel()
        async with asyncio.timeout(1):
            await next_one
        for _ in range(3):
            await turns.take()

    asyncio.run(play())
