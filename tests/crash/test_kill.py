"""kill -9 before and after every durable write on SQLite: what was under way is there whole or not at all.

Struck are all calls that are no plain write (fsync, rename, unlink, …), the writes before and after each of them, the
first and last three, and a spread of the others; `CRASH_EVERYWHERE=1` strikes at every one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.clock import utc_now
from gateway.context import Services
from gateway.installation import open_services, prepare
from gateway.settings import Settings
from gateway.storage.engine import StorageUnavailableError
from tests.crash import invariants
from tests.crash.killing import FILES, Call, points, run
from tests.crash.operations import OPERATIONS, Operation, bundle_path, opened, seal_all, sign_all

pytestmark = [pytest.mark.usefixtures("strace"), pytest.mark.timeout(300)]
Fresh = Callable[[], Settings]
EVERYWHERE = os.environ.get("CRASH_EVERYWHERE") == "1"


@contextmanager
def sealing(settings: Settings) -> Iterator[None]:
    """The sealer beside, on connections of its own."""
    stop = threading.Event()

    def work() -> None:
        services = open_services(settings, utc_now)
        while not stop.wait(0.02):
            try:
                sign_all(services)
            except StorageUnavailableError:
                continue
        services.database.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def strike(
    settings: Settings, operation: Operation, log: Path, tamper: str = ""
) -> tuple[str | None, tuple[Call, ...]]:
    beside = {"beside": lambda: sealing(settings)} if operation.sealing else {}
    done = run(opened(settings, operation.do), log, calls=FILES, tamper=tamper, about=f"{settings.state}/", **beside)
    return done.answer, done.calls


def recovered(settings: Settings) -> Services:
    """The installation as a start finds it and brings it up."""
    return prepare(settings, utc_now)


def whole_or_not_at_all(
    operation: Operation, settings: Settings, before: Mapping[str, int], *, answer: str | None
) -> bool:
    """Check everything after a restart, then do the operation again; whether it was there."""
    services = recovered(settings)
    after = invariants.check(services)
    staged = {kind: after[kind] - before.get(kind, 0) for kind in after | operation.leaves}
    happened = staged == {kind: operation.leaves.get(kind, 0) for kind in staged}
    assert happened or not any(staged.values()), staged
    if answer == "done":
        assert happened
    invariants.check_bundle(services, bundle_path(settings))
    seal_all(services)
    invariants.check(services)
    bundle_path(settings).unlink(missing_ok=True)
    if not (happened and operation.leaves.get("acceptance", operation.leaves.get("device_admitted"))):
        with sealing(settings):
            operation.do(services)
        invariants.check(services)
        invariants.check_bundle(services, bundle_path(settings))
    services.database.close()
    return happened


def counted(settings: Settings) -> Mapping[str, int]:
    services = recovered(settings)
    found = invariants.check(services)
    services.database.close()
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_at_any_write_it_is_there_whole_or_not_at_all(name: str, installation: Fresh, tmp_path: Path) -> None:
    operation, log = OPERATIONS[name], tmp_path / "strace"
    before = counted(installation())
    answer, calls = strike(installation(), operation, log)
    assert answer == "done"
    assert any(call.name in ("fsync", "fdatasync") for call in calls), "nothing was made durable"
    seen = {False: 0, True: 0}
    for call in calls if EVERYWHERE else points(calls, operation.most):
        settings = installation()
        answer, _ = strike(settings, operation, log, f"{call.name}:signal=KILL:when={call.number}")
        try:
            seen[whole_or_not_at_all(operation, settings, before, answer=answer)] += 1
        except AssertionError as error:
            raise AssertionError(f"killed before {call}: {call.arguments}") from error
    if operation.leaves:
        assert all(seen.values()), f"struck only before or only after the commit: {seen}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_disk_that_is_full_from_any_write_on_gets_an_honest_error(
    name: str, installation: Fresh, tmp_path: Path
) -> None:
    operation, log = OPERATIONS[name], tmp_path / "strace"
    before = counted(installation())
    _, calls = strike(installation(), operation, log)
    writes = [call for call in calls if "write" in call.name]
    for call in writes if EVERYWHERE else points(writes, operation.most // 3):
        settings = installation()
        tamper = f"{call.name}:error=ENOSPC:when={call.number}+"
        answer, _ = strike(settings, operation, log, tamper)
        assert answer is not None
        assert answer == "done" or honest(answer), answer
        try:
            happened = whole_or_not_at_all(operation, settings, before, answer=answer)
        except AssertionError as error:
            raise AssertionError(f"full from {call} on: {call.arguments}") from error
        if operation.leaves and name not in ("export", "publish policy"):  # these go on after their transaction
            assert happened == (answer == "done"), (call, answer)


def honest(answer: str) -> bool:
    """Whether an error is one that edges tell their user as it is."""
    return answer.startswith(("StorageUnavailableError: ", "ListsError: ", "OSError: [Errno 28]"))
