"""Schedules, exemptions and safe search as a worker with a real upstream answers them."""

import time
from datetime import UTC, datetime, timedelta

import dns.flags
import dns.message
import pytest

from .conftest import wait_for

GOOGLE = "forcesafesearch.google.com."


def rows(message: dns.message.Message) -> list[tuple[str, str, str]]:
    """(owner, type, value) of the answer section."""
    return [
        (str(rrset.name), dns.rdatatype.to_text(rrset.rdtype), str(record))
        for rrset in message.answer
        for record in rrset
    ]


@pytest.fixture
def safe(start, unbound):
    worker = start([unbound])
    worker.publish(2, safe_search=["google", "youtube_strict"])
    wait_for(lambda: rows(worker.ask("www.google.no"))[0][1] == "CNAME")
    return worker


def test_safe_search_is_an_alias_with_the_safe_hosts_addresses(safe) -> None:
    for tcp in (False, True):
        for _ in range(3):  # the third comes from the finished answers
            assert rows(safe.ask("www.google.no", tcp=tcp, use_edns=False)) == [
                ("www.google.no.", "CNAME", GOOGLE),
                (GOOGLE, "A", "198.51.100.20"),
            ]
    assert rows(safe.ask("WWW.Google.NO", "AAAA"))[1] == (GOOGLE, "AAAA", "2001:db8::20")


def test_no_type_leads_past_safe_search(safe) -> None:
    for rtype in ("HTTPS", "SVCB", "TXT", "MX"):
        message = safe.ask("www.google.no", rtype)
        assert rows(message) == [("www.google.no.", "CNAME", GOOGLE)]
        assert message.rcode() == 0
        assert str(message.authority[0].name) == GOOGLE  # RFC 2308 §2.2: of the name that has no such type
    assert rows(safe.ask("www.google.no", "CNAME")) == [("www.google.no.", "CNAME", GOOGLE)]


def test_other_names_are_as_before(safe) -> None:
    assert rows(safe.ask("ok.example"))[0][2] == "198.51.100.7"


def test_an_exemption_begins_and_ends_to_the_second_and_no_answer_outlives_it(start, unbound) -> None:
    worker = start([unbound])
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    ends = begins + timedelta(seconds=3)
    exemption = {
        "id": "e1", "group": "default", "categories": ["gaming"], "from": begins.isoformat(),
        "until": ends.isoformat(), "approved_by": "Kari", "reason": "kurs",
    }  # fmt: skip
    worker.publish(2, more={"exemptions": [exemption]})
    time.sleep(0.6)
    seen = []
    while (now := datetime.now(UTC)) < ends + timedelta(seconds=1.5):
        message = worker.ask("www.game.example", use_edns=False)
        after = datetime.now(UTC)
        seen.append((now, after, rows(message)[0][2], message.answer[0].ttl))
        time.sleep(0.04)
    for now, after, address, ttl in seen:
        slack = timedelta(seconds=0.05)  # an answer is made within the time between asking and getting it
        if after < begins or now > ends + slack:
            assert address == "0.0.0.0"
        if begins + slack < now and after < ends:
            assert address == "198.51.100.9"
        boundary = begins if after < begins else ends
        if after < boundary:
            assert now + timedelta(seconds=ttl) <= boundary, "a device may keep it past the change"
    assert {address for _, _, address, _ in seen} == {"0.0.0.0", "198.51.100.9"}


def test_hops_are_judged_by_the_hour_too(start, unbound) -> None:
    worker = start([unbound])
    ends = datetime.now(UTC) + timedelta(seconds=2)
    exemption = {
        "id": "e1", "group": "default", "categories": ["gaming"], "from": "2026-01-01T00:00:00Z",
        "until": ends.isoformat(), "approved_by": "Kari", "reason": "kurs",
    }  # fmt: skip
    worker.publish(2, more={"exemptions": [exemption]})
    wait_for(lambda: rows(worker.ask("hop.example"))[0][1] == "CNAME")
    assert all(rrset.ttl <= 2 for rrset in worker.ask("hop.example").answer)
    time.sleep(2.1)
    assert rows(worker.ask("hop.example")) == [("hop.example.", "A", "0.0.0.0")]


def test_a_schedule_decides_by_the_clock_on_the_wall(start, unbound) -> None:
    worker = start([unbound])
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    open_always = {"categories": ["gaming"], "days": days, "from": "00:00", "to": "24:00", "effect": "open"}
    worker.publish(2, schedules=[open_always])
    wait_for(lambda: rows(worker.ask("game.example", "A"))[:1] != [("game.example.", "A", "0.0.0.0")])
    minute = (datetime.now(UTC) + timedelta(hours=4)).strftime("%H:%M")
    later = {"categories": ["gaming"], "days": days, "from": minute, "to": minute[:3] + "59", "effect": "open"}
    later["to"] = "24:00" if later["to"] == later["from"] else later["to"]
    worker.publish(3, schedules=[later], more={"time_zone": "UTC"})
    wait_for(lambda: rows(worker.ask("game.example", "A"))[:1] == [("game.example.", "A", "0.0.0.0")])


def test_canaries_are_negative_for_every_type_whatever_the_case(start, unbound) -> None:
    worker = start([unbound])
    for name in ("use-application-dns.net", "mask.icloud.com", "MASK-h2.iCloud.com", "_dns.resolver.arpa"):
        for rtype in ("A", "AAAA", "HTTPS", "SVCB", "TXT", "ANY"):
            message = worker.ask(name, rtype)
            assert (message.rcode(), message.answer) == (dns.rcode.NXDOMAIN, [])
            assert message.authority
