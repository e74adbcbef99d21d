"""What is measured on both databases: a fresh SQLite file, then a PostgreSQL of its own where there is one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.postgres import Cluster, binaries, missing


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
