"""What is answered here and what goes on, for every kind of asker."""

from datetime import UTC, datetime

import dns.message
import pytest

from gateway.dns import plan as planning
from gateway.dns.plan import Accepted, Answer, Asker, Forward, NotAccepted, Site, plan
from gateway.dns.review import ForbiddenHop, Rebinding
from gateway.dns.wire import parse_query
from policies.snapshot import NamedList, compile_snapshot, open_snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SITE = Site.build("gjest.internal", ("10.9.0.1", "fd00::1"), ("kommune.internal", "20.172.in-addr.arpa"))


def accepted(block_answer: str = "zero") -> Accepted:
    document = {
        "version": 1,
        "block_answer": block_answer,
        "groups": {"default": {"mark": 1, "closed": ["gaming"], "permit": [], "forbid": ["forbidden.example"]}},
    }
    lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example", "captive.apple.com"))]
    snapshot = open_snapshot(compile_snapshot(document, lists, 1))
    return Accepted(snapshot, snapshot.group("default"))


def ask(name: str, rtype: str = "A", asker: Asker | None = None, **options) -> dns.message.Message | Forward:
    query = dns.message.make_query(name, rtype, **({"use_edns": 0} | options))
    planned = plan(parse_query(query.to_wire()), asker or accepted(), SITE, NOW)
    if isinstance(planned, Forward):
        return planned
    message = dns.message.from_wire(planned.wire)
    assert query.is_response(message)
    return message


def own(*args, **options) -> dns.message.Message:
    message = ask(*args, **options)
    assert isinstance(message, dns.message.Message)
    return message


def ede(message: dns.message.Message) -> list[tuple[int, str]]:
    return [(int(option.code), option.text) for option in message.options]


def test_permitted_goes_on() -> None:
    assert isinstance(ask("ok.example"), Forward)
    assert isinstance(ask("notgame.example"), Forward)  # label boundary
    assert isinstance(ask("captive.apple.com"), Forward)  # never blocked, though listed


@pytest.mark.parametrize(
    ("block_answer", "rcodes"),
    [
        ("zero", {"NOERROR"}),
        ("nodata", {"NOERROR"}),
        ("nxdomain", {"NXDOMAIN"}),
        ("refused", {"REFUSED"}),
        ("portal", {"NOERROR"}),
    ],
)
def test_forbidden_agrees_for_every_type(block_answer: str, rcodes: set[str]) -> None:  # RFC 8020
    seen = set()
    for rtype in ("A", "AAAA", "HTTPS", "SVCB", "TXT", "MX", "NS", "ANY", "TYPE65400"):
        message = own("wWw.GAME.example", rtype, accepted(block_answer))
        seen.add(dns.rcode.to_text(message.rcode()))
        assert ede(message) == [(15, "gaming")]
        assert message.authority[0].rdtype == dns.rdatatype.SOA  # RFC 2308 §5: in authority
        assert message.authority[0].ttl == 10
        if block_answer == "zero" and rtype in ("A", "AAAA"):
            assert message.answer[0][0].address in ("0.0.0.0", "::")
        elif block_answer == "portal" and rtype in ("A", "AAAA"):
            assert message.answer[0][0].address in ("10.9.0.1", "fd00::1")
            assert message.answer[0].ttl == 10
        else:
            assert not message.answer
    assert seen == rcodes


def test_forbidden_by_it_and_without_edns() -> None:
    assert ede(own("x.forbidden.example")) == [(15, "it")]
    assert own("game.example", use_edns=False).edns == -1


def test_portal_is_found_by_all_even_without_policy() -> None:
    for asker in (accepted(), NotAccepted(), Accepted(None, None)):
        assert own("Gjest.Internal", "A", asker).answer[0].to_text() == "Gjest.Internal. 60 IN A 10.9.0.1"
        assert own("gjest.internal", "AAAA", asker).answer[0][0].address == "fd00::1"
        nodata = own("gjest.internal", "HTTPS", asker)
        assert (nodata.rcode(), nodata.answer, len(nodata.authority)) == (0, [], 1)


def test_not_accepted() -> None:
    for rtype in ("A", "AAAA", "HTTPS"):
        assert isinstance(ask("game.example", rtype, NotAccepted()), Forward)
    for rtype in ("TXT", "NULL", "MX", "ANY", "CNAME", "SRV"):
        message = own("ok.example", rtype, NotAccepted())
        assert message.rcode() == dns.rcode.REFUSED
        assert [code for code, _ in ede(message)] == [18]


def test_no_policy_yet() -> None:
    message = own("ok.example", "A", Accepted(None, None))
    assert message.rcode() == dns.rcode.SERVFAIL
    assert [code for code, _ in ede(message)] == [14]


@pytest.mark.parametrize("rtype", ["A", "AAAA", "HTTPS", "SVCB", "TXT"])
@pytest.mark.parametrize(
    "name", ["use-application-dns.NET", "mask.icloud.com", "mask-h2.icloud.com", "_dns.resolver.arpa", "resolver.arpa"]
)
def test_canaries_are_negative_for_every_type(name: str, rtype: str) -> None:
    assert own(name, rtype).rcode() == dns.rcode.NXDOMAIN
    assert own(name, rtype, Accepted(None, None)).rcode() == dns.rcode.NXDOMAIN


def test_local_names() -> None:
    assert own("localhost").answer[0][0].address == "127.0.0.1"  # RFC 6761 §6.3
    for name in ("x.onion", "x.invalid", "printer.local", "1.0.0.10.in-addr.arpa", "1.1.16.172.in-addr.arpa"):
        assert own(name, "PTR").rcode() == dns.rcode.NXDOMAIN
    assert own("10.in-addr.arpa", "NS").rcode() == dns.rcode.NOERROR  # RFC 6303 §3: an empty zone
    assert isinstance(ask("1.1.32.172.in-addr.arpa", "PTR"), Forward)
    assert isinstance(ask("1.1.20.172.in-addr.arpa", "PTR"), Forward)  # the municipality's own


def test_types_and_classes_not_forwarded() -> None:
    assert own("version.bind", "TXT", rdclass="CH").rcode() == dns.rcode.REFUSED
    assert own("ok.example", "AXFR").rcode() == dns.rcode.NOTIMP
    assert own("ok.example", "ANY").answer[0].rdtype == dns.rdatatype.HINFO  # RFC 8482 §4.2
    query = dns.message.make_query("ok.example", "A", flags=0)
    planned = plan(parse_query(query.to_wire()), accepted(), SITE, NOW)
    assert isinstance(planned, Answer)
    assert dns.message.from_wire(planned.wire).rcode() == dns.rcode.REFUSED


def test_rebinding_is_answered_without_the_address() -> None:
    query = parse_query(dns.message.make_query("a.example", "A", use_edns=0).to_wire())
    message = dns.message.from_wire(planning.object_to(query, Rebinding("a.example"), accepted(), NOW, SITE).wire)
    assert message.rcode() == dns.rcode.NOERROR
    assert not message.answer
    assert ede(message) == [(15, "private address")]


@pytest.mark.parametrize("block_answer", ["zero", "nodata", "nxdomain", "refused"])
def test_a_forbidden_service_target_says_nothing_of_the_other_types(block_answer: str) -> None:  # RFC 8020
    query = parse_query(dns.message.make_query("a.example", "HTTPS", use_edns=0).to_wire())
    objection = ForbiddenHop("game.example", by_service=True)
    message = dns.message.from_wire(planning.object_to(query, objection, accepted(block_answer), NOW, SITE).wire)
    assert (message.rcode(), message.answer) == (dns.rcode.NOERROR, [])
    assert message.authority
    assert ede(message) == [(15, "gaming")]


def test_an_open_category_that_it_wants_reported_is_told_of_and_goes_on() -> None:
    group = {"mark": 1, "closed": [], "report": ["gaming"], "permit": ["ours.game.example"]}
    lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example",))]
    snapshot = open_snapshot(compile_snapshot({"version": 2, "groups": {"default": group}}, lists, 1))
    asker = Accepted(snapshot, snapshot.group("default"))
    assert ask("www.game.example", asker=asker) == Forward(reported="gaming")
    assert ask("ok.example", asker=asker) == Forward()
    assert ask("www.game.example") != Forward(reported="gaming"), "closed is refused, not reported"
