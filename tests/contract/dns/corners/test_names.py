"""Names in every spelling that DNS allows: what is listed is refused, what is not listed passes."""

from __future__ import annotations

import struct

import dns.message
import dns.name
import dns.rcode
import pytest

from .conftest import Stage, codes, respond


def labels(*parts: bytes) -> dns.name.Name:
    return dns.name.Name([*parts, b""])


LONGEST = [b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 48]  # with game.example: 255 octets (RFC 1035 §2.3.4)

REFUSED = [
    dns.name.from_text("game.example"),
    dns.name.from_text("gAmE.eXaMpLe"),  # RFC 4343
    dns.name.from_text("WWW.GAME.EXAMPLE"),
    labels(b"xn--blbr-roah", b"example"),  # listed as a U-label (RFC 5891)
    labels(b"XN--BLBR-ROAH", b"example"),
    labels(b"xn--bcher-kva", b"mid", b"example"),
    labels(b"www", b"xn--bcher-kva", b"mid", b"example"),
    labels(b"xn--bcher-kva", b"game", b"example"),
    labels(b"xn--\xff\xff", b"game", b"example"),  # no punycode at all
    labels(b"_sip", b"_tcp", b"under", b"example"),  # RFC 8552
    labels(b"_443", b"_tcp", b"www", b"game", b"example"),
    labels(b"*", b"game", b"example"),  # a label like any other in a question (RFC 4592 §2.1.1)
    labels(b"a.b", b"game", b"example"),
    labels(b"\0", b"game", b"example"),
    labels(bytes(range(63)), b"game", b"example"),
    labels(*LONGEST, b"game", b"example"),
    labels(*([b"x"] * 120), b"game", b"example"),
]
PASSES = [
    dns.name.from_text("notgame.example"),  # label boundaries
    dns.name.from_text("game.example.ok.example"),
    dns.name.from_text("game.examplex"),
    labels(b"www.game", b"example"),  # `\046`: a dot in a label separates nothing
    labels(b"x", b"www.game", b"example"),
    labels(b"game.example"),
    labels(b"game", b"example\0"),
    labels(b"game\0", b"example"),
    labels(b"\0game", b"example"),
    labels(b"game", b"example "),
    labels(b"*", b"ok", b"example"),
    labels(b"*"),
    labels("blåbær".encode(), b"example"),  # octets of UTF-8 are another name than the A-label (RFC 2181 §11)
    labels(b"tcp", b"under", b"example"),
    labels(*LONGEST, b"fame", b"example"),
    dns.name.root,
]


@pytest.mark.parametrize("name", REFUSED, ids=str)
def test_listed(stage: Stage, name: dns.name.Name) -> None:
    for rtype in ("A", "HTTPS", "TLSA"):
        for tcp in (False, True):
            for _ in range(3):  # cold, second sight, finished
                assert codes(stage.ask(name, rtype, tcp=tcp)) == [15]
            assert stage.ask(name, rtype, tcp=tcp, use_edns=False).rcode() == dns.rcode.NOERROR
    assert stage.upstream.asked == []


@pytest.mark.parametrize("name", PASSES, ids=str)
def test_not_listed(stage: Stage, name: dns.name.Name) -> None:
    stage.plays(lambda packet, by_tcp: [respond(packet, rcode=dns.rcode.NXDOMAIN)])
    message = stage.ask(name, "TXT")
    assert (message.rcode(), codes(message)) == (dns.rcode.NXDOMAIN, [])
    assert message.question[0].name == name
    assert stage.upstream.asked


@pytest.mark.parametrize("target", ["WWW.GAME.EXAMPLE.", "wWw.gAmE.eXaMpLe.", r"\119ww.g\065me.example."])
@pytest.mark.parametrize("rtype", ["A", "AAAA", "TXT", "HTTPS"])
def test_the_case_of_a_hop_does_not_matter(stage: Stage, target: str, rtype: str) -> None:  # Unbound #1242
    stage.tells(f"@ 60 CNAME {target}", f"{target} 60 A 198.51.100.9")
    name = stage.name()
    for spelling in (name, name.upper(), name, name):
        assert codes(stage.ask(spelling, rtype)) == [15]


def test_the_spelling_of_the_question_comes_back(stage: Stage) -> None:  # RFC 5452 §9.1 and the 0x20 of clients
    stage.tells("@ 60 A 198.51.100.1")
    for name in (stage.name().title(), "GaMe.eXample", "GJEST.internal", "LOCALHOST", "x.INVALID", "Mask.iCloud.com"):
        for _ in range(3):
            for tcp in (False, True):
                message = stage.ask(name, tcp=tcp)
                assert message.question[0].name.labels == dns.name.from_text(name).labels


@pytest.mark.parametrize(
    "name",
    [
        b"\x40" + b"a" * 64 + b"\0",
        b"".join(b"\x3f" + b"a" * 63 for _ in range(4)) + b"\0",  # 257
        b"".join(b"\x3f" + b"a" * 63 for _ in range(3)) + b"\x3e" + b"a" * 62 + b"\0",  # 256
        b"\x01a" * 128 + b"\0",
        b"\x80a\0",
        b"\xc0\x0c",
        b"\x03abc",
    ],
    ids=["label of 64", "257", "256", "129 labels", "reserved label", "pointer", "no end"],
)
def test_no_name_at_all(stage: Stage, name: bytes) -> None:  # RFC 1035 §2.3.4, §4.1.4
    packet = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + name + b"\0\x01\0\x01"
    for answer in (stage.send(packet), stage.send_by_tcp(packet)):
        assert answer is not None
        assert dns.message.from_wire(answer).rcode() == dns.rcode.FORMERR
    assert stage.upstream.asked == []


@pytest.mark.parametrize(
    "name",
    [
        b"\x40" + b"a" * 64 + b"\x04game\x07example\0",
        b"\x04game\x07example\0more",
        (b"\x3f" + b"a" * 63) * 4 + b"\x04game\x07example\0",
    ],
    ids=["label of 64", "bytes after it", "270"],
)
def test_no_name_at_all_is_not_taken_for_a_listed_one(stage: Stage, name: bytes) -> None:
    """The quick way for listed names takes no question apart, and yet knows what is none."""
    plain = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0)
    good = stage.send(plain + b"\x04game\x07example\0\0\x01\0\x01")
    assert good is not None
    assert good[3] & 15 == dns.rcode.NOERROR
    for _ in range(3):
        answer = stage.send(plain + name + b"\0\x01\0\x01")
        assert answer is not None
        assert answer[3] & 15 == dns.rcode.FORMERR
