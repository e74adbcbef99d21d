"""The supervisor of `gjestenett up`: one child process a service, restarted with back-off, and no orphan left.

Each child is told by the kernel to die with its parent (PR_SET_PDEATHSIG), so that even `kill -9` of the supervisor
leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import logging
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.readiness import VARIABLE, Ear, say_ready

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
LAST_CAPABILITY = 63  # more than any kernel has; dropping one that does not exist fails harmlessly
STOP_S = 8.0
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
STEADY_S = 30.0
WRONG_USE_EXIT = 2  # a child that never was ready and ends with 2 is set up wrongly; starting it again would not help


@dataclass(frozen=True)
class Service:
    """A name and the command that runs it in the foreground until SIGTERM, and says when it is ready (`say_ready`).

    Unless `privileged`, it runs with no capability but those in `keeps` (numbers), also where the supervisor is root,
    and can't gain one.
    """

    name: str
    command: Sequence[str]
    privileged: bool = False
    keeps: frozenset[int] = frozenset()


@dataclass
class _Child:
    service: Service
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    delay_s: float = FIRST_DELAY_S
    ear: Ear = field(default_factory=Ear)
    was_ready: bool = False
    due_at: float = field(default_factory=time.monotonic)


class Supervisor:
    """Runs services until SIGTERM or SIGINT. Create and run it in the main thread of a process with no other.

    `on_ready` is told the name of each service when it is ready for the first time; whoever started this process is
    told when all are (`say_ready`).
    """

    def __init__(self, services: Sequence[Service], on_ready: Callable[[str], object] = lambda _name: None) -> None:
        self._on_ready = on_ready
        self._children = [_Child(service) for service in services]
        self._parent = os.getpid()
        self._libc = ctypes.CDLL(None, use_errno=True)

    def run(self) -> int:
        """Start everything and keep it running. Returns 0 after a requested stop, 1 when a service can't be started:
        it has ended with 2 before it was ready. One that was ready before is tried again: what guests have goes on.
        """
        stop = _StopSignals()
        try:
            while not stop.requested:
                if not self._tend():
                    return 1
                stop.wait(0.1)
            return 0
        finally:
            self._stop()
            stop.close()
            for child in self._children:
                child.ear.close()

    def _tend(self) -> bool:
        now = time.monotonic()
        for child in self._children:
            if child.process is not None:
                status = child.process.poll()
                if child.ear.hears_ready() and not child.was_ready:
                    child.was_ready = True
                    self._on_ready(child.service.name)
                    if all(each.was_ready for each in self._children):
                        say_ready()
                if status is None:
                    if now - child.started_at > STEADY_S:
                        child.delay_s = FIRST_DELAY_S
                    continue
                child.process = None
                if status == WRONG_USE_EXIT and not child.was_ready:
                    log.error("%s can't be started as it is set up; everything is stopped", child.service.name)
                    return False
                log.warning("%s ended (%s); starting it again in %.1f s", child.service.name, status, child.delay_s)
                child.due_at = now + child.delay_s
                child.delay_s = min(child.delay_s * 2, LONGEST_DELAY_S)
            if child.process is None and now >= child.due_at:
                child.process = subprocess.Popen(
                    child.service.command,
                    preexec_fn=self._die_with_parent  # noqa: PLW1509
                    if child.service.privileged
                    else partial(self._drop, child.service.keeps),
                    start_new_session=True,
                    env=os.environ | {VARIABLE: child.ear.address},
                )
                child.started_at = now
        return True

    def _die_with_parent(self) -> None:
        self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != self._parent:  # the parent died between fork and prctl
            os._exit(1)

    def _drop(self, keeps: frozenset[int]) -> None:
        for capability in frozenset(range(LAST_CAPABILITY + 1)) - keeps:
            self._libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # exec then leaves root none of them
        self._libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        self._die_with_parent()

    def _stop(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process %d did not stop in time; killed", process.pid)
                process.kill()
                process.wait()


class _StopSignals:
    """SIGTERM and SIGINT as a readable pipe, so that a wait ends at once."""

    def __init__(self) -> None:
        self.requested = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._read, selectors.EVENT_READ)
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}

    def _note(self, _number: int, _frame: object) -> None:
        self.requested = True
        os.write(self._write, b"x")

    def wait(self, timeout_s: float) -> None:
        self._selector.select(timeout_s)

    def close(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._selector.close()
        os.close(self._read)
        os.close(self._write)


class StopFlag:
    """What a service's own loop asks: has SIGTERM or SIGINT come? `event` is set when it has."""

    def __init__(self, event: threading.Event | None = None) -> None:
        self._event = event or threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: object) -> None:
        self._event.set()

    def __call__(self) -> bool:
        return self._event.is_set()
