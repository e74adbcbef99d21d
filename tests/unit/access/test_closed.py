"""How a name stands for a guest: in DNS's own order, with every category, and when it opens by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access.closed import stand
from gateway.dns.plan import Accepted, Answer, Site, plan
from gateway.dns.wire import parse_query
from policies.names import parents
from policies.snapshot import NamedList, compile_snapshot, open_snapshot

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday, 13 o'clock in Norway
PORTAL = "gjest.internal"
LISTS = [
    NamedList("test/gaming", "gaming", "0" * 64, ("game.example", "both.example", "nav.no")),
    NamedList("test/malware", "malware", "1" * 64, ("bad.example", "both.example")),
    NamedList("test/dating", "dating", "2" * 64, ("date.example",)),
    NamedList("test/streaming", "streaming", "3" * 64, ("film.example",)),
]


def asker(**changes: object) -> Accepted:
    document = {
        "version": 2,
        "groups": {
            "default": {
                "mark": 1,
                "closed": ["gaming", "malware", "dating"],
                "forbid": ["forbidden.example"],
                "permit": ["ok.game.example"],
                "schedules": [
                    {"categories": ["dating"], "days": ["fri"], "from": "16:00", "to": "23:00", "effect": "open"}
                ],
                **changes,
            }
        },
    }
    snapshot = open_snapshot(compile_snapshot(document, LISTS, 1))
    return Accepted(snapshot, snapshot.group("default"))


def how(name: str, **changes: object):  # type: ignore[no-untyped-def]
    return stand(name, asker(**changes), NOW, portal_name=PORTAL, private_zones=("kommune.internal",))


@pytest.mark.parametrize(
    ("name", "permitted", "ground", "categories", "can_be_exempted"),
    [
        ("www.game.example", False, "category", ("gaming",), True),
        ("ok.game.example", True, "open", (), False),
        ("both.example", False, "category", ("gaming", "malware"), False),
        ("bad.example", False, "category", ("malware",), False),
        ("www.forbidden.example", False, "it", (), False),
        ("film.example", True, "open", (), False),
        ("unlisted.example", True, "open", (), False),
        ("www.nav.no", True, "never_blocked", (), False),
        (PORTAL, True, "never_blocked", (), False),
        ("use-application-dns.net", False, "canary", (), False),
        ("printer.local", False, "local", (), False),
        ("localhost", False, "local", (), False),
    ],
)
def test_the_ground_is_told(name, permitted, ground, categories, can_be_exempted) -> None:  # type: ignore[no-untyped-def]
    found = how(name)
    assert (found.permitted, found.ground, found.categories) == (permitted, ground, categories)
    assert found.can_be_exempted == can_be_exempted


def test_what_a_schedule_opens_is_told_with_the_hour() -> None:
    found = how("date.example")
    assert not found.permitted
    assert found.opens_at == datetime(2026, 11, 27, 15, tzinfo=UTC)
    later = stand("date.example", asker(), NOW + timedelta(hours=4), portal_name=PORTAL)
    assert later is not None
    assert later.permitted
    assert later.closes_at == datetime(2026, 11, 27, 22, tzinfo=UTC)
    assert how("game.example").opens_at is None


def test_without_a_policy_nothing_is_claimed() -> None:
    assert stand("game.example", Accepted(None, None), NOW, portal_name=PORTAL) is None


labels = st.sampled_from(["www", "ok", "game", "both", "bad", "date", "film", "forbidden", "nav", "example", "no",
                          "local", "localhost", "use-application-dns", "net", "kommune", "internal"])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(labels, min_size=1, max_size=4).map(".".join), st.integers(0, 7 * 24))
def test_it_says_what_dns_answers(name: str, hour: int) -> None:
    """The same question, planned as a worker plans it, is refused exactly where the guest is told that it is."""
    now = NOW + timedelta(hours=hour)
    found = stand(name, ASKER, now, portal_name=PORTAL, private_zones=SITE.private_zones)
    planned = plan(parse_query(dns.message.make_query(name, "A").to_wire()), ASKER, SITE, now)
    assert found is not None
    if found.ground in ("canary", "local"):
        assert isinstance(planned, Answer)
        assert planned.told.outcome == "own"
    elif name != PORTAL:
        refused = isinstance(planned, Answer) and planned.told.outcome == "refused"
        assert refused == (not found.permitted)
        if refused and isinstance(planned, Answer):
            assert planned.told.name in parents(name)
            assert planned.told.category == (found.categories[0] if found.categories else "it")


ASKER = asker()
SITE = Site.build(PORTAL, ("10.9.0.1",), ("kommune.internal",))
