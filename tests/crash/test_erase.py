"""Erasing, killed at each write that lasts, and on a full disk: all of it or nothing, and the leaf exactly when all.

The command runs in a forked child under `strace`, which kills it at its N-th system call of a kind, for N = 1, 2, 3 …
until it comes through. After each kill the database is opened as any service opens it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.access.accept import Applicant, accept
from gateway.audit.erasing import current_list
from gateway.audit.erasure_list import numbers
from gateway.audit.sealer import seal_staged
from gateway.cli import cli
from gateway.clock import utc_now
from gateway.installation import open_services, read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.storage import erasures, leaves, rules
from tests.crash import killing

pytestmark = [
    pytest.mark.usefixtures("strace"),
    pytest.mark.timeout(900),
]

NAME, MAC, CONTACT = "Tordis Ødegård", "a6:5e:d7:31:9c:4b", "tordis@solbakken.example"
CALLS = ("fdatasync", "fsync", "ftruncate", "rename", "unlink", "pwrite64")
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


ERASE = ("audit", "erase", "--name", NAME, "--reason", "krav", "--yes")


@dataclass(frozen=True)
class Ended:
    """What a caller of the command sees. `code` is None when it was killed."""

    code: int | None
    told: str


def erase(state: Path, tamper: str = "") -> Ended:
    """The command on a state directory; `tamper` is strace's expression."""
    told, log = state.with_name("told"), state.with_name("trace")

    def command() -> None:
        try:
            with told.open("w") as stderr, contextlib.redirect_stderr(stderr):
                cli(["--state", str(state), *ERASE], prog_name="gjestenett")
        except SystemExit as end:
            if end.code:
                raise RuntimeError(str(end.code)) from end

    answer = killing.run(command, log, calls=CALLS, tamper=tamper).answer
    codes = {None: None, "done": 0, "RuntimeError: 1": 1}
    assert answer in codes, answer
    return Ended(codes[answer], told.read_text())


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
    for call in CALLS:
        for number in range(1, MOST, SAMPLED.get(call, 1)):
            state = copy(ready, tmp_path, "copy")
            done = erase(state, f"{call}:signal=KILL:when={number}")
            there, wiped = stands(ready, state)
            is_new = (there, wiped) not in seen
            seen.add((there, wiped))
            if done.code == 0:
                assert (there, wiped) == (False, True)
                shutil.rmtree(state)
                break
            assert done.code is None, done.told
            if is_new:  # whoever was killed tries again
                again = erase(state)
                assert again.code == (0 if there else 1), again.told
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
        done = erase(state, f"pwrite64:error=ENOSPC:when={number}+")
        there, wiped = stands(ready, state)
        outcomes.add((done.code, there))
        assert "Traceback" not in done.told
        if there:
            assert done.code == 1
            assert "disk" in done.told
        elif not wiped:
            assert "not finished" in done.told
        shutil.rmtree(state)
        if done.code == 0 and wiped and "not finished" not in done.told:
            break
    else:
        raise AssertionError("the disk stayed full")
    assert outcomes == {(1, True), (0, False)}
