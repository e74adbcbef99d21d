"""10,000 questions through unbound and through ours to one upstream: the same answers, except where policy speaks."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from ipaddress import ip_address, ip_network

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import pytest

from .conftest import SEED
from .zones import names

QUESTIONS = 10_000
TYPES = ("A", "A", "A", "AAAA", "AAAA", "HTTPS", "TXT", "MX", "SRV", "SVCB", "CNAME", "DNAME", "NS", "SOA", "CAA",
         "PTR", "DS", "TYPE65400", "NAPTR", "TLSA")  # fmt: skip
_WINDOW = 48
_AGAIN_S = 1.0
_FOR_POLICY = dns.name.from_text("game.example")

Row = tuple[str, str, str]


def questions(seed: int) -> list[tuple[dns.message.Message, bool]]:
    """(query, by TCP), each query with its place in the list as its ID."""
    dice = random.Random(seed)
    every = names(seed)
    made = []
    for number in range(QUESTIONS):
        name = dice.choice(every)
        if dice.random() < 0.3:
            name = "".join(letter.upper() if dice.random() < 0.5 else letter for letter in name)
        query = dns.message.make_query(
            name,
            dice.choice(TYPES),
            use_edns=dice.choice((False, 0, 0)),
            payload=dice.choice((512, 900, 1232, 4096)),
            want_dnssec=dice.random() < 0.2,
            id=number,
        )
        query.flags |= (dns.flags.CD if dice.random() < 0.1 else 0) | (dns.flags.AD if dice.random() < 0.1 else 0)
        made.append((query, dice.random() < 0.03))
    return made


def by_udp(port: int, packets: dict[int, bytes]) -> dict[int, bytes]:
    """Every answer by its ID; what gets none is asked three times. Fails where an answer comes twice."""
    answers: dict[int, bytes] = {}
    waiting: dict[int, tuple[float, int]] = {}
    left = list(packets)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        client.connect(("127.0.0.1", port))
        client.settimeout(0.05)
        while left or waiting:
            while left and len(waiting) < _WINDOW:
                ident = left.pop()
                waiting[ident] = (time.monotonic(), 1)
                client.send(packets[ident])
            try:
                packet = client.recv(65535)
            except TimeoutError:
                now = time.monotonic()
                for ident, (since, times) in waiting.items():
                    if now - since > _AGAIN_S:
                        assert times < 8, f"no answer to {dns.message.from_wire(packets[ident]).question}"
                        waiting[ident] = (now, times + 1)
                        client.send(packets[ident])
                continue
            ident = int.from_bytes(packet[:2], "big")
            _, times = waiting.pop(ident, (0.0, 0))
            assert times, "an answer to nothing"
            answers[ident] = packet
            if times > 1:  # the second answer may still come
                time.sleep(0.01)
    return answers


def rows(message: dns.message.Message) -> set[Row]:
    """The answer section without its TTLs and its letters' case."""
    return {
        (str(rrset.name).lower(), dns.rdatatype.to_text(rrset.rdtype), _data(record))
        for rrset in message.answer
        for record in rrset
    }


def _data(record: dns.rdata.Rdata) -> str:
    text = record.to_text()
    return text.lower() if record.rdtype in (dns.rdatatype.CNAME, dns.rdatatype.DNAME) else text


def leads_to_policy(message: dns.message.Message) -> bool:
    """Whether the question, a hop or a target is of the forbidden zone, or an address is one inside."""
    if message.question[0].name.is_subdomain(_FOR_POLICY):
        return True
    for rrset in message.answer:
        for record in rrset:
            target = getattr(record, "target", None)
            is_hop = rrset.rdtype in (dns.rdatatype.CNAME, dns.rdatatype.DNAME, dns.rdatatype.HTTPS, dns.rdatatype.SVCB)
            if is_hop and target is not None and target.is_subdomain(_FOR_POLICY):
                return True
            addresses = [record.address] if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA) else []
            if hasattr(record, "params"):
                addresses += [each for hint in record.params.values() for each in getattr(hint, "addresses", ())]
            if any(ip_address(each) in network for each in addresses for network in PRIVATE):
                return True
    return False


PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "192.168.0.0/16", "127.0.0.0/8")))


def is_refusal(message: dns.message.Message) -> bool:
    """What a forbidden name is answered with."""
    if message.edns >= 0 and [int(option.code) for option in message.options] != [15]:
        return False
    return message.rcode() == dns.rcode.NOERROR and all(
        record.to_text() in ("0.0.0.0", "::") for rrset in message.answer for record in rrset
    )


@pytest.mark.timeout(240)
def test_ours_answers_as_unbound_does(both: tuple[int, int]) -> None:
    asked = questions(SEED)
    packets = {query.id: query.to_wire() for query, _ in asked}
    heard: list[dict[int, dns.message.Message]] = []
    for port in both:
        raw = by_udp(port, {query.id: packets[query.id] for query, tcp in asked if not tcp})
        messages = {ident: dns.message.from_wire(packet) for ident, packet in raw.items()}
        for query, _ in asked:
            if query.id not in messages or messages[query.id].flags & dns.flags.TC:
                messages[query.id] = dns.query.tcp(query, "127.0.0.1", port=port, timeout=5)
        heard.append(messages)
    theirs, ours = heard
    told: Counter[str] = Counter()
    different = []
    for query, _ in asked:
        expected, given = theirs[query.id], ours[query.id]
        assert query.is_response(given)
        assert (given.edns >= 0) == (query.edns >= 0)
        if leads_to_policy(expected):
            told["policy"] += 1
            if not is_refusal(given):
                different.append((str(query.question[0]), "should be refused", given.to_text()))
            continue
        told[dns.rcode.to_text(expected.rcode())] += 1
        told["rows"] += len(rows(expected))
        if (expected.rcode(), rows(expected)) != (given.rcode(), rows(given)):
            different.append((str(query.question[0]), expected.to_text(), given.to_text()))
    assert different == [], "\n\n".join(map("\n".join, different[:5])) + f"\n{len(different)} in all"
    # the questions were varied enough to mean something
    assert told["policy"] > 300, told
    assert told["NXDOMAIN"] > 500, told
    assert told["NOERROR"] > 5000, told
    assert told["rows"] > 5000, told
