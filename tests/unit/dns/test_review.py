"""Nothing that policy refuses comes in by a hop, and no address from inside by a public name."""

import time
from ipaddress import IPv6Address, ip_address

import pytest

from gateway.dns import wire
from gateway.dns.inside import is_private
from gateway.dns.records import Record
from gateway.dns.reply import Reply
from gateway.dns.review import ForbiddenHop, Rebinding, Verdict, review


def answer(*records: Record) -> Reply:
    return Reply(0, b"", len(records), 0, b"", (), records, 60, False)


def hop(owner: str, target: str, rtype: int = wire.CNAME) -> Record:
    return Record(owner, rtype, target)


def judge(name: str) -> Verdict:
    if name.startswith("bad"):
        return Verdict.REFUSED
    return Verdict.INSISTED if name.startswith("it") else Verdict.PERMITTED


def test_every_hop_is_judged() -> None:
    assert review("a.no", answer(hop("a.no", "b.no"), hop("b.no", "bad.no")), judge, ()) == ForbiddenHop("bad.no")
    assert review("a.no", answer(hop("a.no", "b.no"), hop("b.no", "c.no")), judge, ()) is None


@pytest.mark.parametrize("rtype", [wire.CNAME, wire.DNAME, wire.SVCB, wire.HTTPS])
def test_every_kind_of_target(rtype: int) -> None:
    by_service = rtype in (wire.SVCB, wire.HTTPS)
    assert review("a.no", answer(hop("a.no", "bad.no", rtype)), judge, ()) == ForbiddenHop("bad.no", by_service)


def test_an_alias_comes_before_a_service_whatever_their_order() -> None:  # it holds for every type (RFC 8020)
    service, alias = hop("a.no", "bad2.no", wire.HTTPS), hop("a.no", "bad.no")
    assert review("a.no", answer(service, alias), judge, ()) == ForbiddenHop("bad.no")


def test_what_it_permitted_must_be_on_the_way() -> None:
    aside = answer(hop("it.no", "bad.no"), hop("a.no", "bad.no"))
    assert review("a.no", aside, judge, ()) == ForbiddenHop("bad.no")
    loop = answer(hop("a.no", "b.no"), hop("b.no", "a.no"), hop("b.no", "it.no"), hop("it.no", "bad.no"))
    assert review("a.no", loop, judge, ()) is None


def test_addresses_of_a_forbidden_name_are_seen_without_any_hop() -> None:
    beside = answer(Record("bad.no", wire.A, None, (b"\xc6\x33\x64\x01",)))
    assert review("a.no", beside, judge, ()) == ForbiddenHop("bad.no")


def test_what_it_permitted_carries_what_it_leads_to_in_any_order() -> None:
    assert review("it.no", answer(hop("it.no", "bad.no")), judge, ()) is None
    assert (
        review("a.no", answer(hop("bad.no", "bad2.no"), hop("it.no", "bad.no"), hop("a.no", "it.no")), judge, ())
        is None
    )
    before = answer(hop("a.no", "bad.no"), hop("bad.no", "it.no"))
    assert review("a.no", before, judge, ()) == ForbiddenHop("bad.no")


def test_not_accepted_devices_names_are_not_judged_but_their_addresses_are() -> None:
    assert review("a.no", answer(hop("a.no", "bad.no")), None, ()) is None
    inside = answer(Record("a.no", wire.A, None, (bytes([10, 0, 0, 1]),)))
    assert review("a.no", inside, None, ()) == Rebinding("a.no")


def test_the_published_private_address_of_windows_check_passes_and_no_other() -> None:
    name, published = "dns.msftncsi.com", IPv6Address("fd3e:4f5a:5b81::1").packed
    assert review(name, answer(Record(name, wire.AAAA, None, (published,))), None, ()) is None
    other = answer(Record(name, wire.AAAA, None, (IPv6Address("fd00::1").packed,)))
    assert review(name, other, None, ()) == Rebinding(name)
    assert review("a.no", answer(Record("a.no", wire.AAAA, None, (published,))), None, ()) == Rebinding("a.no")


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "127.0.0.1", "169.254.1.1", "0.0.0.0", "100.64.0.1",
     "::", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::192.168.1.1"],
)  # fmt: skip
def test_private(text: str) -> None:
    assert is_private(ip_address(text).packed)


@pytest.mark.parametrize(
    "text", ["172.32.0.1", "100.128.0.1", "9.9.9.9", "2001:db8::1", "::ffff:9.9.9.9", "64:ff9b::9.9.9.9", "2620:fe::fe"]
)
def test_public(text: str) -> None:
    assert not is_private(ip_address(text).packed)


def test_hints_and_private_zones() -> None:
    hint = answer(Record("a.kommune.no", wire.HTTPS, None, (bytes([192, 168, 0, 1]),)))
    assert review("a.kommune.no", hint, judge, ()) == Rebinding("a.kommune.no")
    assert review("a.kommune.no", hint, judge, ("kommune.no",)) is None
    assert review("a.kommune.no", hint, judge, ("mune.no",)) == Rebinding("a.kommune.no")


def test_whatever_is_led_to_review_takes_little_time() -> None:
    """A message of 1,000 records has 100 names at most; here a permitted one is on the way, so all of them matter."""
    names = ["x." * 100 + f"n{number}.no" for number in range(98)]
    hops = [hop("a.no", "it.no"), *(hop("it.no", names[number % 98], wire.DNAME) for number in range(998))]
    started = time.process_time()
    assert review("a.no", answer(*hops), judge, ()) is None
    assert time.process_time() - started < 0.1
