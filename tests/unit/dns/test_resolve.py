"""A fault of ours costs one question its answer, and tells nobody which."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from gateway.clock import utc_now
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
