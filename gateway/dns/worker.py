"""The processes of the DNS service: each worker one event loop, a dead one replaced within a second.

`run` replaces the calling process by a lean interpreter that knows only this package: the settings library alone
would double a worker's memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, NoReturn

from gateway.dns.config import DnsConfig, from_settings
from gateway.dns.errors import DnsError
from gateway.dns.own import is_here
from gateway.dns.server import Server, bind, listen_error
from gateway.dns.upstreams.servers import advise
from gateway.readiness import asked_by, say_ready

if TYPE_CHECKING:
    from gateway.settings import Settings

log = logging.getLogger(__name__)

_STOPPING = frozenset((signal.SIGTERM, signal.SIGINT))
_LISTENS = signal.SIGUSR1  # what a worker tells its supervisor
_WATCHED = _STOPPING | {signal.SIGCHLD, _LISTENS}
_RESPAWN_AFTER_S = 0.5
_LISTENS_WITHIN_S = 5.0
_STOP_WITHIN_S = 3.0
_PR_SET_PDEATHSIG = 1
_GC_THRESHOLDS = (2_000, 1_000, 1_000)
"""Answers refer to nothing that refers back, so the search for cycles finds little and stays among what is new: looking
through full caches cost a fifth of a forwarded question.
"""


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; blocks, and keeps the process's ID. Ends with 0, or with 1 when it cannot listen.

    Raises: DnsError when a setting is unusable.
    """
    config = from_settings(settings)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)  # kept by the new program, until it can end cleanly
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "gateway.dns.worker", config.to_json()])  # noqa: S606


def main(config: DnsConfig) -> int:
    """The lean program: one worker in this process, or several supervised by it. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="dns: %(message)s")
    advise(chain(config.upstreams, *(servers for _, servers in config.zones)))
    try:
        for address in config.listen:
            if not is_here(address):
                log.warning("%s is no address of this machine yet: answering there from when it is", address)
            doors = [(config.port, socket.SOCK_DGRAM), (config.port, socket.SOCK_STREAM)]
            if config.tls_certificate:
                doors.append((config.tls_port, socket.SOCK_STREAM))
            for port, kind in doors:
                try:
                    bind(address, port, kind, shared=False).close()  # fails where another instance serves
                except OSError as problem:
                    raise listen_error(address, port, problem) from problem
        if config.workers == 1:
            return _serve_until_told(config, say_ready)
        return _supervise(config)
    except DnsError as problem:
        print(f"gjestenett dns: {problem}", file=sys.stderr)
        return problem.exit_code


def _serve_until_told(config: DnsConfig, listens: Callable[[], object]) -> int:
    return asyncio.run(_serve(config, listens))


async def _serve(config: DnsConfig, listens: Callable[[], object]) -> int:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in _STOPPING:
        loop.add_signal_handler(number, told.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    server = Server(config)
    await server.start()
    listens()
    gc.collect()
    gc.freeze()  # what lives for good is not looked through again
    gc.set_threshold(*_GC_THRESHOLDS)
    log.info("answering on %s port %d", ", ".join(config.listen), config.port)
    await told.wait()
    await server.stop()
    return 0


def _supervise(config: DnsConfig) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    gc.freeze()
    starter = asked_by()  # before any fork: who started this process listens to this one
    workers: dict[int, float] = {}
    due: list[float] = [0.0] * config.workers
    while True:
        now = time.monotonic()
        if min(due, default=now + 60.0) <= now:
            due.remove(min(due))
            workers[_spawn(config)] = now
        wait_s = min(due, default=now + 60.0) - now
        info = signal.sigtimedwait(_WATCHED, max(0.0, wait_s))
        if info is not None and info.si_signo in _STOPPING:
            return _stop(workers)
        if info is not None and info.si_signo == _LISTENS:
            say_ready(starter)
            starter = ""
        now = time.monotonic()
        for pid in _reap():
            started = workers.pop(pid, None)
            if started is not None:
                log.warning("worker %d ended; starting another", pid)
                due.append(now if now - started > _RESPAWN_AFTER_S else now + _RESPAWN_AFTER_S)


def _spawn(config: DnsConfig) -> int:
    """Start a worker, and wait until it listens or has ended.

    One after the other they take their places at each address in the same order, so that `steering`, which tells the
    kernel a place, leads a device to the same worker by IPv4, IPv6, UDP and TCP.
    """
    parent = os.getpid()
    heard, listens = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        _be_worker(config, parent, listens)
    os.close(listens)
    select.select([heard], [], [], _LISTENS_WITHIN_S)  # its end is closed by the worker, or with it
    os.close(heard)
    return pid


def _be_worker(config: DnsConfig, parent: int, listens: int) -> NoReturn:
    code = 1
    try:
        # No worker outlives its supervisor.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() == parent:
            code = _serve_until_told(config, lambda: _tell(parent, listens))
    except DnsError as problem:
        log.error("%s", problem)
    except BaseException:
        log.exception("worker failed")
    finally:
        os._exit(code)


def _tell(parent: int, listens: int) -> None:
    os.close(listens)
    with contextlib.suppress(ProcessLookupError):
        os.kill(parent, _LISTENS)


def _reap() -> list[int]:
    ended: list[int] = []
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if not pid:
            return ended
        ended.append(pid)


def _stop(workers: dict[int, float]) -> int:
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_WITHIN_S
    left = set(workers)
    while left and time.monotonic() < deadline:
        signal.sigtimedwait({signal.SIGCHLD}, 0.2)
        left -= set(_reap())
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(DnsConfig.from_json(sys.argv[1])))
