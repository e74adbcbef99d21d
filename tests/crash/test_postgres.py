"""PostgreSQL: the client killed before each statement and after COMMIT was sent, and the server killed under load."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from gateway.clock import utc_now
from gateway.context import Services
from gateway.installation import prepare
from gateway.settings import Settings, load
from gateway.storage.engine import StorageUnavailableError
from tests.crash import invariants
from tests.crash.killing import Call, run
from tests.crash.operations import OPERATIONS, PREPARED_GUESTS, accept_one, opened, seal_all
from tests.postgres import Cluster, own_cluster

pytestmark = pytest.mark.timeout(300)
STATEMENTS = ("sendto", "recvfrom")
STRUCK = ("accept", "publish policy", "seal")  # the others' transactions are made of the same parts
ROUNDS, GUESTS = 2, 4


@pytest.fixture(scope="module")
def durable() -> Iterator[Cluster]:
    """A server of this module's own, with full durability, to be killed."""
    yield from own_cluster(durable=True)


def installations(cluster: Cluster, state: Path, environment: pytest.MonkeyPatch) -> Callable[[], Settings]:
    """Gives an installation of its own database at each call, with a sealed and a staged half."""
    template = cluster.create()
    environment.delenv("GJESTENETT_CONFIG", raising=False)
    environment.setenv("GJESTENETT_DATABASE__URL", cluster.url(template))
    services = prepare(load(state=state), utc_now)
    for number in range(PREPARED_GUESTS):
        accept_one(services, f"02:00:00:00:00:{number:02x}")
        if number == PREPARED_GUESTS // 2:
            seal_all(services)
    services.database.close()

    def copy() -> Settings:
        environment.setenv("GJESTENETT_DATABASE__URL", cluster.url(cluster.create(template)))
        return load(state=state)

    return copy  # dropping a database costs more than the strike: all go with the server


def settled(cluster: Cluster, settings: Settings) -> Services:
    """The installation after a start, once the server has noticed that its client is gone."""
    name = settings.database_url.split("/")[-1].partition("?")[0]
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        while connection.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", (name,)).fetchone():
            time.sleep(0.01)
    return prepare(settings, utc_now)


def where(calls: tuple[Call, ...]) -> list[Call]:
    """Around each COMMIT, before and after it is sent and answered; and five others, evenly spread."""
    commits = [place for place, call in enumerate(calls) if call.name == "sendto" and "COMMIT" in call.arguments]
    near = {place + off for place in commits[-1:] for off in (-1, 0, 1, 2)}
    every = max(1, len(calls) // 5)
    return [call for place, call in enumerate(calls) if place in near or place % every == 0]


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("name", STRUCK)
def test_a_client_killed_at_any_statement_leaves_all_or_nothing(
    name: str, postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, log = OPERATIONS[name], tmp_path / "strace"
    fresh = installations(postgres, tmp_path / "state", monkeypatch)
    before = counted(postgres, fresh())
    whole = run(opened(fresh(), operation.do), log, calls=STATEMENTS)
    assert whole.answer == "done"
    assert any("COMMIT" in call.arguments for call in whole.calls), "nothing was committed"
    seen = {False: 0, True: 0}
    for call in where(whole.calls):
        settings = fresh()
        run(opened(settings, operation.do), log, calls=STATEMENTS, tamper=f"{call.name}:signal=KILL:when={call.number}")
        services = settled(postgres, settings)
        after = invariants.check(services)
        staged = {kind: after[kind] - before.get(kind, 0) for kind in after | operation.leaves}
        happened = staged == {kind: operation.leaves.get(kind, 0) for kind in staged}
        assert happened or not any(staged.values()), (str(call), call.arguments, staged)
        seen[happened] += 1
        seal_all(services)
        invariants.check(services)
        services.database.close()
    if operation.leaves:
        assert all(seen.values()), f"struck only before or only after the commit: {seen}"


def test_a_server_killed_under_load_loses_nothing_that_was_answered(
    durable: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = prepare(installations(durable, tmp_path / "state", monkeypatch)(), utc_now)
    with psycopg.connect(durable.url("postgres"), autocommit=True) as connection:
        # A copied database's sequences have values in hand that its own WAL does not know of, until a checkpoint: after
        # a crash they would be handed out again. No installation is such a copy.
        connection.execute("CHECKPOINT")
    answered: list[str] = []
    stop = threading.Event()

    def guests(worker: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            mac = f"02:00:00:01:{worker:02x}:{number % 256:02x}"
            try:
                accept_one(services, mac)
            except StorageUnavailableError:
                time.sleep(0.05)
                continue
            answered.append(mac)

    def sealer() -> None:
        while not stop.wait(0.05):
            try:
                seal_all(services)
            except StorageUnavailableError:
                continue

    threads = [threading.Thread(target=guests, args=(worker,)) for worker in range(GUESTS)]
    threads.append(threading.Thread(target=sealer))
    for thread in threads:
        thread.start()
    try:
        for _ in range(ROUNDS):
            reached = len(answered) + 15
            deadline = time.monotonic() + 60
            while len(answered) < reached and time.monotonic() < deadline:
                time.sleep(0.01)
            assert len(answered) >= reached, "guests could not accept again"
            durable.kill()
            durable.start()
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    services.database.close()
    services = prepare(services.settings, utc_now)
    invariants.check(services)
    with services.database.read() as session:
        known = {row[0] for row in session.execute(invariants.text("SELECT mac FROM device"))}
    assert known >= set(answered)
    seal_all(services)
    invariants.check(services)
    services.database.close()
    durable.kill()  # stopping it in order would flush what nobody needs any more


def counted(cluster: Cluster, settings: Settings) -> Mapping[str, int]:
    services = settled(cluster, settings)
    found = invariants.check(services)
    services.database.close()
    return found
