"""Killing a process just before its Nth durable write, or letting that write fail, by strace.

The operation runs in a forked child of the test, which waits until strace has attached, so that one point costs tens of
milliseconds and every count begins with the operation itself. strace delivers SIGKILL on entry to a call, before the
kernel does anything of it: killed at N means that the call before it was the last. The child must do its work in its
main thread and open its database itself.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

FILES = (
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "link",
    "unlink",
    "ftruncate",
    "fallocate",
)
"""System calls by which files change for good."""
ATTACH_LIMIT_S = 20.0
RUN_LIMIT_S = 60.0
_CALL = re.compile(r"^\d+\s+(\w+)\((.*)")
_PR_SET_PTRACER, _ANY = 0x59616D61, ctypes.c_ulong(-1)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made: which of its kind (from 1, as strace counts), and its arguments as strace shows them."""

    name: str
    number: int
    arguments: str

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the child ended. `answer` is "done", or the name and text of what was raised; None when it was killed."""

    answer: str | None
    calls: tuple[Call, ...]


def run(
    operation: Callable[[], object],
    log: Path,
    *,
    calls: Sequence[str] = FILES,
    tamper: str = "",
    about: str = "",
    beside: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Outcome:
    """Run `operation` in a child under strace and say how it ended.

    `tamper` is strace's expression, such as `pwrite64:signal=KILL:when=3`. Calls are kept whose arguments name `about`.
    `beside` is entered once the child exists, for what has to run at the same time in threads of this process.
    """
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _child(operation, theirs)
    theirs.close()
    ours.settimeout(RUN_LIMIT_S)
    try:
        with attached(child, log, calls=calls, tamper=tamper), beside():
            ours.sendall(b"!")
            answer = b"".join(iter(lambda: ours.recv(65536), b"")).decode()
            _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        ours.close()
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or answer, f"the child ended with {os.waitstatus_to_exitcode(status)} and without an answer"
    return Outcome(None if killed else answer, _calls(log, about))


@contextmanager
def attached(process: int, log: Path, *, calls: Sequence[str] = FILES, tamper: str = "") -> Iterator[None]:
    """strace on every thread of a process that lets itself be traced; it has ended by the end of the block."""
    options = ["-e", f"inject={tamper}"] if tamper else []
    tracing = ["strace", "-f", "-qq", "-y", "-o", str(log), "-e", f"trace={','.join(calls)}", *options]
    tracer = subprocess.Popen([*tracing, "-p", str(process)], stderr=subprocess.PIPE)
    try:
        _wait_for_tracer(process, tracer)
        yield
        tracer.communicate(timeout=RUN_LIMIT_S)
    except BaseException:
        tracer.kill()
        tracer.communicate()
        raise


def let_be_traced() -> None:
    """Where only a parent may trace, let strace trace this process, too."""
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)


def points(calls: Sequence[Call], most: int) -> list[Call]:
    """Where to strike: every call that is no plain write, the write before and after each of those, the first and last
    three, and of the other writes so many, evenly spread, that there are about `most` in all.
    """
    chosen = set(range(min(3, len(calls)))) | set(range(max(0, len(calls) - 3), len(calls)))
    for place, call in enumerate(calls):
        if "write" not in call.name:
            chosen |= {place - 1, place, place + 1}
    chosen &= set(range(len(calls)))
    others = [place for place in range(len(calls)) if place not in chosen]
    room = max(0, most - len(chosen))
    if room:
        chosen |= set(others[:: max(1, -(-len(others) // room))])
    return [calls[place] for place in sorted(chosen)]


def missing() -> str | None:
    """Why nothing can be traced on this machine; None when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (Debian: strace)"
    done = subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()}"


def _child(operation: Callable[[], object], parent: socket.socket) -> None:
    """Never returns. It answers by a call that nothing else makes, as others may be tampered with."""
    try:
        let_be_traced()
        sys.stdout.flush()
        os.read(parent.fileno(), 1)
        try:
            operation()
            answer = "done"
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        parent.sendmsg([answer.encode()])
    finally:
        os._exit(0)


def _wait_for_tracer(child: int, tracer: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + ATTACH_LIMIT_S
    threads, told = Path(f"/proc/{child}/task"), f"TracerPid:\t{tracer.pid}\n"
    while not all(told in (thread / "status").read_text() for thread in threads.iterdir()):
        if tracer.poll() is not None or time.monotonic() > deadline:
            why = tracer.stderr.read().decode() if tracer.stderr and tracer.poll() is not None else "no answer"
            raise RuntimeError(f"strace did not attach: {why}")
        time.sleep(0.002)


def _calls(log: Path, about: str) -> tuple[Call, ...]:
    """The calls in strace's log, in order; each has its number among all calls of its name, also those left out."""
    counts: Counter[str] = Counter()
    found: list[Call] = []
    for line in log.read_text(errors="replace").splitlines():
        match = _CALL.match(line)
        if match is not None:
            name, arguments = match.groups()
            counts[name] += 1
            if about in arguments:
                found.append(Call(name, counts[name], arguments))
    return tuple(found)
