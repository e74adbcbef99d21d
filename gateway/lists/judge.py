"""The judge's model on this machine: trained in a process of its own when lists change, read into each snapshot.

`STATE/policy/judge.model` is the newest model, replaced by rename; an older one serves until the next is trained.
Training needs numpy (extra `judge`); without it names are simply not judged, and the reason is told once.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from gateway.lists.judge_examples import Listed, ordinary_names, read_names, sample
from policies.lexical import VERSION, Judge
from policies.names import PolicyError

SECTION = "judge"
SEED = 0
NO_NUMPY = 3
"""Exit code of the training process where numpy is missing."""
INSTALL = f"{shlex.quote(sys.executable)} -m pip install 'gjestenett[judge]'"
"""What brings numpy to the environment that runs this, be it a clone's or an installed package's."""
TIME_LIMIT_S = 1800.0


def model_path(state: Path) -> Path:
    """Where the newest model lies."""
    return state / "policy" / "judge.model"


def ranking_path(state: Path) -> Path:
    """Where IT may put a list of well-visited names (one a line, or `rank,name`), for fewer false alarms."""
    return state / "lists" / "benign.txt"


def sections(state: Path) -> dict[str, bytes]:
    """The section for the compiler's `sections`: empty while there is no sound model."""
    try:
        octets = model_path(state).read_bytes()
        Judge(octets)
    except (OSError, PolicyError):
        return {}
    return {SECTION: octets}


def digest_of(lists: Sequence[Listed], ranking: Sequence[str]) -> str:
    """What a model follows from: the names by category, the ranking and the built-in names."""
    digest = sha256(f"{VERSION} {SEED}\n".encode())
    for each in sorted(lists, key=lambda each: (each.category, str(getattr(each, "source", "")))):
        digest.update(_told(each).encode())
    digest.update("\n".join(sorted(ranking)).encode() + b"\n\n" + "\n".join(sorted(ordinary_names())).encode())
    return digest.hexdigest()


def _told(each: Listed) -> str:
    digest = getattr(each, "sha256", None) or sha256("\n".join(each.entries).encode()).hexdigest()
    return f"{getattr(each, 'source', '')} {each.category} {digest}\n"


class Trainer:
    """Trains beside the jobs service. `start` when lists may have changed, `poll` now and then; neither waits long."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._process: subprocess.Popen[bytes] | None = None
        self._done: str | None = _trained_digest(model_path(state))
        self._doing = ""
        self._asked: tuple[object, ...] | None = None
        self._wanted = ""
        self.problem: str | None = None
        """Why there is no newer model, in one line; None when all is well."""
        self.lacks_numpy = False

    def start(self, lists: Iterable[Listed]) -> bool:
        """Begin to train if the lists are not those that the newest model was trained on; whether it began. A training
        on lists that are no longer those is ended.
        """
        given = tuple(lists)
        # Asked every few seconds: a ranking of a million names is not read again while it is the same file.
        asked = (_signature(ranking_path(self._state)), *sorted(map(_told, given)))
        if asked != self._asked:
            self._wanted, self._asked = digest_of(given, self._ranking()), asked
        wanted = self._wanted
        if wanted == (self._done if self._process is None else self._doing):
            return False
        self.close()
        ranking = self._ranking()
        folder = model_path(self._state).parent
        folder.mkdir(parents=True, exist_ok=True)
        source = self._input
        with source.open("w", encoding="ascii") as file:
            file.writelines(f"{category}\t{name}\n" for category, name in sample(given))
            file.writelines(f"\t{name}\n" for name in ranking)
        command = [
            sys.executable,
            "-P",
            "-m",
            "gateway.lists.judge_child",
            str(source),
            str(folder / ".judge.new"),
            wanted,
            str(os.getpid()),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._doing = wanted
        return True

    def poll(self) -> bool:
        """Whether a new model has been put in place since the last call: then the policy is to be compiled anew."""
        if self._process is None or (code := self._process.poll()) is None:
            return False
        self._process = None
        self._input.unlink(missing_ok=True)
        self._done = self._doing  # a failure is not tried again on the same lists
        self.lacks_numpy = code == NO_NUMPY
        if code:
            self.problem = (
                f"unlisted names are not judged, since numpy is missing; install it with: {INSTALL}"
                if code == NO_NUMPY
                else f"training the judge of unlisted names failed (exit code {code}); the model before it serves on"
            )
            return False
        os.replace(model_path(self._state).with_name(".judge.new"), model_path(self._state))
        self.problem = None
        return True

    def close(self) -> None:
        """End a training that is under way."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._input.unlink(missing_ok=True)

    @property
    def _input(self) -> Path:
        """What the child reads: a file of this process's own, so that two services on one state never share one."""
        return model_path(self._state).with_name(f".judge.input.{os.getpid()}")

    def _ranking(self) -> list[str]:
        try:
            with ranking_path(self._state).open(encoding="utf-8", errors="replace") as file:
                return sorted(set(read_names(file)))
        except OSError:
            return []


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _trained_digest(path: Path) -> str | None:
    try:
        return str(Judge(path.read_bytes()).facts.get("inputs"))
    except (OSError, PolicyError):
        return None
