"""A real PostgreSQL for tests: started in a temporary directory on a Unix socket only, and gone afterwards.

PostgreSQL refuses to run as root, so root runs it as the account `postgres`, which Debian's package makes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20


class Cluster:
    """One PostgreSQL server with its data under `home`. Superuser `postgres`, trusted on the socket."""

    def __init__(self, binaries: Path, home: Path) -> None:
        self.home = home
        self._binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    def initialise(self) -> None:
        """Make the data directory."""
        command = ["initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            [*self._as_postgres(), self._binaries / command[0], *command[1:], "-D", self.home / "data"],
            check=True,
            capture_output=True,
            cwd="/",
            timeout=60,
        )

    def start(self, *, durable: bool = False) -> None:
        """Start the server and wait until it answers; with `durable` it writes to disk at each commit, as in use."""
        fsync = "on" if durable else "off"
        options = {"listen_addresses": "", "unix_socket_directories": str(self.home), "fsync": fsync}
        arguments = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_postgres(), self._binaries / "postgres", "-D", self.home / "data", *arguments],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log_text = (self.home / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start: {log_text[-2000:]}") from error
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server at once, cutting its connections; nothing happens when it doesn't run."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # "fast shutdown"
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)  # "immediate shutdown", which takes the children along
            self._process.wait(STOP_TIMEOUT_S)
        self._process = None

    def url(self, name: str) -> str:
        """The URL of database `name`, as the setting `database.url` takes it."""
        return f"postgresql://postgres@/{name}?host={self.home}"

    def execute(self, statement: str) -> None:
        """Run one statement in the database `postgres`, outside a transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, template: str = "template0") -> str:
        """Make a database from `template`; returns its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever still uses it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @staticmethod
    def _as_postgres() -> list[str]:
        lasting = ["setpriv", "--pdeathsig", "INT"]  # a killed test run leaves no server behind
        account = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        return [*lasting, *account, "--"]


def missing() -> str | None:
    """What this machine lacks for a PostgreSQL of its own; None when nothing."""
    if binaries() is None:
        return "PostgreSQL's server programs are not installed (Debian: postgresql)"
    if shutil.which("setpriv") is None:
        return "setpriv is not installed (Debian: util-linux)"
    return None


def binaries() -> Path | None:
    """The directory with `initdb` and `postgres`, of the newest version that is installed."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: float(path.parts[-3]), default=None)
    return newest.parent if newest is not None else None


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A running PostgreSQL in a temporary directory. Raises: RuntimeError when `missing()`."""
    lacking, programs = missing(), binaries()
    if lacking is not None or programs is None:
        raise RuntimeError(lacking)
    home = Path(tempfile.mkdtemp(prefix="gjestenett-pg-", dir="/tmp"))  # a short path: sockets have 107 bytes
    running = Cluster(programs, home)
    try:
        if os.geteuid() == 0:
            shutil.chown(home, "postgres", "postgres")
        running.initialise()
        running.start(durable=durable)
        yield running
    finally:
        running.stop()
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running PostgreSQL, one a test session; skips where there is none, and fails in CI."""
    lacking = missing()
    if lacking is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{lacking}; CI must have it")
        pytest.skip(f"{lacking}; the storage tests on PostgreSQL are left out")
    with cluster() as running:
        yield running
