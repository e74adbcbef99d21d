"""What is left of an answer for a device that has not accepted."""

import dns.message
import dns.rcode
import dns.rrset
import pytest

from gateway.dns import unaccepted, wire
from gateway.dns.plan import Answer, Forward, NotAccepted, Site, plan
from gateway.dns.reply import parse_reply
from gateway.dns.unaccepted import ADDRESSES_MAX, HTTPS_BYTES_MAX, TTL_MAX_S
from tests.unit.dns.test_plan import NOW

SITE = Site.build("gjest.internal", (), ())
LONG = "x" * 60


def answer(
    name: str, rtype: str, *records: tuple[str, int, str, str], rcode: int = 0, age_s: int = 0, edns: int = 0
) -> dns.message.Message:
    """What an upstream's records become. Each: owner, TTL, type, data; type SOA goes to the authority section."""
    query = dns.message.make_query(name, rtype, use_edns=edns)
    upstream = dns.message.make_response(query, recursion_available=True)
    upstream.set_rcode(rcode)
    for owner, ttl, kind, data in records:
        section = upstream.authority if kind == "SOA" else upstream.answer
        section.append(dns.rrset.from_text(owner, ttl, "IN", kind, data))
    reply = parse_reply(upstream.to_wire(max_size=65535))
    told = unaccepted.render(wire.parse_query(query.to_wire()), reply, age_s)
    message = dns.message.from_wire(told)
    assert query.is_response(message)
    assert not message.additional
    assert len(told) <= 512
    return message


def texts(message: dns.message.Message) -> list[str]:
    return [str(record) for rrset in message.answer for record in rrset]


def test_addresses_stand_under_the_name_itself_and_aliases_are_gone() -> None:
    told = answer(
        "Captive.Example.", "A",
        ("captive.example.", 300, "CNAME", f"{LONG}.tunnel.example."),
        (f"{LONG}.tunnel.example.", 7, "CNAME", "last.example."),
        ("last.example.", 200, "A", "198.51.100.1"),
        ("last.example.", 200, "A", "198.51.100.2"),
        ("unrelated.example.", 200, "A", "198.51.100.3"),
    )  # fmt: skip
    (rrset,) = told.answer
    assert str(rrset.name) == "Captive.Example."
    assert sorted(texts(told)) == ["198.51.100.1", "198.51.100.2"]
    assert rrset.ttl == 7  # the shortest of all


def test_an_alias_that_leads_nowhere_is_no_answer() -> None:  # what iodine sends its data in, for questions of type A
    told = answer("q.tunnel.example.", "A", ("q.tunnel.example.", 0, "CNAME", f"{LONG}.{LONG}.{LONG}.example."))
    assert (told.rcode(), told.answer, len(told.authority)) == (0, [], 1)
    assert LONG not in told.to_text()


def test_addresses_are_few() -> None:
    many = [("q.example.", 60, "AAAA", f"2001:db8::{number:x}") for number in range(1, 60)]
    assert len(texts(answer("q.example.", "AAAA", *many))) == ADDRESSES_MAX


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
def test_an_soa_is_our_own(rcode: int) -> None:
    told = answer(
        "q.example.", "A", ("example.", 60, "SOA", f"{LONG}.example. {LONG}.example. 1 2 3 4 60"), rcode=rcode
    )
    assert told.rcode() == rcode
    assert len(told.authority) == 1
    assert LONG not in told.to_text()
    assert told.authority[0].ttl == TTL_MAX_S


def test_records_of_other_types_are_gone() -> None:
    told = answer("q.example.", "A", ("q.example.", 60, "TXT", f'"{LONG}"'), ("q.example.", 60, "A", "198.51.100.1"))
    assert texts(told) == ["198.51.100.1"]


def test_a_short_https_record_stays_and_a_long_one_goes() -> None:
    short = r'1 . alpn="h3,h2" ipv4hint="198.51.100.1"'
    assert texts(answer("q.example.", "HTTPS", ("q.example.", 60, "HTTPS", short))) == [
        '1 . alpn="h3,h2" ipv4hint="198.51.100.1"'
    ]
    long = f'1 . key65000="{"x" * (HTTPS_BYTES_MAX + 1)}"'
    told = answer("q.example.", "HTTPS", ("q.example.", 60, "HTTPS", long))
    assert (told.answer, len(told.authority)) == ([], 1)
    two = [("q.example.", 60, "HTTPS", f'{number} . key65000="{"x" * 90}"') for number in (1, 2)]
    assert len(texts(answer("q.example.", "HTTPS", *two))) == 1


def test_a_compressed_target_would_point_elsewhere_and_goes() -> None:  # RFC 9460 §2.2 forbids it
    query = dns.message.make_query("q.example", "HTTPS", use_edns=False)
    header = query.to_wire()[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
    packet = header + query.to_wire()[12:] + b"\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\4\0\1\xc0\x0c"
    told = unaccepted.render(wire.parse_query(query.to_wire()), parse_reply(packet), 0)
    assert not dns.message.from_wire(told).answer


def test_ttls_count_down_and_failures_are_told_as_such() -> None:
    record = ("q.example.", 12, "A", "198.51.100.1")
    assert answer("q.example.", "A", record).answer[0].ttl == TTL_MAX_S
    assert answer("q.example.", "A", record, age_s=5).answer[0].ttl == 7
    assert answer("q.example.", "A", record, age_s=50).answer[0].ttl == 0
    assert answer("q.example.", "A", rcode=dns.rcode.REFUSED).rcode() == dns.rcode.SERVFAIL


def test_opt_only_if_asked() -> None:
    record = ("q.example.", 12, "A", "198.51.100.1")
    assert answer("q.example.", "A", record, edns=-1).edns == -1
    assert answer("q.example.", "A", record).edns == 0


def test_the_largest_answer_fits_512_bytes() -> None:
    name = f"{'a' * 63}.{'b' * 28}.example."  # 100 bytes and the root
    many = [(name, 60, "AAAA", f"2001:db8::{number:x}") for number in range(1, 60)]
    assert len(texts(answer(name, "AAAA", *many))) == ADDRESSES_MAX


def test_names_of_more_than_100_bytes_are_refused_with_the_reason() -> None:
    for size, expected in ((28, Forward), (29, Answer)):
        name = f"{'a' * 63}.{'b' * size}.example."
        assert len(name) == size + 73
        query = dns.message.make_query(name, "A", use_edns=0)
        planned = plan(wire.parse_query(query.to_wire()), NotAccepted(), SITE, NOW)
        assert isinstance(planned, expected)
    assert isinstance(planned, Answer)
    told = dns.message.from_wire(planned.wire)
    assert told.rcode() == dns.rcode.REFUSED
    assert [(int(each.code), each.text) for each in told.options] == [(18, "name too long before acceptance")]
