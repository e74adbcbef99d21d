"""A fault of ours costs one question its answer, and tells nobody which."""

import time

import dns.message
import dns.rcode
import pytest

from gateway.clock import utc_now
from gateway.dns.cache import FinishedAnswers, UpstreamAnswers
from gateway.dns.plan import Site
from gateway.dns.resolve import Resolver
from gateway.dns.views import Views


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
