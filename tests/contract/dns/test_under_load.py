"""While many ask: new policies cost no question, and a worker that dies is replaced while the others answer."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.soak.run import missing, soak

from .conftest import Worker


@pytest.fixture(autouse=True)
def tools() -> None:
    why = missing()
    if why is not None:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)


def test_no_question_is_lost_over_reloads(tmp_path: Path) -> None:
    told = soak(tmp_path, seconds=10, rate=2000, reload_every_s=0.7)
    assert told.sent > 10_000
    assert told.lost_by_us == 0
    assert told.dropped_by_buffer == 0, "too little room for this load"
    assert told.probes_lost == 0
    assert told.reloads >= 4
    assert told.in_force >= told.reloads  # each of them was seen, and the first


def test_a_dead_worker_is_replaced_and_what_it_held_is_all_that_is_lost(tmp_path: Path) -> None:
    taken_s: list[float] = []

    def kill(worker: Worker) -> None:
        for _ in range(3):
            time.sleep(1.5)
            before = _children(worker)
            os.kill(min(before), signal.SIGKILL)
            died = time.monotonic()
            while len(_children(worker) - {min(before)}) < 2 and time.monotonic() - died < 10:
                time.sleep(0.005)
            taken_s.append(time.monotonic() - died)

    told = soak(tmp_path, seconds=8, rate=1500, reload_every_s=60, workers=2, beside=kill)
    assert len(taken_s) == 3
    assert max(taken_s) < 1
    assert told.lost_by_us < 150  # what waited in the dead one's buffer, and for its upstream; not what came after
    assert told.probes_lost <= 3
    assert told.percentile_ms(0.5) < 100


def _children(worker: Worker) -> set[int]:
    text = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children").read_text()
    return {int(pid) for pid in text.split()}
