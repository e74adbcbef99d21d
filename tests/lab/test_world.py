"""The lab leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.world import PROJECT, LabError, World, missing

REASON = missing()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))

HOLD = """
import time
from tests.lab.world import World
with World() as world:
    server = world.popen("internet", "sleep", "300")
    print(world._pid, server.pid, world.directory, flush=True)
    time.sleep(300)
"""


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_test_is_killed(how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True, cwd=PROJECT) as test:
        assert test.stdout is not None
        holder, server, directory = test.stdout.readline().split()
        assert alive(int(holder))
        assert Path(directory).is_dir()
        os.kill(test.pid, how)
    deadline = time.monotonic() + 5
    while (alive(int(holder)) or alive(int(server)) or Path(directory).exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(int(holder))
    assert not alive(int(server))
    assert not Path(directory).exists()


def test_nothing_is_left_when_it_ends_by_itself() -> None:
    with World() as world:
        server = world.popen("internet", "sleep", "300")
        directory = world.directory
        with pytest.raises(LabError, match="exit 3"):
            world.run("guest1", "sh", "-c", "exit 3")
    assert server.poll() is not None
    assert not directory.exists()
