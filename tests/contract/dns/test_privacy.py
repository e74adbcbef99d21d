"""What is left of what people asked for: by default nothing but counts; where IT wants it, what five devices asked
for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import dns.message
import dns.query
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.collection import Collection, Forgetting, collecting
from gateway.dns.config import counters_socket
from gateway.lists import generations
from gateway.settings import Settings
from gateway.storage import dns_counters, places, schema
from gateway.storage.engine import Database, open_database
from gateway.storage.places import Place
from gateway.telemetry import Totals
from tests.contract.dns.conftest import Worker, wait_for

NOW = datetime.now(UTC)


class Installation:
    """A worker, a database, and the console's part between them."""

    def __init__(self, state: Path, stack: ExitStack) -> None:
        settings = Settings(state=state)
        self.state = state
        (state / "run").mkdir()
        self.database: Database = open_database(settings.database_url)
        stack.callback(self.database.close)
        schema.upgrade(self.database)
        with self.database.write() as session:
            self.place: Place = places.add_place(
                session, owner_key="kommune", owner_name="Kommunen", log_origin="example.test/log", site_key="hus",
                gateway_key="gateway-1", interfaces=["lo"], now=NOW,
            )  # fmt: skip
        self.totals = Totals()
        self.collection = Collection(self.database, self.place, self.totals, lambda: NOW)
        self.socket = counters_socket(settings)
        stack.enter_context(collecting(self.socket, self.collection))

    def publish(self, worker: Worker, generation: int, *, top_names: bool) -> None:
        """Put the policy in force in the database and in the worker."""
        document = {"version": 2, "groups": {"default": {"mark": 1, "closed": ["gaming"], "top_names": top_names}}}
        with self.database.write() as session:
            generations.save_draft(session, self.place, document, NOW)
            generations.publish(session, self.place, "test", f"{generation}", NOW)
        told = f"policy generation {generation} in force"
        worker.publish(generation, top_names=top_names)
        wait_for(lambda: told in worker.stderr.read_text())

    def metrics(self) -> str:
        registry = CollectorRegistry()
        registry.register(self.totals)
        return generate_latest(registry).decode()

    def counted(self) -> dict[tuple[str, str], int]:
        """(outcome, category) → answers, as the database has them."""
        self.collection.store()
        with self.database.read() as session:
            rows = dns_counters.answers_between(session, self.place.owner_id, datetime.min.replace(tzinfo=UTC), NOW)
        return {(row.outcome, row.category): row.answers for row in rows}

    def names(self) -> dict[str, int]:
        self.collection.store()
        with self.database.read() as session:
            return {row.name: row.asked for row in dns_counters.top_names(session, self.place.owner_id, NOW)}

    def traces(self, *words: str) -> list[str]:
        """Every file of the state directory (database, its log, sockets' folder, the worker's log) with a word in it.

        The compiled policy is not looked through: it holds the lists themselves.
        """
        self.collection.store()
        found = [word for word in words if word in self.metrics()]
        for path in self.state.rglob("*"):
            if path.is_file() and path.suffix != ".snapshot":
                octets = path.read_bytes().lower()
                found += [f"{word} in {path.name}" for word in words if word.encode() in octets]
        return found


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with ExitStack() as stack:
        yield Installation(tmp_path, stack)


def ask_from(worker: Worker, device: int, name: str, times: int = 1) -> None:
    """Ask as another device: on loopback each address is one."""
    for _ in range(times):
        query = dns.message.make_query(name, "A", use_edns=False)
        dns.query.udp(query, "127.0.0.1", 6, worker.port, source=f"127.0.0.{10 + device}")


def counting(start, installed: Installation, upstreams: list[int]) -> Worker:
    return start(upstreams, policy=False, counters_socket=str(installed.socket), counters_every_s=0.1)


def test_by_default_only_counts_are_left(start, unbound, installed) -> None:
    worker = counting(start, installed, [unbound])
    installed.publish(worker, 1, top_names=False)
    names = ("ok.example", "www.game.example", "no.example", "hop.example", "inside.example", "many.example")
    for device in range(8):
        for name in names:
            ask_from(worker, device, name, 3)
    worker.stop()
    wait_for(lambda: installed.counted().get(("refused", "gaming"), 0) >= 48)
    counted = installed.counted()
    assert counted["refused", "gaming"] == 48  # both by its own name and at the end of an alias
    assert counted["rebinding", ""] == 24
    assert counted["answered", ""] == 72
    assert installed.names() == {}
    assert installed.traces("ok.example", "game.example", "no.example", "hop.example", "many.example") == []
    assert installed.traces("\2ok\7example", "\4game\7example", "\4many\7example", "127.0.0.11") == []
    text = installed.metrics()
    assert 'gjestenett_dns_answers_total{category="gaming",group="default",outcome="refused"} 48.0' in text
    assert 'gjestenett_dns_cache_total{event="finished_hit"}' in text
    assert "gjestenett_dns_latency_seconds_count" in text


def test_where_it_wants_them_four_devices_leave_nothing_and_five_a_name(start, unbound, installed) -> None:
    worker = counting(start, installed, [unbound])
    installed.publish(worker, 1, top_names=True)
    for device in range(4):
        ask_from(worker, device, "www.game.example", 10)
    ask_from(worker, 7, "ok.example", 3)
    wait_for(lambda: installed.counted().get(("refused", "gaming")) == 40)
    assert installed.names() == {}
    assert installed.traces("game.example", "ok.example") == []
    ask_from(worker, 4, "other.game.example", 10)  # the name that counts is the listed one
    wait_for(lambda: installed.names() == {"game.example": 50})
    assert installed.counted()["refused", "gaming"] == 50
    assert installed.traces("www.game", "other.game", "ok.example", "127.0.0.11") == []
    for device in range(9):  # a permitted name is never told, whoever asks for it
        ask_from(worker, device, "ok.example", 3)
    ask_from(worker, 0, "www.game.example", 7)
    wait_for(lambda: installed.names() == {"game.example": 57})
    assert installed.traces("ok.example") == []

    installed.publish(worker, 2, top_names=False)  # IT switches it off
    Forgetting(installed.database, installed.place.owner_id, lambda: NOW).poll()
    for device in range(9):
        ask_from(worker, device, "www.game.example", 3)
    wait_for(lambda: installed.counted()["refused", "gaming"] == 57 + 27)
    assert installed.names() == {}


def test_names_of_a_group_without_the_switch_are_never_stored_whoever_sends_them(start, unbound, installed) -> None:
    worker = counting(start, installed, [unbound])
    installed.publish(worker, 1, top_names=False)
    row = ["default", "refused", "gaming", "game.example", 99]
    installed.collection.take(json.dumps({"v": 1, "worker": "0" * 16, "names": [row]}).encode())
    assert installed.names() == {}
    assert installed.traces("game.example") == []


def test_a_worker_without_a_collector_answers_and_tells_it_all_afterwards(start, unbound, tmp_path) -> None:
    worker = start([unbound], counters_socket=str(tmp_path / "run" / "c.sock"), counters_every_s=0.1)
    for _ in range(20):
        assert worker.ask("ok.example").answer
    time.sleep(0.3)
    with ExitStack() as stack:
        installed = Installation(tmp_path, stack)
        totals = installed.totals
        stack.enter_context(collecting(tmp_path / "run" / "c.sock", installed.collection))
        wait_for(lambda: 'outcome="answered"} 20.0' in installed.metrics())
        assert totals.unreadable == 0
