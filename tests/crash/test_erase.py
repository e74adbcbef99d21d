"""Erasing, killed at each write that lasts, and on a full disk: all of it or nothing, and the leaf exactly when all.

The real command runs under `strace`, which kills it at its N-th system call of a kind, for N = 1, 2, 3 … until it
comes through. After each kill the database is opened as any service opens it.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.access.accept import Applicant, accept
from gateway.audit.erasing import current_list
from gateway.audit.erasure_list import numbers
from gateway.audit.sealer import seal_staged
from gateway.clock import utc_now
from gateway.installation import open_services, read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.storage import erasures, leaves, rules

pytestmark = [
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (Debian: strace)"),
    pytest.mark.timeout(900),
]

NAME, MAC, CONTACT = "Tordis Ødegård", "a6:5e:d7:31:9c:4b", "tordis@solbakken.example"
CALLS = "fdatasync,fsync,ftruncate,rename,unlink,pwrite64"
SAMPLED = {"pwrite64": 9}  # between two calls that make it last, writes are alike: every ninth is enough
MOST = 400


@pytest.fixture
def ready(services):
    """An installation with three guests, sealed and closed, to be copied for each kill."""
    place, signer = services.place, read_signing_key(services.settings)
    with services.database.write() as session:
        version = rules.version_in_force(session, place.owner_id, now=utc_now())
    for name, mac, contact in (
        ("Ola Hansen", "02:00:00:00:00:01", ""),
        (NAME, MAC, CONTACT),
        ("Per Li", "02:00:00:00:00:02", ""),
    ):
        with services.database.write() as session:
            accept(
                session, place, Neighbour("lo", mac), Applicant(name, "Solbakken AS", contact), version_id=version.id,
                language="nb", address="10.77.3.141", duration=timedelta(hours=10), now=utc_now(),
            )  # fmt: skip
    while seal_staged(services.database, place.owner_id, place.log_origin, signer, utc_now()):
        pass
    services.database.close()
    return services.settings


def erase(state: Path, *before: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.cli", "--state", str(state), "audit", "erase"]
    arguments = ["--name", NAME, "--reason", "krav", "--yes"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GJESTENETT")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        [*before, *command, *arguments], capture_output=True, text=True, timeout=120, check=False, env=environment
    )


def strace(log: Path, *injections: str) -> list[str]:
    traced = [part for injection in injections for part in ("-e", f"inject={injection}")]
    return ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={CALLS}", *traced]


def copy(ready, tmp_path: Path, name: str) -> Path:
    state = tmp_path / name
    shutil.copytree(ready.state, state, ignore=shutil.ignore_patterns("*.sock"))
    return state


def stands(ready, state: Path) -> tuple[bool, bool]:
    """(whether she is in the tables, whether the bytes are said to be gone), after checking that nothing is halved."""
    path = state / "gjestenett.sqlite3"
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        visitors = {row[0] for row in connection.execute("SELECT name FROM visitor")}
        devices = {row[0] for row in connection.execute("SELECT mac FROM device")}
        values = {row[0] for row in connection.execute("SELECT value FROM disclosure")}
        grants = connection.execute("SELECT count(*) FROM access_grant").fetchone()[0]
        staged = [json.loads(row[0]) for row in connection.execute("SELECT entry FROM staged_leaf")]
    connection.close()
    there = NAME in visitors
    assert {"Ola Hansen", "Per Li"} < visitors | {NAME}
    assert [MAC in devices, NAME in values, CONTACT in values, MAC in values] == [there] * 4
    assert grants == 2 + there
    assert [leaf["type"] for leaf in staged] == ([] if there else ["erased"])
    services = open_services(ready.model_copy(update={"state": state}), utc_now)
    try:
        with services.database.read() as session:
            listed = list(numbers(current_list(session, services.place).leaves))
            unwiped = erasures.unwiped(session, services.place.owner_id)
            size = leaves.find_head(session, services.place.owner_id).size
        assert len(listed) == (0 if there else 1)
        assert all(leaf < size for leaf in listed)
        if not there:
            assert staged[0]["leaves"] == str(listed[0])
    finally:
        services.database.close()
    return there, not unwiped


def test_killed_at_each_lasting_write(ready, tmp_path):
    seen = set()
    for call in CALLS.split(","):
        for number in range(1, MOST, SAMPLED.get(call, 1)):
            state = copy(ready, tmp_path, "copy")
            done = erase(state, *strace(tmp_path / "trace", f"{call}:signal=KILL:when={number}"))
            there, wiped = stands(ready, state)
            is_new = (there, wiped) not in seen
            seen.add((there, wiped))
            if done.returncode == 0:
                assert (there, wiped) == (False, True)
                shutil.rmtree(state)
                break
            assert done.returncode == -9, done.stderr
            if is_new:  # whoever was killed tries again
                again = erase(state)
                assert again.returncode == (0 if there else 1), again.stderr
                assert not stands(ready, state)[0]
            shutil.rmtree(state)
        else:
            raise AssertionError(f"the command never came through {MOST} kills at {call}")
    assert (True, True) in seen, "no kill came before the commit"
    assert (False, False) in seen, "no kill came between the commit and the wiping"


def test_a_full_disk_erases_all_or_nothing_and_says_so(ready, tmp_path):
    outcomes = set()
    for number in range(1, MOST, SAMPLED["pwrite64"]):
        state = copy(ready, tmp_path, "copy")
        done = erase(state, *strace(tmp_path / "trace", f"pwrite64:error=ENOSPC:when={number}+"))
        there, wiped = stands(ready, state)
        outcomes.add((done.returncode, there))
        assert "Traceback" not in done.stderr
        if there:
            assert done.returncode == 1
            assert "disk" in done.stderr
        elif not wiped:
            assert "not finished" in done.stderr
        shutil.rmtree(state)
        if done.returncode == 0 and wiped and "not finished" not in done.stderr:
            break
    else:
        raise AssertionError("the disk stayed full")
    assert outcomes == {(1, True), (0, False)}
