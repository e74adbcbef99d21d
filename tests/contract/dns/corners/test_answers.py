"""What stands in answers: one rcode for all types, SOA and OPT where they belong, and no hop that policy forbids."""

from __future__ import annotations

import itertools

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from .conftest import Stage, codes, respond

TYPES = ("A", "AAAA", "HTTPS", "SVCB", "TXT", "MX", "NS", "SOA", "CNAME", "DS", "ANY", "TYPE65400")
EXPECTED = {"zero": 0, "nodata": 0, "nxdomain": 3, "refused": 5}


@pytest.mark.parametrize("block_answer", EXPECTED)
def test_one_rcode_for_every_type(stage: Stage, block_answer: str) -> None:  # RFC 8020; blocky's zeroIP broke HTTPS
    stage.publish(block_answer)
    try:
        hop = stage.name()
        stage.tells("@ 60 CNAME www.game.example.")
        for name in ("game.example", "a.b.GAME.example", hop):
            for rtype in TYPES:
                if rtype == "ANY" and name == hop:
                    continue  # a permitted name is not asked for with ANY (RFC 8482)
                message = stage.ask(name, rtype)
                assert (message.rcode(), codes(message)) == (EXPECTED[block_answer], [15]), (name, rtype)
                if rtype not in ("A", "AAAA"):
                    assert message.answer == []
    finally:
        stage.publish()


def kinds(stage: Stage) -> dict[str, str]:
    """A name for each way in which an answer comes about."""
    return {
        "refused": "game.example",
        "portal": "gjest.internal",
        "localhost": "localhost",
        "canary": "mask.icloud.com",
        "local zone": "10.in-addr.arpa",
        "below a local zone": "1.0.0.10.in-addr.arpa",
        "onion": "x.onion",
        "upstream": stage.name(),
    }


@pytest.mark.parametrize("rtype", ["A", "TXT"])
def test_negative_answers_have_their_soa_in_authority(stage: Stage, rtype: str) -> None:  # RFC 2308 §3
    for kind, name in kinds(stage).items():
        for edns in (0, False):
            message = stage.ask(name, rtype, use_edns=edns)
            assert message.additional == [], kind
            assert message.answer or [each.rdtype for each in message.authority] == [dns.rdatatype.SOA], kind
            if message.authority:
                soa = message.authority[0]
                assert 0 < soa.ttl <= 300
                assert soa[0].minimum <= 300 or kind == "upstream"


def test_opt_only_if_asked_for(stage: Stage) -> None:  # RFC 6891 §7
    def plays(packet: bytes, by_tcp: bool) -> list[bytes]:
        return [respond(packet, rcode=dns.rcode.SERVFAIL if b"fails" in packet.lower() else 0)]

    for name in (*kinds(stage).values(), "fails.example"):
        stage.plays(plays)
        for _ in range(3):
            for tcp in (False, True):
                assert stage.ask(name, use_edns=False, tcp=tcp).edns == -1
                message = stage.ask(name, use_edns=0, tcp=tcp)
                assert (message.edns, message.payload) == (0, 1232)
                assert not message.ednsflags & dns.flags.DO
                assert stage.ask(name, want_dnssec=True, tcp=tcp).ednsflags & dns.flags.DO  # RFC 3225 §3


@pytest.mark.parametrize("forbidden_at", range(1, 9))
def test_every_hop_counts(stage: Stage, forbidden_at: int) -> None:
    name = stage.name()
    hops = [name, *(f"h{number}.{name}" for number in range(1, 9))]
    hops[forbidden_at] = f"h{forbidden_at}.game.example"
    chain = [f"{owner}. 60 CNAME {target}." for owner, target in itertools.pairwise(hops)]
    end = f"{hops[-1]}. 60 A 198.51.100.9"
    for order in ((*chain, end), (end, *reversed(chain))):
        stage.tells(*order)
        message = stage.ask(name)
        assert (codes(message), str(message.answer[0][0])) == ([15], "0.0.0.0")
        name_again = stage.name()
        stage.tells(*(text.replace(hops[0] + ". ", name_again + ". ", 1) for text in order))
        assert codes(stage.ask(name_again, use_edns=0)) == [15]


@pytest.mark.parametrize(
    "records",
    [
        ("fresh.example. 60 DNAME game.example.", "@ 60 CNAME @@.game.example.", "@@.game.example. 60 A 198.51.100.9"),
        ("fresh.example. 60 DNAME game.example.",),  # RFC 6672: the alias is for the client to make
        ("@ 60 HTTPS 1 www.game.example. alpn=h2",),  # RFC 9460 §2.4.3
        ("@ 60 HTTPS 0 www.game.example.",),  # AliasMode, §2.4.2
        ("@ 60 HTTPS 1 . alpn=h2", "@ 60 HTTPS 2 www.game.example. port=8443"),
        ("@ 60 CNAME ok.example.", "ok.example. 60 HTTPS 1 www.game.example."),
        ("@ 60 A 198.51.100.1", "www.game.example. 60 A 198.51.100.9"),  # nothing leads there, but it is there
    ],
    ids=["DNAME", "DNAME alone", "ServiceMode", "AliasMode", "second", "after an alias", "aside"],
)
def test_no_way_leads_to_a_forbidden_name(stage: Stage, records: tuple[str, ...]) -> None:
    name = stage.name()
    label = name.partition(".")[0]
    stage.tells(*(text.replace("@@", label) for text in records))
    for _ in range(3):
        for tcp in (False, True):
            message = stage.ask(name, "HTTPS", tcp=tcp)
            assert (codes(message), message.answer) == ([15], [])


@pytest.mark.parametrize(
    "hint", ["ipv4hint=192.168.1.1", "ipv6hint=fd00::1", "ipv4hint=198.51.100.1,10.0.0.1", "ipv6hint=::ffff:10.0.0.1"]
)
@pytest.mark.parametrize("rtype", ["HTTPS", "SVCB"])
def test_no_hint_leads_inside(stage: Stage, rtype: str, hint: str) -> None:  # RFC 9460 §7.3
    stage.tells(f"@ 60 {rtype} 1 . alpn=h2 {hint}")
    message = stage.ask(stage.name(), rtype)
    assert (codes(message), message.answer, message.rcode()) == ([15], [], dns.rcode.NOERROR)


def test_services_that_lead_nowhere_else_pass_unchanged(stage: Stage) -> None:
    record = '1 . alpn="h2,h3" port=8443 ipv4hint=198.51.100.1 ipv6hint=2001:db8::1 key65400=x'
    stage.tells(f"@ 60 HTTPS {record}")
    name = stage.name()
    said = stage.ask(name, "HTTPS").answer[0]
    assert said == dns.message.from_text(f";ANSWER\n{name}. 60 IN HTTPS {record}").answer[0]


def test_what_it_permits_by_name_may_lead_anywhere_but_inside(stage: Stage) -> None:
    stage.tells("@ 60 CNAME www.game.example.", "www.game.example. 60 A 198.51.100.9")
    assert str(stage.ask("a.it.example").answer[-1][0]) == "198.51.100.9"
    stage.tells("@ 60 CNAME www.game.example.", "www.game.example. 60 A 192.168.1.1")
    assert stage.ask("b.it.example").answer == []
    stage.tells("@ 60 CNAME c.it.example.", "c.it.example. 60 CNAME www.game.example.")
    assert codes(stage.ask(stage.name())) == []


def test_any_is_answered_with_little_and_asked_of_nobody(stage: Stage) -> None:  # RFC 8482 §4.2
    for tcp in (False, True):
        message = stage.ask(stage.name(), "ANY", tcp=tcp)
        assert [each.rdtype for each in message.answer] == [dns.rdatatype.HINFO]
        assert codes(stage.ask("game.example", "ANY", tcp=tcp)) == [15]
    assert stage.upstream.asked == []


def test_a_copy_claims_neither_authority_nor_validation(stage: Stage) -> None:  # RFC 4035 §3.2.3, RFC 6840 §5.7
    stage.tells("@ 60 A 198.51.100.1", flags=dns.flags.AA | dns.flags.AD | dns.flags.RA)
    name = stage.name()
    for _ in range(3):
        for flags in ("RD", "RD AD", "RD CD"):
            message = stage.ask(name, flags=dns.flags.from_text(flags))
            assert not message.flags & (dns.flags.AA | dns.flags.AD)
            assert message.flags & dns.flags.RA
            assert bool(message.flags & dns.flags.CD) == ("CD" in flags)  # RFC 4035 §3.2.2


def test_types_and_data_that_nobody_knows_pass_unchanged(stage: Stage) -> None:  # RFC 3597 §3
    data = r"\# 12 c00c0001ff00c0ffee000102"  # what looks like a pointer is none
    stage.tells(f"@ 60 TYPE65400 {data}")
    name = stage.name()
    for _ in range(3):
        assert stage.ask(name, "TYPE65400").answer[0][0].to_text() == data


def test_a_time_to_live_is_never_negative(stage: Stage) -> None:  # RFC 2181 §8
    def plays(packet: bytes, by_tcp: bool) -> list[bytes]:
        return [respond(packet, "x. 5 A 198.51.100.1").replace(b"\0\0\0\x05\0\x04", b"\x80\0\0\x05\0\x04")]

    stage.plays(plays)
    name = stage.name()
    for count in (1, 2, 3):
        assert stage.ask(name).answer[0].ttl == 0
        assert len(stage.upstream.asked) == count  # and so it is not kept
