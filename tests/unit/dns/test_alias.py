"""Answers that send an asker to a safe host: the alias, then that host's addresses and nothing of the original."""

import dns.flags
import dns.message
import dns.rrset
import pytest

from gateway.dns import alias
from gateway.dns.reply import parse_reply
from gateway.dns.wire import parse_query

HOST = "restrict.youtube.com"


def asked(rtype: str = "A", **options):
    return parse_query(dns.message.make_query("WWW.youtube.com", rtype, **({"use_edns": 0} | options)).to_wire())


def upstream(*rows: str, rtype: str = "A", rcode: int = 0, flags: int = 0):
    message = dns.message.make_response(dns.message.make_query(HOST, rtype))
    message.set_rcode(rcode)
    message.flags |= flags
    for row in rows:
        name, ttl, kind, value = row.split()
        message.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, value))
    return parse_reply(message.to_wire())


def render(*rows: str, rtype: str = "A", age_s: int = 0, ttl_max_s: int = 300, limit: int = 1232, **reply):
    return dns.message.from_wire(
        alias.render(asked(rtype), HOST, upstream(*rows, rtype=rtype, **reply), age_s, ttl_max_s, limit)
    )


def test_what_upstream_is_asked() -> None:
    assert alias.question_for(HOST, asked("AAAA")) == b"\x08restrict\x07youtube\x03com\0\0\x1c\0\x01"


def test_aliases_on_the_way_are_left_out_and_the_ttl_is_the_least() -> None:
    message = render(f"{HOST}. 200 CNAME a.b.", "a.b. 40 A 198.51.100.1", "a.b. 90 A 198.51.100.2", age_s=10)
    assert [str(rrset) for rrset in message.answer] == [
        f"WWW.youtube.com. 30 IN CNAME {HOST}.",
        f"{HOST}. 30 IN A 198.51.100.1\n{HOST}. 30 IN A 198.51.100.2",
    ]
    assert not message.authority
    assert message.edns == 0


@pytest.mark.parametrize(("age_s", "ttl_max_s", "ttl"), [(0, 300, 300), (0, 7, 7), (4000, 300, 0)])
def test_ttl_is_bounded(age_s: int, ttl_max_s: int, ttl: int) -> None:
    message = render(f"{HOST}. 3000 A 198.51.100.1", age_s=age_s, ttl_max_s=ttl_max_s)
    assert {rrset.ttl for rrset in message.answer} == {ttl}


def test_a_safe_host_without_such_an_address_or_that_fails() -> None:
    for rcode in (0, 2, 3):
        message = render(rtype="AAAA", rcode=rcode)
        assert message.rcode() == rcode
        assert [rrset.rdtype for rrset in message.answer] == [dns.rdatatype.CNAME]
        assert str(message.authority[0].name) == f"{HOST}."


def test_too_long_or_cut_off_is_asked_again_by_tcp() -> None:
    rows = [f"{HOST}. 60 A 198.51.100.{number}" for number in range(100)]
    assert len(render(*rows, limit=65535).answer[1]) == 100
    assert render(*rows, limit=512).flags & dns.flags.TC
    assert render(flags=dns.flags.TC).flags & dns.flags.TC
