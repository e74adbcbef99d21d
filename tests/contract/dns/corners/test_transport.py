"""How questions and answers travel: sizes, TCP, what is no plain question, and what EDNS brings along."""

from __future__ import annotations

import struct

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from .conftest import Stage, respond

FULL_HEADER = struct.Struct("!6H")
QUESTION = b"\x05plain\x05fresh\x07example\0\0\x01\0\x01"


def header(flags: int = 0x0100, questions: int = 1, answers: int = 0, authority: int = 0, additional: int = 0) -> bytes:
    return FULL_HEADER.pack(7, flags, questions, answers, authority, additional)


@pytest.mark.parametrize("edns_bytes", [None, 0, 100, 511, 512, 700, 1232, 1400, 4096, 65535])
def test_no_datagram_is_longer_than_asked_for(stage: Stage, edns_bytes: int | None) -> None:
    """RFC 1035 §4.2.1, RFC 6891 §6.2.3 (below 512 means 512), RFC 9715 §3.1 (never above 1232)."""
    limit = 512 if edns_bytes is None else min(max(edns_bytes, 512), 1232)
    for count in (1, 28, 29, 45, 72, 73, 74, 300):
        stage.tells(*(f"@ 60 A 198.51.100.{number % 250}" if number < 250 else f"@ 60 A 203.0.113.{number % 250}"
                      for number in range(count)))  # fmt: skip
        name = stage.name()
        query = dns.message.make_query(name, "A", use_edns=False if edns_bytes is None else 0, payload=edns_bytes)
        for _ in range(3):
            packet = stage.send(query.to_wire())
            assert packet is not None
            assert len(packet) <= limit
            message = dns.message.from_wire(packet)
            if message.flags & dns.flags.TC:  # RFC 2181 §9: nothing in it is to be used, so nothing is in it
                assert message.answer == []
                assert 12 + len(name) + 6 + 16 * count + 11 > limit
            else:
                assert len(message.answer[0]) == count
        assert len(stage.ask(name, tcp=True).answer[0]) == count


def test_what_comes_by_tcp_goes_on_by_tcp(stage: Stage) -> None:  # RFC 5625 §4.4.2
    stage.tells("@ 60 A 198.51.100.1")
    assert stage.ask(stage.name(), tcp=True).answer
    assert [by_tcp for _, by_tcp in stage.upstream.asked] == [True]
    stage.upstream.asked.clear()
    assert stage.ask(stage.name()).answer
    assert [by_tcp for _, by_tcp in stage.upstream.asked] == [False]


@pytest.mark.parametrize("size_bytes", [1233, 1300, 1472, 1535, 1536, 4000])
def test_a_datagram_longer_than_asked_for_is_not_believed(stage: Stage, size_bytes: int) -> None:
    """RFC 9715, CVE-2025-59024: it may have come in fragments, of which only the first holds what nobody can guess."""

    def plays(packet: bytes, by_tcp: bool) -> list[bytes]:
        if by_tcp:
            return [respond(packet, f"{dns.message.from_wire(packet).question[0].name} 60 A 198.51.100.1")]
        asked = dns.message.from_wire(packet).question[0].name
        forged = respond(packet, *(f"{asked} 60 A 203.0.113.{number}" for number in range(60)))
        return [forged + bytes(size_bytes - len(forged))]

    stage.plays(plays)
    assert [str(each) for each in stage.ask(stage.name()).answer[0]] == ["198.51.100.1"]
    assert [by_tcp for _, by_tcp in stage.upstream.asked] == [False, True]


def test_a_truncated_answer_is_asked_for_by_tcp(stage: Stage) -> None:  # RFC 7766 §5, RFC 2181 §9
    def plays(packet: bytes, by_tcp: bool) -> list[bytes]:
        whole = respond(packet, f"{dns.message.from_wire(packet).question[0].name} 60 A 198.51.100.1")
        return [whole if by_tcp else whole[:2] + b"\x83\x80" + whole[4:-3]]  # cut in the middle of a record

    stage.plays(plays)
    assert stage.ask(stage.name()).answer
    assert [by_tcp for _, by_tcp in stage.upstream.asked] == [False, True]


WITH_OPT = header(additional=1) + QUESTION
OPCODES = {dns.opcode.to_text(number): number for number in (1, 2, 4, 5, 6, 15)}


@pytest.mark.parametrize(
    ("packet", "rcode"),
    [
        pytest.param(header(questions=0), "FORMERR", id="QDCOUNT 0: RFC 9619 §4"),
        pytest.param(header(questions=2) + QUESTION * 2, "FORMERR", id="QDCOUNT 2: RFC 9619 §4"),
        pytest.param(header(questions=2) + QUESTION + b"\xc0\x0c\0\x1c\0\x01", "FORMERR", id="QDCOUNT 2, compressed"),
        pytest.param(header(questions=65535) + QUESTION, "FORMERR", id="QDCOUNT 65535"),
        pytest.param(
            header(questions=0, additional=1) + b"\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0a\0\x08abcdefgh",
            "FORMERR",
            id="a cookie alone, RFC 7873 §5.4, from a server without cookies",
        ),
        pytest.param(header(answers=1) + QUESTION, "FORMERR", id="ANCOUNT"),
        pytest.param(header(authority=1) + QUESTION, "FORMERR", id="NSCOUNT"),
        pytest.param(header(0x0300) + QUESTION, "FORMERR", id="TC in a question"),
        pytest.param(header() + QUESTION + b"\0", "FORMERR", id="more bytes"),
        pytest.param(header() + QUESTION[:-1], "FORMERR", id="fewer bytes"),
        pytest.param(header(additional=1) + QUESTION, "FORMERR", id="OPT promised"),
        pytest.param(WITH_OPT + b"\0\0\x29\x04\xd0\0\x01\0\0\0\0", "BADVERS", id="RFC 6891 §6.1.3"),
        pytest.param(header(additional=2) + QUESTION + b"\0\0\x29\x04\xd0\0\0\0\0\0\0" * 2, "FORMERR", id="two OPT"),
        pytest.param(WITH_OPT + b"\1x\0\0\x29\x04\xd0\0\0\0\0\0\0", "FORMERR", id="OPT's name"),
        pytest.param(WITH_OPT + b"\0\0\x29\x04\xd0\0\0\0\0\0\4\0\x0a\0\1", "FORMERR", id="option"),
        *(pytest.param(header(code << 11) + QUESTION, "NOTIMP", id=f"opcode {text}") for text, code in OPCODES.items()),
        pytest.param(
            header(4 << 11 | 0x0400, answers=1) + QUESTION[:-4] + b"\0\6\0\1" + b"\xc0\x0c\0\6\0\1\0\0\0\0\0\2\0\0",
            "NOTIMP",
            id="NOTIFY with its SOA: RFC 1996",
        ),
    ],
)  # fmt: skip
def test_what_is_no_plain_question_is_told_so_and_goes_nowhere(stage: Stage, packet: bytes, rcode: str) -> None:
    """RFC 8906 §3: an answer, not silence, to what one does not do."""
    for answer in (stage.send(packet), stage.send_by_tcp(packet)):
        assert answer is not None
        message = dns.message.from_wire(answer)
        assert (dns.rcode.to_text(message.rcode()), message.id) == (rcode, 7)
        assert (message.answer, message.authority) == ([], [])
        assert message.opcode() == packet[2] >> 3 & 15
    assert stage.upstream.asked == []


def test_answers_are_never_answered(stage: Stage) -> None:  # RFC 8906 §3.1.5; else two servers talk for ever
    for packet in (header(0x8180) + QUESTION, header(0xA180) + QUESTION, header(0x8000, 0), header()[:11], b""):
        assert stage.send(packet, timeout_s=0.2) is None
    assert stage.send_by_tcp(header(0x8180) + QUESTION) == b""
    assert stage.upstream.asked == []


def test_unknown_flags_do_not_matter(
    stage: Stage,
) -> None:  # RFC 8906 §3.1.4: the reserved bit, AA and RA in a question
    stage.tells("@ 60 A 198.51.100.1")
    for flags in (0x0140, 0x0500, 0x0180, 0x010F):
        answer = stage.send(header(flags) + QUESTION)
        assert answer is not None
        assert answer[2:4] == b"\x81\x80"


OPTIONS = {
    "cookie": dns.edns.GenericOption(10, b"abcdefgh"),  # RFC 7873 §5.2
    "client and server cookie": dns.edns.GenericOption(10, b"abcdefgh" + b"\1\0\0\0" + bytes(12)),  # RFC 9018 §4
    "cookie of a wrong length": dns.edns.GenericOption(10, b"abc"),
    "client subnet": dns.edns.ECSOption("198.51.100.0", 24),  # RFC 7871
    "client subnet of no family": dns.edns.GenericOption(8, b"\xff\xff\x20\0abcd"),
    "padding": dns.edns.GenericOption(12, bytes(100)),
    "keepalive": dns.edns.GenericOption(11, b""),
    "nsid": dns.edns.GenericOption(3, b""),
    "unknown": dns.edns.GenericOption(65001, b"xyz"),
}


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_options_are_ignored_and_go_nowhere(stage: Stage, option: dns.edns.Option) -> None:
    """RFC 6891 §6.1.2; RFC 7873 §5.2.3 lets a server without cookies ignore them; RFC 7871 §7.1.2 strips the subnet."""
    stage.tells("@ 60 A 198.51.100.1")
    name = stage.name()
    for _ in range(3):
        for tcp in (False, True):
            message = stage.ask(name, options=[option], tcp=tcp)
            assert message.answer
            assert message.options == ()
            assert [each.code for each in stage.ask("game.example", options=[option], tcp=tcp).options] == [15]
    for packet, _ in stage.upstream.asked:
        assert dns.message.from_wire(packet).options == ()


def test_bits_of_edns_that_nobody_knows_are_ignored(stage: Stage) -> None:  # RFC 6891 §6.1.4
    stage.tells("@ 60 A 198.51.100.1")
    message = stage.ask(stage.name(), use_edns=0, ednsflags=0x7FFF)
    assert (message.ednsflags, bool(message.answer)) == (0, True)
