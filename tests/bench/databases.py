"""What is measured on both databases: a fresh SQLite file, then a PostgreSQL of its own where there is one."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from gateway.storage.engine import Session
from tests.postgres import Cluster, binaries, missing


def backend_of(session: Session) -> int | None:
    """The process of PostgreSQL that answers a session; None on SQLite, which answers in ours."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    return session.scalar(text("SELECT pg_backend_pid()"))


def processor_s(backend: int | None) -> float:
    """Seconds of processor time of this process and of the database's: what is asked costs them, whatever else runs."""
    spent = time.process_time()
    if backend is not None:
        spent += int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9
    return spent


def on_both(name: str, measure: Callable[[str, str], float]) -> float:
    """The larger of what `measure(database's name, URL)` says of each. `name` tells what is measured."""
    with tempfile.TemporaryDirectory(prefix=f"gjestenett-{name}-", dir="/tmp") as folder:
        slowest = measure("SQLite", f"sqlite:///{folder}/{name}.sqlite3")
        programs = binaries()
        if missing() is not None or programs is None:
            print(f"PostgreSQL is left out: {missing()}")
            return slowest
        home = Path(folder) / "pg"
        home.mkdir()
        shutil.chown(home, "postgres", "postgres")
        Path(folder).chmod(0o755)
        cluster = Cluster(programs, home)
        cluster.initialise()
        cluster.start()
        try:
            return max(slowest, measure("PostgreSQL", cluster.url(cluster.create())))
        finally:
            cluster.stop()
