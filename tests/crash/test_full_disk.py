"""A file system that is really full: guests get an honest answer and keep what they typed; afterwards all goes on."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.clock import utc_now
from gateway.context import Services
from gateway.errors import GatewayError
from gateway.installation import prepare
from gateway.link.neighbours import Neighbour
from gateway.settings import load
from tests.crash import invariants
from tests.crash.operations import (
    accept_one,
    admit_one,
    bundle_path,
    export_all,
    publish_policy,
    publish_rules,
    revoke_one,
    seal_all,
)
from tests.unit.captive_portal import conftest as portal

SIZE = "4m"
MOST_GUESTS = 200


@pytest.fixture
def small(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The installation on a file system of 4 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode()}")
    monkeypatch.delenv("GJESTENETT_CONFIG", raising=False)
    try:
        shutil.copytree(template, folder / "state")
        services = prepare(load(state=folder / "state"), utc_now)
        yield services
        services.database.close()
        gc.collect()  # portals map the compiled policy, and the last of them may only be garbage by now
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(services: Services) -> Path:
    """Take all the room that is left."""
    filler = services.settings.state.parent / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return filler


def test_guests_are_answered_honestly_and_can_accept_with_the_same_form_afterwards(
    small: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.Guest(small)  # makes the key of its forms, at the first start
    before, accepted, turned_away = invariants.check(small)["acceptance"], 0, None
    filler = fill(small)
    for number in range(MOST_GUESTS):  # what SQLite's log has room for already is accepted, and whole
        monkeypatch.setitem(portal.DEVICES, "192.0.2.1", Neighbour("lo", f"02:00:00:00:02:{number:02x}"))
        guest = portal.Guest(small)
        token = guest.token()
        answer = guest.http.post("/accept", data={"token": token, "name": "Kari Nordmann", "contact": ""})
        if answer.status_code == 303:
            accepted += 1
            continue
        turned_away = answer
        break
    assert turned_away is not None, "the disk was never full"
    assert turned_away.status_code == 503
    assert turned_away.headers["retry-after"]
    assert "Godkjenningen din kunne ikke lagres" in turned_away.text
    assert 'value="Kari Nordmann"' in turned_away.text
    assert guest.http.get("/status").headers["location"] == "/", "nobody is told that they have accepted"
    assert invariants.check(small)["acceptance"] == before + accepted
    filler.unlink()
    again = guest.http.post("/accept", data={"token": token, "name": "Kari Nordmann"})
    assert again.status_code == 303
    assert invariants.check(small)["acceptance"] == before + accepted + 1


@pytest.mark.parametrize("work", [publish_rules, publish_policy, admit_one, revoke_one, seal_all, export_all])
def test_what_staff_and_services_do_fails_as_a_whole_and_says_so(
    work: Callable[[Services], object], small: Services
) -> None:
    accept_one(small)
    before = invariants.check(small)
    filler = fill(small)
    for _ in range(MOST_GUESTS):
        try:
            work(small)
        except (GatewayError, OSError) as error:
            told = str(error)
            break
        except AssertionError:  # export_all: the sealer is not there, so there is no sidecar
            bundle_path(small.settings).unlink()
        if work is seal_all:
            accept_one_more(small)
    else:
        raise AssertionError("the disk was never full")
    assert any(words in told for words in ("disk is full", "No space left", "disk I/O")), told
    invariants.check(small)
    invariants.check_bundle(small, bundle_path(small.settings))
    filler.unlink()
    seal_all(small)
    assert invariants.check(small).total() >= before.total()


def accept_one_more(services: Services) -> None:
    """Something to seal; no matter when there is no room for it."""
    try:
        admit_one(services)
        revoke_one(services)
    except GatewayError:
        return
