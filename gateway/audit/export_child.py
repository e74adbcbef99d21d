"""The export process: reads one job on standard input, writes the bundle, and tells in a small file how far it is.

A process of its own, so that the console goes on answering while a million entries are hashed. It ends with the process
that started it, at the next sign of progress.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from gateway.audit.errors import AuditError, TooManyRowsError
from gateway.audit.export import Order, export
from gateway.audit.note import parse_verifiers
from gateway.errors import GatewayError
from gateway.storage.engine import StorageUnavailableError, open_database
from gateway.storage.places import find_place

BUNDLE = "bundle.zip"
FILE = "state.json"
EVERY_S = 0.5
Stage = Literal["starting", "reading", "packing", "signing", "done", "failed"]
Reason = Literal["", "rows", "log", "space", "storage", "unexpected"]


@dataclass(frozen=True)
class Job:
    """What to export from which database, by which keys, into which private folder."""

    database_url: str
    owner: str
    site: str
    gateway: str
    keys: str
    order: Order
    now: datetime
    folder: Path

    def encode(self) -> bytes:
        return TypeAdapter(Job).dump_json(self)


@dataclass(frozen=True)
class State:
    """How far it is: of `reading`, `done` of `total` entries. `failed` has a reason, `done` the entries of the log."""

    stage: Stage = "starting"
    done: int = 0
    total: int | None = None
    reason: Reason = ""


def read_state(folder: Path) -> State:
    """What the process has told last."""
    try:
        return State(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return State()


def main() -> int:
    """0 when the bundle is there; else the state says why not."""
    started_by = os.getppid()
    job = TypeAdapter(Job).validate_json(sys.stdin.buffer.read())
    last: tuple[str, float] = ("", 0.0)

    def tell(stage: str, done: int, total: int | None) -> None:
        nonlocal last
        if os.getppid() != started_by:
            raise SystemExit(1)  # nobody waits for it any more
        if stage != last[0] or time.monotonic() - last[1] >= EVERY_S:
            last = (stage, time.monotonic())
            _write(job.folder, State(stage, done, total))  # type: ignore[arg-type]  # the stages that `export` names

    os.umask(0o077)
    os.nice(5)  # answering comes first
    reason = _run(job, tell)
    if isinstance(reason, int):
        _write(job.folder, State("done", reason, reason))
        return 0
    _write(job.folder, State("failed", reason=reason))
    return 1


def _run(job: Job, tell: Callable[[str, int, int | None], None]) -> int | Reason:
    database = open_database(job.database_url)
    try:
        with database.read() as session:
            place = find_place(session, job.owner, job.site, job.gateway)
        if place is None:
            return "storage"
        keys = parse_verifiers(job.keys)
        return export(database, place, keys, job.order, job.folder / BUNDLE, job.now, tell).entries
    except TooManyRowsError:
        return "rows"
    except StorageUnavailableError:
        return "storage"
    except OSError as error:
        _log(error)
        return "space" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "unexpected"
    except (AuditError, GatewayError) as error:
        _log(error)
        return "log"
    finally:
        database.close()


def _log(error: Exception) -> None:
    print(f"an export failed: {' '.join(str(error).split())}", file=sys.stderr, flush=True)


def _write(folder: Path, state: State) -> None:
    new = folder / f"{FILE}.new"
    new.write_text(json.dumps(asdict(state)), encoding="utf-8")
    os.replace(new, folder / FILE)


if __name__ == "__main__":
    sys.exit(main())
