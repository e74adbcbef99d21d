"""Starting, beside jobs, the process that pushes checkpoints when a target is due; one at a time, ended when it hangs.

A process of its own, so that passwords and tokens, and servers that hang, stay away from what compiles lists, and
from the
sealer, the only holder of the log's key.
"""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable, Sequence

from gateway.storage.engine import StorageUnavailableError

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
LIMIT_S = 300.0


class Pusher:
    """`is_due` says whether `command` has to run now. Call `poll` often; it never blocks for long."""

    def __init__(
        self,
        command: Sequence[str],
        is_due: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
        *,
        what: str = "pushing checkpoints",
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._command = list(command)
        self._is_due = is_due
        self._clock = clock
        self._what, self._look_every_s = what, look_every_s
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next = clock()

    def poll(self) -> None:
        """Start the process when a target is due; look after it."""
        now = self._clock()
        if self._process is not None:
            if self._process.poll() is None:
                if now - self._started > LIMIT_S:
                    log.error("%s took longer than %d s and is ended", self._what, LIMIT_S)
                    self._process.kill()  # one that hangs in a dead mount ends when that answers: it is not waited for
                    self._started = now
                return
            self._process = None
        if now < self._next:
            return
        self._next = now + self._look_every_s
        try:
            if not self._is_due():
                return
            self._started = now
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except StorageUnavailableError:
            pass  # it is looked at again
        except OSError as problem:
            log.error("%s can't be started: %s", self._what, problem)

    def close(self) -> None:
        """End the process, if one runs."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
