"""Questions under way, counted by source."""

import dns.message
import dns.rcode
from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.unaccepted import DEVICE_MARK
from gateway.dns.upstreams.exchange import NoAnswer
from gateway.dns.waiting import CROWDED, FAIR_SHARE, PER_SOURCE_MAX, Waiting
from policies.document import default_document
from tests.unit.dns.test_resolve import made, true_reply


@given(st.lists(st.tuples(st.booleans(), st.sampled_from((b"a", b"b"))), max_size=60))
def test_as_many_wait_as_came_and_did_not_leave(steps) -> None:
    waiting, model = Waiting(per_source_max=3), {b"a": 0, b"b": 0}
    for comes, source in steps:
        if comes:
            assert waiting.enter(0, source) == (model[source] < 3)
            model[source] = min(3, model[source] + 1)
        elif model[source]:
            waiting.leave(0, source)
            model[source] -= 1
        assert len(waiting) == sum(count > 0 for count in model.values())
        assert waiting.total == sum(model.values())


def test_in_a_crowd_who_waits_for_most_is_refused_first() -> None:
    waiting = Waiting()
    hog, other = b"\n\0\0\1", b"\n\0\0\2"
    assert sum(waiting.enter(1, hog) for _ in range(1000)) == PER_SOURCE_MAX
    assert waiting.total >= CROWDED
    assert sum(waiting.enter(1, other) for _ in range(1000)) == FAIR_SHARE
    for _ in range(PER_SOURCE_MAX):
        waiting.leave(1, hog)
    assert waiting.enter(1, other)


def test_one_device_before_acceptance_is_one_whatever_its_addresses() -> None:
    waiting = Waiting()
    device, other = DEVICE_MARK | 7, DEVICE_MARK | 8
    addresses = [bytes((10, 0, 0, number)) for number in range(30)] + [bytes(15) + bytes((n,)) for n in range(30)]
    assert sum(waiting.enter(device, address) for address in addresses for _ in range(20)) == PER_SOURCE_MAX
    assert len(waiting) == 1
    assert waiting.enter(other, addresses[0])
    assert waiting.enter(1, addresses[0])


def test_what_was_refused_for_want_of_room_is_not_remembered_of_the_name() -> None:
    resolver, _, upstream, _ = made(default_document())
    query = dns.message.make_query("n.example", "A", use_edns=0)
    given: list[bytes] = []
    assert resolver.answer(query.to_wire(), 1, b"one1", False, given.append) is None
    upstream.waiting.pop()(NoAnswer(23, "too busy", passing=True))
    assert dns.message.from_wire(given[0]).rcode() == dns.rcode.SERVFAIL
    assert len(resolver.failures) == 0
    assert resolver.answer(query.to_wire(), 1, b"one1", False, given.append) is None


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
    assert ask(1001, b"one1") is not None  # now they are a crowd again, and it has more than its share
