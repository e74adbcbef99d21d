"""For whatever bytes: a value or the package's own error; and own answers are good answers."""

import dns.message
import dns.name
from hypothesis import given
from hypothesis import strategies as st

from gateway.dns import wire
from gateway.dns.errors import WireError
from gateway.dns.reply import parse_reply, render
from gateway.dns.wire import BadQueryError, Query, error_reply, parse_query, reply
from policies.names import from_labels

labels = st.lists(st.binary(min_size=1, max_size=63), max_size=4)


@st.composite
def queries(draw: st.DrawFn) -> dns.message.Message:
    return dns.message.make_query(
        dns.name.Name([*draw(labels), b""]),
        draw(st.sampled_from(["A", "AAAA", "HTTPS", "TXT", "ANY"])),
        use_edns=draw(st.sampled_from([0, False])),
        want_dnssec=False,
    )


@st.composite
def mutated(draw: st.DrawFn, source: st.SearchStrategy[bytes]) -> bytes:
    packet = bytearray(draw(source))
    for _ in range(draw(st.integers(0, 6))):
        packet[draw(st.integers(0, len(packet) - 1))] = draw(st.integers(0, 255))
    return bytes(packet[: draw(st.integers(0, len(packet)))])


query_bytes = st.one_of(st.binary(max_size=600), mutated(queries().map(lambda query: query.to_wire())))


@given(query_bytes)
def test_parser_raises_only_its_own_error(packet: bytes) -> None:
    outcome: Query | BadQueryError
    try:
        outcome = parse_query(packet)
    except BadQueryError as bad:
        outcome = bad
    if isinstance(outcome, Query):
        assert packet[12 : 12 + len(outcome.question)] == outcome.question
    elif outcome.rcode is not None:
        assert dns.message.from_wire(error_reply(packet, outcome.rcode)).rcode() == outcome.rcode


@given(queries())
def test_own_answers_echo_the_question(asked: dns.message.Message) -> None:
    query = parse_query(asked.to_wire())
    whole = reply(query, wire.NXDOMAIN, (), (wire.soa(10),), (15, "gaming"))
    answer = dns.message.from_wire(whole)
    assert asked.is_response(answer)
    assert whole[12 : 12 + len(query.question)] == query.question
    assert (answer.edns == 0) == (asked.edns == 0)


@given(queries())
def test_names_are_those_of_the_policies(asked: dns.message.Message) -> None:
    assert parse_query(asked.to_wire()).name == from_labels(asked.question[0].name.labels[:-1])


ANSWER = dns.message.from_text(
    """id 1
opcode QUERY
rcode NOERROR
flags QR RD RA
;QUESTION
a.example. IN HTTPS
;ANSWER
a.example. 60 IN CNAME b.a.example.
b.a.example. 60 IN HTTPS 1 c.example. alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1
;AUTHORITY
example. 60 IN SOA ns.example. x.example. 1 2 3 4 5
;ADDITIONAL
"""
).to_wire()


@given(st.one_of(st.binary(max_size=300), mutated(st.just(ANSWER))))
def test_replies_raise_only_the_own_error_and_render_as_messages(packet: bytes) -> None:
    try:
        read = parse_reply(packet)
    except WireError:
        return
    query = parse_query(dns.message.make_query("a.example", "HTTPS", use_edns=0).to_wire())
    whole = render(query, read, 3, 1232)
    assert len(whole) <= 1232
    assert whole[:2] == query.id.to_bytes(2, "big")
    assert whole[12 : 12 + len(query.question)] == query.question
