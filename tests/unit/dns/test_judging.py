"""Judging beside the answers: late, bounded, forgetful of names."""

import asyncio
from collections.abc import Callable
from zlib import crc32

import pytest

from gateway.dns import judging
from gateway.dns.judging import Judging
from policies.compiler import NamedList, compile_snapshot
from policies.document import default_document
from policies.lexical import Line, write_model
from policies.names import to_wire
from policies.snapshot import open_snapshot

ROWS = 1 << 12


def model() -> bytes:
    table = [sum(128 << 8 * lane for lane in range(8))] * ROWS
    table[crc32(b"sino") & ROWS - 1] += 100
    return write_model([Line("gambling", 1.0, -3.0)], (), table, {})


def snapshot(**sections: bytes):
    lists = [NamedList("test/gambling", "gambling", "0" * 64, ("casino-listed.example",))]
    return open_snapshot(compile_snapshot(default_document(), lists, 1, sections=sections))


def run(scene: Callable[[Judging], object]) -> None:
    async def play() -> None:
        judge = Judging(asyncio.get_running_loop())
        result = scene(judge)
        if asyncio.iscoroutine(result):
            await result
        judge.close()

    asyncio.run(play())


async def idle(judge: Judging) -> None:
    for _ in range(200):
        await asyncio.sleep(0.01)
        if judge._timer is None:
            return
    raise AssertionError("the queue was not emptied")


def test_nothing_is_judged_before_the_loop_turns() -> None:
    async def scene(judge: Judging) -> None:
        judge.adopt(snapshot(judge=model()))
        judge.offer(to_wire("casino.example"))
        assert judge.known(to_wire("casino.example")) == ()
        assert judge.judged == 0
        await idle(judge)
        (held,) = judge.known(to_wire("casino.example"))
        assert (held.category, held.confidence > 0.9) == ("gambling", True)
        assert any("sino" in piece for piece in held.because)
        judge.offer(to_wire("casino.example"))
        assert judge._timer is None  # known already

    run(scene)


def test_listed_and_never_blocked_names_are_not_judged() -> None:
    async def scene(judge: Judging) -> None:
        judge.adopt(snapshot(judge=model()))
        for name in ("www.casino-listed.example", "casino.vg.no", "casino.nav.no", "hage.example", "no"):
            judge.offer(to_wire(name))
        await idle(judge)
        assert judge.known(to_wire("www.casino-listed.example")) == judge.known(to_wire("casino.nav.no")) == ()
        assert judge.counts == {"gambling": 1}  # casino.vg.no: ordinary names are no rule
        assert judge.judged == 3

    run(scene)


def test_queue_and_verdicts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "QUEUE_MAX", 50)
    monkeypatch.setattr(judging, "VERDICTS_MAX", 40)

    async def scene(judge: Judging) -> None:
        judge.adopt(snapshot(judge=model()))
        for number in range(80):
            judge.offer(to_wire(f"casino{number}.example"))
        assert (len(judge._queue), judge.passed_over) == (50, 30)
        await idle(judge)
        assert judge.judged == 50
        assert len(judge._young) + len(judge._old) <= 40
        assert judge.known(to_wire("casino49.example"))

    run(scene)


def test_a_new_snapshot_starts_afresh() -> None:
    async def scene(judge: Judging) -> None:
        judge.adopt(snapshot(judge=model()))
        judge.offer(to_wire("casino.example"))
        await idle(judge)
        judge.offer(to_wire("casino2.example"))
        judge.adopt(snapshot())
        assert judge.known(to_wire("casino.example")) == ()
        judge.offer(to_wire("casino3.example"))
        assert judge._timer is None

    run(scene)


def test_a_model_that_does_not_open_is_told_and_left(caplog: pytest.LogCaptureFixture) -> None:
    def scene(judge: Judging) -> None:
        judge.adopt(snapshot(judge=b"no model"))
        judge.offer(to_wire("casino.example"))
        assert judge._timer is None

    run(scene)
    assert "unlisted names are not judged" in caplog.text


def test_names_are_neither_kept_nor_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def scene(judge: Judging) -> None:
        judge.adopt(snapshot(judge=model()))
        judge.offer(to_wire("casino.example"))
        await idle(judge)
        assert "casino.example" not in repr({key: vars(judge)[key] for key in ("_queue", "_young", "_old", "counts")})

    run(scene)
    assert "gambling 1" in caplog.text
    assert "casino" not in caplog.text
