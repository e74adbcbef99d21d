"""An upstream's answer is read strictly, kept as long as it may be, and rendered for the one who asks."""

import dns.flags
import dns.message
import dns.rrset
import pytest

from gateway.dns import wire
from gateway.dns.errors import WireError
from gateway.dns.reply import Reply, matches, parse_reply, render
from gateway.dns.wire import parse_query


def upstream(
    *answers: str, authority: tuple[str, ...] = (), rcode: int = 0, name: str = "a.example.", rtype: str = "A"
) -> bytes:
    message = dns.message.make_response(dns.message.make_query(name, rtype, use_edns=0))
    message.set_rcode(rcode)
    for section, texts in ((message.answer, answers), (message.authority, authority)):
        for text in texts:
            owner, ttl, _in, kind, data = text.split(" ", 4)
            section.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, data))
    return message.to_wire()


def read(*answers: str, **options) -> Reply:
    return parse_reply(upstream(*answers, **options))


SOA = "example. 600 IN SOA ns.example. x.example. 1 2 3 4 30"


def test_finds_hops_hints_and_addresses() -> None:
    found = read(
        "a.example. 60 IN CNAME B.example.",
        "b.example. 60 IN HTTPS 1 c.example. ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1",
        "b.example. 60 IN A 192.0.2.3",
        rtype="HTTPS",
    )
    assert [record.target for record in found.records] == ["b.example", "c.example", None]
    assert [len(record.addresses) for record in found.records] == [0, 3, 1]
    assert [record.owner for record in found.records] == [None, "b.example", "b.example"]  # None: the name asked for


def test_lifetimes() -> None:
    assert read("a.example. 60 IN CNAME b.example.", "b.example. 20 IN A 192.0.2.1").lifetime_s == 20
    assert read(authority=(SOA,)).lifetime_s == 30  # RFC 2308 §5: the lesser of TTL and MINIMUM
    assert read(authority=(SOA,), rcode=3).lifetime_s == 30
    assert read(rcode=3).lifetime_s == 0  # RFC 2308 §5: without SOA not to be kept
    assert read(rcode=2).lifetime_s == 1  # RFC 9520 §3.2
    assert read("a.example. 999999 IN A 192.0.2.1").lifetime_s == 3600


def test_renders_for_the_asker() -> None:
    found = read("a.example. 4000 IN A 192.0.2.1", "a.example. 100 IN A 192.0.2.2")
    asked = dns.message.make_query("A.eXample.", "A", use_edns=0)
    answer = render(parse_query(asked.to_wire()), found, age_s=30, limit_bytes=1232)
    message = dns.message.from_wire(answer)
    assert asked.is_response(message)
    assert answer[12:23] == b"\x01A\x07eXample\0"
    assert [rrset.ttl for rrset in dns.message.from_wire(answer, one_rr_per_rrset=True).answer] == [300, 70]
    assert message.edns == 0
    assert not message.flags & (dns.flags.AD | dns.flags.AA)


def test_too_long_becomes_truncated() -> None:
    found = read(*(f"a.example. 60 IN A 192.0.2.{i}" for i in range(40)))
    asked = dns.message.make_query("a.example.", "A", use_edns=False)
    message = dns.message.from_wire(render(parse_query(asked.to_wire()), found, 0, 512))
    assert message.flags & dns.flags.TC
    assert not message.answer


def test_the_additional_section_goes() -> None:
    message = dns.message.from_wire(upstream("a.example. 60 IN A 192.0.2.1"))
    message.additional.append(dns.rrset.from_text("ns.example.", 60, "IN", "A", "10.0.0.1"))
    found = parse_reply(message.to_wire())
    assert found.answer_count == 1
    assert len(found.records) == 1


def test_truncated_is_known_before_anything_broken_is_read() -> None:  # the first mending of CVE-2023-29483
    packet = bytearray(upstream("a.example. 60 IN A 192.0.2.1"))
    packet[2] |= 2
    assert parse_reply(bytes(packet[:-20])).truncated


def header(answers: int) -> bytes:
    return b"\0\1\x81\x80\0\1" + answers.to_bytes(2, "big") + b"\0\0\0\0" + b"\x01a\0\0\x01\0\x01"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        header(1),
        header(1) + b"\xc0\x13\0\x01\0\x01\0\0\0\x01\0\x04abcd",  # a pointer to itself (CVE-2024-8508 class)
        header(1) + b"\xc0\xff\0\x01\0\x01\0\0\0\x01\0\x04abcd",  # forwards
        header(1) + b"\xc0\x00\0\x01\0\x01\0\0\0\x01\0\x04abcd",  # into the header
        header(1) + b"\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x05abcde",  # an A of 5 bytes
        header(1) + b"\xc0\x0c\0\x05\0\x01\0\0\0\x01\0\x04\x01b\0x",  # bytes after a CNAME's target
        header(1) + b"\xc0\x0c\0\x41\0\x01\0\0\0\x01\0\x08\0\x01\0\0\x04\0\x03a",  # a hint cut off
        header(1) + b"\xc0\x0c\0\x29\0\x01\0\0\0\x01\0\0",  # OPT among answers
        header(1001) + (b"\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x04abcd" * 1001),
    ],
)
def test_refuses(packet: bytes) -> None:
    with pytest.raises(WireError):
        parse_reply(packet)


def test_matches_whatever_the_case() -> None:
    assert matches(read(name="A.Example."), b"\x01a\x07example\0\0\x01\0\x01")
    assert not matches(read(rtype="AAAA"), b"\x01a\x07example\0\0\x01\0\x01")


def test_negative_rendering_keeps_the_soa() -> None:
    asked = dns.message.make_query("a.example.", "A")
    message = dns.message.from_wire(render(parse_query(asked.to_wire()), read(authority=(SOA,), rcode=3), 10, 1232))
    assert message.rcode() == wire.NXDOMAIN
    assert message.authority[0].ttl == 20
