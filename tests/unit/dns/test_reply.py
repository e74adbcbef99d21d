"""An upstream's answer is read strictly, kept as long as it may be, and rendered for the one who asks."""

import struct
import time

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


FAILED = struct.pack("!6H", 1, 0x8182, 1, 1, 0, 0) + b"\x01a\x07example\0\0\x01\0\x01"


def test_records_of_a_failure_are_let_go() -> None:  # CVE-2026-50243: what was found bogus is never made presentable
    found = parse_reply(FAILED + b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc6\x33\x64\x01")
    assert (found.rcode, found.records, found.body, found.answer_count) == (wire.SERVFAIL, (), b"", 0)
    assert parse_reply(FAILED + b"junk").rcode == wire.SERVFAIL


def service(target: bytes, rtype: int = wire.HTTPS) -> bytes:
    return b"\xc0\x0c" + struct.pack("!HHIH", rtype, 1, 60, 2 + len(target)) + b"\0\x01" + target


def message(*records: bytes) -> bytes:
    return struct.pack("!6H", 1, 0x8180, 1, len(records), 0, 0) + b"\x01a\x07example\0\0\x41\0\x01" + b"".join(records)


LONG = b"\x01\xff" * 120 + b"\0"
AT_LONG = 12 + 15 + 14  # where the name of the first service record stands


def pointer(position: int) -> bytes:
    return struct.pack("!H", 0xC000 | position)


@pytest.mark.parametrize(
    "packet",
    [
        # CVE-2024-8508, CVE-2026-44390: very large RRsets whose names share no suffix
        message(*(service(b"\x01\xff" * 20 + struct.pack("!BH", 2, number) + b"\0") for number in range(999))),
        # RFC 9267 §2: each name short, all of them together long
        message(service(LONG), *(service(bytes((1, n & 255)) + pointer(AT_LONG + 2 * (n >> 8))) for n in range(999))),
        message(service(LONG), *(service(b"\x01a" + pointer(AT_LONG + 2)) for _ in range(999))),
    ],
    ids=["no common suffix", "different", "the same again"],
)
def test_names_without_end_cost_little(packet: bytes) -> None:
    started = time.process_time()
    found = parse_reply(packet)
    assert time.process_time() - started < 0.1
    assert (found.rcode, found.records) == (wire.SERVFAIL, ())


def test_a_large_answer_of_one_name_is_read_whole() -> None:
    full = b"\x01A\x07example\0" + struct.pack("!HHIH", wire.A, 1, 60, 4)
    found = parse_reply(message(*(full + number.to_bytes(4, "big") for number in range(1 << 27, (1 << 27) + 999))))
    assert (found.rcode, len(found.records)) == (wire.NOERROR, 999)
    assert len(parse_reply(message(*(service(b"\x01a" + pointer(14)) for _ in range(999)))).records) == 999


def test_pointers_to_pointers_are_followed_so_far() -> None:
    chain = b"".join(pointer(12 if not number else AT_LONG + 2 * number - 2) for number in range(40))
    unread = b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 60, 2 + len(chain)) + b"\0\0" + chain
    assert len(parse_reply(message(unread, service(pointer(AT_LONG + 2 * 20)))).records) == 2
    with pytest.raises(WireError):
        parse_reply(message(unread, service(pointer(AT_LONG + 2 * 39))))


def test_a_negative_answer_may_be_kept_as_long_as_its_soa_says_and_says_so() -> None:  # RFC 2308 §5
    for answers in ((), ("a.example. 600 IN CNAME gone.example.",)):
        found = read(*answers, authority=(SOA,), rcode=wire.NXDOMAIN if not answers else wire.NOERROR)
        asked = dns.message.make_query("a.example.", "A")
        message = dns.message.from_wire(render(parse_query(asked.to_wire()), found, 0, 1232))
        assert (found.lifetime_s, message.authority[0].ttl) == (30, 30)


def test_a_ttl_with_the_top_bit_set_is_zero_in_what_is_given_too() -> None:  # RFC 2181 §8
    packet = upstream("a.example. 60 IN A 192.0.2.1").replace(b"\0\0\0\x3c\0\x04", b"\x80\0\0\x3c\0\x04")
    asked = dns.message.make_query("a.example.", "A")
    whole = render(parse_query(asked.to_wire()), parse_reply(packet), 0, 1232)
    assert dns.message.from_wire(whole).answer[0].ttl == 0


def test_records_of_another_class_are_no_answer() -> None:
    packet = upstream("a.example. 60 IN A 192.0.2.1").replace(b"\0\1\0\1\0\0\0\x3c", b"\0\1\0\3\0\0\0\x3c")
    with pytest.raises(WireError):
        parse_reply(packet)
