"""Each standard that the DNS service follows is named by the tests that hold it to it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from .conftest import Stage, codes, respond

TESTS = Path(__file__).parents[3]
STANDARDS = (1035, 2181, 2308, 3597, 4343, 5452, 5625, 6303, 6761, 6891, 7766, 7871, 7873, 8020, 8482, 8767, 8906, 8914,
             9018, 9267, 9460, 9462, 9520, 9619, 9715)  # fmt: skip
ATTACKS = ("CVE-2023-29483", "CVE-2023-50387", "CVE-2023-50868", "CVE-2020-12662", "CVE-2024-33655", "CVE-2025-5994",
           "CVE-2025-59024", "CVE-2024-25583", "CVE-2024-8508", "CVE-2026-44390", "CVE-2026-41292", "CVE-2026-50243",
           "CVE-2025-40778")  # fmt: skip


def named() -> str:
    """All tests of DNS but this list."""
    files = [each for each in TESTS.rglob("dns/**/*.py") if each != Path(__file__)]
    own = Path(__file__).read_text().partition("def named")[2]
    return own + "".join(each.read_text() for each in files)


def test_every_source_has_a_test() -> None:
    text = named()
    assert [each for each in STANDARDS if not re.search(rf"RFC {each}\b", text)] == []
    assert [each for each in ATTACKS if each not in text] == []


EMPTY_ZONES = ("10.in-addr.arpa", "16.172.in-addr.arpa", "31.172.in-addr.arpa", "168.192.in-addr.arpa",
               "0.in-addr.arpa", "127.in-addr.arpa", "254.169.in-addr.arpa", "255.255.255.255.in-addr.arpa",
               "d.f.ip6.arpa", "8.e.f.ip6.arpa", "b.e.f.ip6.arpa", "64.100.in-addr.arpa")  # fmt: skip


@pytest.mark.parametrize("zone", EMPTY_ZONES)
def test_reverse_zones_of_networks_inside_are_empty_here(stage: Stage, zone: str) -> None:  # RFC 6303 §4, RFC 7793
    apex, below = stage.ask(zone, "SOA"), stage.ask(f"1.{zone}", "PTR")
    assert (apex.rcode(), below.rcode()) == (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    assert below.authority[0].rdtype == dns.rdatatype.SOA
    assert stage.upstream.asked == []


@pytest.mark.parametrize(
    ("name", "rcode"),
    [
        ("localhost", "NOERROR"),  # RFC 6761 §6.3
        ("a.b.localhost", "NOERROR"),
        ("x.invalid", "NXDOMAIN"),  # RFC 6761 §6.4
        ("x.test", "NXDOMAIN"),  # RFC 6761 §6.2
        ("x.onion", "NXDOMAIN"),  # RFC 7686 §2
        ("x.local", "NXDOMAIN"),  # RFC 6762 §22
        ("x.home.arpa", "NXDOMAIN"),  # RFC 8375 §4
        ("_dns.resolver.arpa", "NXDOMAIN"),  # RFC 9462 §6.4: no designated resolver
        ("use-application-dns.net", "NXDOMAIN"),
        ("mask.icloud.com", "NXDOMAIN"),
        ("mask-h2.icloud.com", "NXDOMAIN"),
    ],
)
def test_special_names_never_leave(stage: Stage, name: str, rcode: str) -> None:
    for rtype in ("A", "AAAA", "HTTPS", "SVCB", "TXT", "NS", "TYPE65400"):
        for spelling in (name, name.upper()):
            assert dns.rcode.to_text(stage.ask(spelling, rtype).rcode()) == rcode
    assert stage.upstream.asked == []


def test_a_negative_answer_lives_as_its_soa_says(stage: Stage) -> None:  # RFC 2308 §5
    for rcode in (dns.rcode.NXDOMAIN, dns.rcode.NOERROR):
        stage.tells(authority=("example. 600 SOA a. b. 1 2 3 4 1",), rcode=rcode)
        name = stage.name()
        for _ in range(4):
            message = stage.ask(name)
            assert (message.rcode(), message.authority[0].ttl <= 1) == (rcode, True)
        assert len(stage.upstream.asked) == 1
        time.sleep(1.1)
        stage.ask(name)
        assert len(stage.upstream.asked) == 2


def test_a_negative_answer_without_soa_is_not_kept(stage: Stage) -> None:  # RFC 2308 §5
    stage.tells(rcode=dns.rcode.NXDOMAIN)
    name = stage.name()
    for count in (1, 2, 3):
        assert stage.ask(name).rcode() == dns.rcode.NXDOMAIN
        assert len(stage.upstream.asked) == count


def test_nothing_is_answered_from_what_others_asked(stage: Stage) -> None:
    """RD = 0 would tell what is in the cache (RFC 8932 §5.1): refused, known or not."""
    stage.tells("@ 60 A 198.51.100.1")
    name = stage.name()
    for _ in range(3):
        assert stage.ask(name, flags=0).rcode() == dns.rcode.REFUSED
        assert stage.ask(name).answer


def test_a_name_that_does_not_exist_says_nothing_of_those_beside_it(stage: Stage) -> None:
    """RFC 8020 lets a cache answer for what lies below; ours keeps to the question, so policy stays with each name."""
    stage.tells(rcode=dns.rcode.NXDOMAIN, authority=("example. 600 SOA a. b. 1 2 3 4 60",))
    name = stage.name()
    assert stage.ask(name).rcode() == dns.rcode.NXDOMAIN
    stage.tells("@ 60 A 198.51.100.1")
    assert stage.ask(f"www.{name}").answer


def test_failures_say_why_where_edns_can(stage: Stage) -> None:  # RFC 8914 §4
    stage.plays(lambda packet, by_tcp: [])
    message = stage.ask(stage.name())
    assert (message.rcode(), codes(message)) == (dns.rcode.SERVFAIL, [23])
    stage.plays(lambda packet, by_tcp: [respond(packet, rcode=dns.rcode.REFUSED)])
    assert stage.ask(stage.name()).rcode() in (dns.rcode.REFUSED, dns.rcode.SERVFAIL)
