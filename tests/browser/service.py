"""Services of the product as processes of their own, forked from one that has already imported what they run.

They run what `gjestenett` runs with the same arguments. Only the imports, two seconds of processor time for a console,
are not done anew for each test; how a service starts from nothing is for other tests to show.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

from gateway.cli import cli

START_S, STOP_S = 120, 30
_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        __name__,
        "captive_portal.auth.certificate",
        "captive_portal.console_app",
        "captive_portal.guest_app",
        "captive_portal.serve",
        "gateway.audit.sealer",
        "gateway.audit.witness",
        "gateway.collection",
        "gateway.settings.now",
        "gateway.storage.schema",
    ]
)


@contextmanager
def serving(config: Path, state: Path, services: Mapping[str, int | None]) -> Iterator[None]:
    """Run these services until the end; those with a port listen there before anything else is done.

    Each must end well when it is told to.
    """
    arguments = ["--config", str(config), "--state", str(state)]
    environment = dict(os.environ)
    running = {
        name: _FORKING.Process(target=_run, args=([*arguments, name], environment), daemon=True) for name in services
    }
    for process in running.values():
        process.start()
    try:
        for name, port in services.items():
            if port is not None:
                _wait_for(port, running[name])
        yield
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join(STOP_S)
        assert {name: process.exitcode for name, process in running.items()} == dict.fromkeys(running, 0)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(arguments: list[str], environment: dict[str, str]) -> None:
    os.environ.clear()  # what it has is of the moment when the first service was forked
    os.environ.update(environment)
    cli(arguments, prog_name="gjestenett")


def _wait_for(port: int, process: BaseProcess) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.is_alive(), "it ended at once"
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"it did not start listening within {START_S} s")
