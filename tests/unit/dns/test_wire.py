"""Queries are read strictly and answered with their own bytes."""

import struct

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from gateway.dns import wire
from gateway.dns.wire import BadQueryError, error_reply, parse_query, reply


def query(name="Example.NO.", rtype="A", **options) -> bytes:
    return dns.message.make_query(name, rtype, **options).to_wire()


def test_reads_name_in_lower_case_and_keeps_the_bytes_asked() -> None:
    packet = query("GaMe.Example.NO.")
    read = parse_query(packet)
    assert read.name == "game.example.no"
    assert read.question == packet[12:]
    assert not read.is_lower
    assert read.lower_question == packet[12:].lower()[:-4] + packet[-4:]


def test_reads_edns() -> None:
    read = parse_query(query(use_edns=0, payload=4096, want_dnssec=True))
    assert (read.edns, read.udp_bytes, read.do, read.has_options) == (True, 4096, True, False)
    assert parse_query(query(use_edns=0, payload=100)).udp_bytes == 512  # RFC 6891 §6.2.3
    assert parse_query(query(use_edns=0, options=[dns.edns.CookieOption(b"12345678", b"")])).has_options
    assert not parse_query(query(use_edns=False)).edns


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (b"a.b", "a\\046b"),
        (b"a\0b", "a\\000b"),
        (b"\xc3\xb8", "\\195\\184"),
        (b"*", "*"),
        (b"_dns", "_dns"),
        (b"a\\", "a\\092"),
    ],
)
def test_a_dot_in_the_text_always_separates_labels(label: bytes, text: str) -> None:
    packet = struct.pack("!6H", 1, wire.RD, 1, 0, 0, 0) + bytes([len(label)]) + label + b"\x02no\0\0\x01\0\x01"
    assert parse_query(packet).name == text + ".no"


def test_the_root() -> None:
    assert parse_query(query(".", "NS")).name == ""


HEADER = struct.pack("!6H", 7, wire.RD, 1, 0, 0, 0)
QUESTION = b"\x02no\0\0\x01\0\x01"


@pytest.mark.parametrize(
    ("packet", "rcode"),
    [
        (b"", None),
        (b"short", None),
        (struct.pack("!6H", 7, wire.QR, 1, 0, 0, 0) + QUESTION, None),  # RFC 8906: an answer gets no answer
        (struct.pack("!6H", 7, 0, 0, 0, 0, 0), wire.FORMERR),  # RFC 9619 §4
        (struct.pack("!6H", 7, 0, 2, 0, 0, 0) + QUESTION * 2, wire.FORMERR),  # RFC 9619 §4
        (struct.pack("!6H", 7, 4 << 11, 1, 0, 0, 0) + QUESTION, wire.NOTIMP),  # NOTIFY
        (struct.pack("!6H", 7, 5 << 11, 1, 0, 0, 0) + QUESTION, wire.NOTIMP),  # UPDATE
        (struct.pack("!6H", 7, 0, 1, 1, 0, 0) + QUESTION, wire.FORMERR),
        (HEADER + b"\xc0\x0c\0\x01\0\x01", wire.FORMERR),  # compression in a question
        (HEADER + b"\x40" + bytes(64) + b"\0\0\x01\0\x01", wire.FORMERR),  # 64-byte label
        (HEADER + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\x01\0\x01", wire.FORMERR),  # 257 bytes of name
        (HEADER + QUESTION[:-1], wire.FORMERR),
        (HEADER + QUESTION + b"x", wire.FORMERR),
        (HEADER[:-1] + b"\x01" + QUESTION + b"\0\0\x29\x04\xd0\0\x01\0\0\0\0", wire.BADVERS),
        (HEADER[:-1] + b"\x01" + QUESTION + b"\0\0\x29\x04\xd0\0\0\0\0\0\x03abc", wire.FORMERR),
        (HEADER[:-1] + b"\x02" + QUESTION + b"\0\0\x29\x04\xd0\0\0\0\0\0\0" * 2, wire.FORMERR),  # two OPT
    ],
)
def test_refuses_what_is_no_query(packet: bytes, rcode: int | None) -> None:
    with pytest.raises(BadQueryError) as caught:
        parse_query(packet)
    assert caught.value.rcode == rcode
    if rcode is not None:
        answer = dns.message.from_wire(error_reply(packet, rcode))
        assert answer.rcode() == rcode
        assert answer.id == 7


def test_very_many_options_are_refused_at_once() -> None:  # CVE-2026-41292
    def with_options(count: int) -> bytes:
        options = b"\xff\xf0\0\0" * count
        return HEADER[:-1] + b"\x01" + QUESTION + struct.pack("!BHHIH", 0, 41, 1232, 0, len(options)) + options

    assert parse_query(with_options(100)).has_options
    with pytest.raises(BadQueryError) as caught:
        parse_query(with_options(16_000))
    assert caught.value.rcode == wire.FORMERR


def test_own_answer_is_read_by_dnspython_and_echoes_everything() -> None:
    packet = query("GaMe.example.", use_edns=0)
    read = parse_query(packet)
    whole = reply(read, wire.NOERROR, (wire.record(wire.A, 10, bytes(4)),), (wire.soa(10),), (15, "gaming"), aa=True)
    answer = dns.message.from_wire(whole)
    asked = dns.message.from_wire(packet)
    assert asked.is_response(answer)
    assert whole[12 : 12 + len(read.question)] == read.question
    assert answer.answer[0].to_text() == "GaMe.example. 10 IN A 0.0.0.0"
    assert answer.authority[0].rdtype == dns.rdatatype.SOA
    assert [(option.code, option.text) for option in answer.options] == [(15, "gaming")]
    assert answer.flags & dns.flags.RA
    assert answer.flags & dns.flags.AA


def test_no_opt_when_none_came() -> None:
    read = parse_query(query(use_edns=False))
    assert dns.message.from_wire(reply(read, wire.REFUSED, ede=(18, "not accepted"))).edns == -1
