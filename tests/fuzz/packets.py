"""Packets to begin with, and ways to spoil them: for hypothesis, for the kept corpus, and as seeds for atheris."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import dns.edns
import dns.message
import dns.rrset

CORPUS = Path(__file__).with_name("corpus")

_RECORDS = (
    ("a.example. 60 A 198.51.100.1",),
    ("a.example. 60 A 198.51.100.1", "a.example. 60 A 192.168.1.1"),
    ("a.example. 60 AAAA 2001:db8::1", "a.example. 60 AAAA fd00::1"),
    ("a.example. 60 CNAME b.a.example.", "b.a.example. 60 A 198.51.100.1"),
    ("a.example. 60 CNAME www.GAME.example.", "www.game.example. 60 A 198.51.100.9"),
    ("a.example. 60 HTTPS 1 . alpn=h2 ipv4hint=198.51.100.1,10.0.0.1 ipv6hint=2001:db8::1",),
    ("a.example. 60 HTTPS 0 www.game.example.", "a.example. 60 SVCB 1 b.example. port=53"),
    ("example. 60 DNAME game.example.", "a.example. 60 CNAME a.game.example."),
    ("a.example. 60 CNAME captive.apple.com.", "captive.apple.com. 60 CNAME www.game.example."),
    ('a.example. 60 TXT "x" "y"', "a.example. 60 MX 10 mx.a.example.", "a.example. 60 SRV 1 2 3 b.a.example."),
    ("a.example. 60 RRSIG A 8 2 60 20301231000000 20201231000000 1 example. AAAA",),
    (r"a.example. 60 CNAME \000.\046.example.", r"\000.\046.example. 60 TYPE65400 \# 2 c00c"),
    (),
)
_SOA = "example. 600 SOA ns.example. x.example. 1 2 3 4 30"


def queries() -> list[bytes]:
    """Good ones."""
    options = [dns.edns.GenericOption(10, b"abcdefgh"), dns.edns.ECSOption("198.51.100.0", 24)]
    made = [
        dns.message.make_query(name, rtype, use_edns=edns, want_dnssec=bool(edns) and rtype == "AAAA", id=7)
        for name in ("a.example", "WWW.game.example", "gjest.internal", "mask.icloud.com", ".", r"a\.b.\000.example")
        for rtype in ("A", "AAAA", "HTTPS", "ANY")
        for edns in (False, 0)
    ]
    made += [dns.message.make_query("a.example", "A", id=7, options=[each]) for each in options]
    return [each.to_wire() for each in made]


def replies() -> list[bytes]:
    """Good ones, all to one question."""
    made = []
    for records in _RECORDS:
        for rcode in (0, 3, 2):
            query = dns.message.make_query("a.example", "HTTPS" if "HTTPS" in str(records) else "A", id=7)
            message = dns.message.make_response(query, recursion_available=True)
            message.set_rcode(rcode)
            for each in records:
                owner, ttl, rtype, data = each.split(" ", 3)
                message.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", rtype, data))
            if rcode == 3 or not records:
                owner, ttl, rtype, data = _SOA.split(" ", 3)
                message.authority.append(dns.rrset.from_text(owner, int(ttl), "IN", rtype, data))
            made.append(message.to_wire())
    return made


def exchanges() -> list[bytes]:
    """For `targets.resolve`: a query for `a.example`, and each reply to it without its question."""
    made = []
    for reply in replies():
        question = reply[12:27]
        query = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 1) + question + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
        made.append(len(query).to_bytes(2, "big") + query + reply[:12] + reply[27:])
    return made


def plain_queries() -> list[bytes]:
    """Of listed names, without EDNS: those that the shortcut is for."""
    names = ("game.example", "www.game.example", "a.b.GAME.example", r"\000.game.example", "x" * 63 + ".game.example")
    return [
        dns.message.make_query(name, rtype, use_edns=False, id=7).to_wire() for name in names for rtype in ("A", "TXT")
    ]


SEEDS = {"query": queries, "reply": replies, "resolve": exchanges, "shortcut": plain_queries}


def spoil(packet: bytes, dice: random.Random, others: list[bytes]) -> bytes:
    """The packet with one to four faults."""
    spoilt = bytearray(packet)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(spoilt)) if spoilt else 0
        kind = dice.randrange(8)
        if kind == 0 and spoilt:
            spoilt[at] = dice.choice((0, 1, 0x3F, 0x40, 0x80, 0xC0, 0xFF, dice.randrange(256)))
        elif kind == 1:
            del spoilt[at:]
        elif kind == 2:
            spoilt[at:at] = dice.randbytes(dice.randint(1, 6))
        elif kind == 3:
            del spoilt[at : at + dice.randint(1, 6)]
        elif kind == 4:  # a pointer somewhere
            spoilt[at : at + 2] = (0xC000 | dice.choice((0, 12, at, at + 2, dice.randrange(64)))).to_bytes(2, "big")
        elif kind == 5:  # a count, a length or a TTL that does not fit
            spoilt[at : at + 2] = dice.choice((b"\0\0", b"\0\1", b"\xff\xff", b"\x80\0"))
        elif kind == 6:
            other = dice.choice(others)
            cut = dice.randrange(len(other))
            spoilt[at:] = other[cut:]
        else:
            spoilt += spoilt[at : at + dice.randint(1, 60)]
    return bytes(spoilt)


def kept() -> Iterator[tuple[str, Path]]:
    """(target, file) of the corpus."""
    for target in SEEDS:
        for path in sorted((CORPUS / target).glob("*.bin")):
            yield target, path


def write_corpus(each: int = 60, seed: int = 1) -> None:
    """Write the corpus anew: so many spoilt packets for each target, beside what was found by hand (`found-*.bin`)."""
    for target, make in SEEDS.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        seeds, dice = make(), random.Random(seed)
        for number in range(each):
            (folder / f"{number:03d}.bin").write_bytes(spoil(dice.choice(seeds), dice, seeds))


if __name__ == "__main__":
    write_corpus()
