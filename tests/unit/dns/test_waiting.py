"""Questions under way, counted by source."""

import dns.message
import dns.rcode
from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.upstreams.exchange import NoAnswer
from gateway.dns.waiting import PER_SOURCE_MAX, Waiting
from policies.document import default_document
from tests.unit.dns.test_resolve import made, true_reply


@given(st.lists(st.tuples(st.booleans(), st.sampled_from((b"a", b"b"))), max_size=60))
def test_as_many_wait_as_came_and_did_not_leave(steps) -> None:
    waiting, model = Waiting(per_source_max=3), {b"a": 0, b"b": 0}
    for comes, source in steps:
        if comes:
            assert waiting.enter(source) == (model[source] < 3)
            model[source] = min(3, model[source] + 1)
        elif model[source]:
            waiting.leave(source)
            model[source] -= 1
        assert len(waiting) == sum(count > 0 for count in model.values())


def test_one_source_that_waits_for_much_gets_servfail_and_another_goes_on() -> None:
    resolver, _, upstream, _ = made(default_document())

    def ask(number: int, source: bytes) -> bytes | None:
        query = dns.message.make_query(f"n{number}.example", "A", use_edns=0)
        return resolver.answer(query.to_wire(), 1, source, False, lambda _: None)

    for number in range(PER_SOURCE_MAX):
        assert ask(number, b"one1") is None
    refused = dns.message.from_wire(ask(PER_SOURCE_MAX, b"one1"))
    assert refused.rcode() == dns.rcode.SERVFAIL
    assert [(int(each.code), each.text) for each in refused.options] == [(23, "too many unanswered")]
    assert ask(0, b"two2") is None
    upstream.waiting[0](NoAnswer(23, "upstream is silent"))
    upstream.waiting[1](true_reply(dns.message.make_query("n1.example", "A")))
    assert ask(1000, b"one1") is None
    assert ask(1001, b"one1") is None
    assert ask(1002, b"one1") is not None
