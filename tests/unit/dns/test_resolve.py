"""A fault of ours costs one question its answer, and tells nobody which."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from gateway.clock import utc_now
from gateway.dns import pending
from gateway.dns.cache import FinishedAnswers, UpstreamAnswers
from gateway.dns.plan import Site
from gateway.dns.reply import Reply, parse_reply
from gateway.dns.resolve import Resolver
from gateway.dns.views import Views
from policies.document import default_document
from policies.model import Judged
from policies.names import PolicyError
from policies.snapshot import Snapshot, compile_snapshot, open_snapshot


class BrokenViews(Views):
    def find(self, mark: int, source: bytes):
        raise ValueError("secret.example")


def test_a_fault_is_servfail_and_keeps_the_name_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    finished = FinishedAnswers()
    resolver = Resolver(
        Site("gjest.internal"), BrokenViews((), finished), finished, UpstreamAnswers(), None, utc_now, time.monotonic
    )
    query = dns.message.make_query("secret.example", "A")
    answer = resolver.answer(query.to_wire(), 1, b"", False, lambda _: None)
    assert answer is not None
    assert dns.message.from_wire(answer).rcode() == dns.rcode.SERVFAIL
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


class Clock:
    """A clock on the wall that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Upstream:
    """Keeps what is asked until the test answers it."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[Reply], None]] = []

    def ask(self, shared, by_tcp, deliver) -> None:
        self.waiting.append(deliver)


class Held:
    """A judge that holds every name for gambling."""

    def known(self, name: str) -> tuple[Judged, ...]:
        return (Judged("gambling", 0.99, ("sino",)),)

    def offer(self, name: str) -> None:
        pass


def made(document, lists=(), *, judging=None):
    finished, upstream, clock = FinishedAnswers(), Upstream(), Clock()
    views = Views((), finished)
    views.adopt(open_snapshot(compile_snapshot(document, lists, 1)))
    resolver = Resolver(
        Site("gjest.internal"), views, finished, UpstreamAnswers(), upstream, clock, time.monotonic, judging
    )
    return resolver, views, upstream, clock


def true_reply(query: dns.message.Message) -> Reply:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "198.51.100.1"))
    return parse_reply(response.to_wire())


def test_what_the_judge_closed_meanwhile_is_not_let_through() -> None:
    document = default_document()
    document["groups"]["default"] |= {"closed": ["gambling"], "judge": {}}
    resolver, views, upstream, _ = made(document, judging=Held())
    query = dns.message.make_query("casino.example", "A", use_edns=0)
    delivered: list[bytes] = []
    assert resolver.answer(query.to_wire(), 1, b"", False, delivered.append) is None
    document["groups"]["default"]["judge"] = {"gambling": 0.9}
    views.adopt(open_snapshot(compile_snapshot(document, (), 2)))
    upstream.waiting[0](true_reply(query))
    (record,) = dns.message.from_wire(delivered[0]).answer[0]
    assert str(record) == "0.0.0.0"


def test_a_policy_that_is_damaged_later_is_servfail_and_told_once(caplog, monkeypatch) -> None:
    resolver, _, _, _ = made(default_document())

    def damaged(self, name):
        raise PolicyError("the policy snapshot is damaged: secret.example")

    monkeypatch.setattr(Snapshot, "lookup", damaged)
    for _ in range(3):
        query = dns.message.make_query("secret.example", "A")
        answer = dns.message.from_wire(resolver.answer(query.to_wire(), 1, b"", False, lambda _: None))
        assert answer.rcode() == dns.rcode.SERVFAIL
    (told,) = caplog.messages
    assert "damaged" in told
    assert "publish" in told
    assert "secret" not in told


def test_what_is_in_use_is_asked_for_again_before_it_ends() -> None:
    document = default_document()
    finished, upstream, clock, passed = FinishedAnswers(), Upstream(), Clock(), [0.0]
    views = Views((), finished)
    views.adopt(open_snapshot(compile_snapshot(document, (), 1)))
    kept = UpstreamAnswers()
    resolver = Resolver(Site("gjest.internal"), views, finished, kept, upstream, clock, lambda: passed[0])
    query = dns.message.make_query("www.example", "A", use_edns=0)
    got: list[bytes] = []
    assert resolver.answer(query.to_wire(), 1, b"", False, got.append) is None
    upstream.waiting.pop()(true_reply(query))  # lives for 60 s
    passed[0] = 30.0
    assert resolver.answer(query.to_wire(), 1, b"", False, got.append)
    assert not upstream.waiting
    passed[0] = 55.0
    assert resolver.answer(query.to_wire(), 1, b"", False, got.append)
    upstream.waiting.pop()(true_reply(query))
    passed[0] = 100.0
    assert resolver.answer(query.to_wire(), 1, b"", False, got.append)
    assert not upstream.waiting
    assert resolver.prefetched == 1


class Network:
    """A resolver whose upstream answers when the test says so, and whose clock the test moves."""

    def __init__(self, document, lists=()) -> None:
        self.upstream, self.views_at, self.passed_s = AskedWith(), 0, 0.0
        finished = FinishedAnswers()
        self.views = Views((), finished, Site("gjest.internal"))
        self.publish(document, lists)
        self.kept = UpstreamAnswers(stale_max_s=86400)
        self.resolver = Resolver(
            Site("gjest.internal"), self.views, finished, self.kept, self.upstream, utc_now, lambda: self.passed_s
        )
        self.given: list[bytes] = []

    def publish(self, document, lists=()) -> None:
        self.views_at += 1
        self.views.adopt(open_snapshot(compile_snapshot(document, lists, self.views_at)))

    def ask(self, query: dns.message.Message) -> bytes | None:
        return self.resolver.answer(query.to_wire(), 1, b"", False, self.given.append)


class AskedWith(Upstream):
    """Also what was asked."""

    def ask(self, shared, by_tcp, deliver) -> None:
        self.waiting.append((shared, deliver))


def test_what_arrives_is_kept_under_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Safe search comes while upstream thinks, and a stale answer makes the question anew meanwhile."""
    monkeypatch.setattr(pending, "_PATIENCE_S", 0.05)

    async def story() -> None:
        network = Network(default_document())
        query = dns.message.make_query("www.google.com", "A", use_edns=0)
        assert network.ask(query) is None
        network.upstream.waiting.pop()[1](true_reply(query))
        network.passed_s = 100.0
        assert network.ask(query) is None
        document = default_document()
        document["groups"]["default"]["safe_search"] = ["google"]
        network.publish(document)
        await asyncio.sleep(0.2)
        (shared, arrived), *others = network.upstream.waiting
        assert b"www" in shared[0]
        assert [b"forcesafesearch" in each[0][0] for each in others] == [True]
        arrived(true_reply(query))
        assert network.kept.get(shared, 100.0) is not None
        assert network.kept.get(others[0][0], 100.0) is None

    asyncio.run(story())


def services(query: dns.message.Message, count: int) -> Reply:
    response = dns.message.make_response(query)
    records = [f"1 t{number}.example." for number in range(count)]
    response.answer.append(dns.rrset.from_text_list(query.question[0].name, 60, "IN", "HTTPS", records))
    return parse_reply(response.to_wire(max_size=65535))


def test_what_an_answer_leads_to_is_looked_at_once_for_each_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    reviewed = []
    monkeypatch.setattr(pending, "review", lambda *given: reviewed.append(given))
    network = Network(default_document())
    query = dns.message.make_query("www.example", "HTTPS", use_edns=0, payload=1232)
    query.use_edns(0, options=[dns.edns.GenericOption(10, b"12345678")])  # so that level 1 never has it
    assert network.ask(query) is None
    network.upstream.waiting.pop()[1](services(query, 10))
    for _ in range(5):
        assert network.ask(query)
    assert len(reviewed) == 1
    network.publish(default_document())
    for _ in range(5):
        assert network.ask(query)
    assert len(reviewed) == 2
    long = dns.message.make_query("long.example", "HTTPS", use_edns=0, payload=1232)
    assert network.ask(long) is None
    network.upstream.waiting.pop()[1](services(long, 90))
    answer = dns.message.from_wire(network.given[-1])
    assert answer.flags & dns.flags.TC
    assert len(reviewed) == 2  # by TCP it will be
