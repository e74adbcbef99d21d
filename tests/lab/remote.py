"""An object that lives in another namespace: its methods are called here and carried out there.

Python 3.11 can't enter a network namespace, and a namespace belongs to a process; so the object gets its own process.
"""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any


class Remote:
    """`Remote(["unshare", "-rn"], "package.module:Class").method(…)`; exceptions come back as themselves."""

    def __init__(self, enter: Sequence[str], factory: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [*enter, sys.executable, "-m", "tests.lab.remote"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._ask(factory, arguments)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self._ask(name, arguments)

    def close(self) -> None:
        """End the process, and with it its namespace."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(timeout=10)

    def _ask(self, name: str, arguments: tuple[object, ...]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((name, arguments), self._process.stdin)
        self._process.stdin.flush()
        fine, value = pickle.load(self._process.stdout)
        if not fine:
            raise value
        return value


def _serve() -> None:
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    target: Any = None
    while True:
        try:
            name, arguments = pickle.load(source)
        except EOFError:
            return
        try:
            if target is None:
                module, attribute = name.split(":")
                target = getattr(importlib.import_module(module), attribute)(*arguments)
                answer = (True, None)
            else:
                answer = (True, getattr(target, name)(*arguments))
        except Exception as error:
            answer = (False, error)
        pickle.dump(answer, sink)
        sink.flush()


if __name__ == "__main__":
    _serve()
