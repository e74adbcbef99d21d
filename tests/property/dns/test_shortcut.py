"""The shortcut answers as a resolver without one, name after name, while the hours go by."""

from datetime import timedelta

import dns.message
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dns.cache import FinishedAnswers, UpstreamAnswers
from gateway.dns.pending import Pending
from gateway.dns.plan import Site
from gateway.dns.resolve import Resolver
from gateway.dns.views import Views
from tests.property.policies.test_decide import cases, names, opened

GUEST = b"\x0a\0\0\1"
own_names = st.sampled_from(["localhost", "www.localhost", "gjest.no", "a.local", "Mask.iCloud.com", "www.google.no"])
questions = st.lists(
    st.tuples(
        names | names.map(str.upper) | own_names,
        st.sampled_from(["A", "AAAA", "HTTPS", "TXT", "ANY"]),
        st.sampled_from([-1, 0]),
        st.sampled_from([0, 1, 30, 3600, 7200, 43200]),
    ),
    min_size=1,
    max_size=25,
)


class Hours:
    """Both clocks, moved together."""

    def __init__(self, start) -> None:  # type: ignore[no-untyped-def]
        self.start, self.passed_s = start, 0.0

    def wall(self):  # type: ignore[no-untyped-def]
        return self.start + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return 1000.0 + self.passed_s


def resolver(snapshot, hours, site, views_site) -> Resolver:  # type: ignore[no-untyped-def]
    finished = FinishedAnswers()
    views = Views((("10.0.0.0/8", "default"),), finished, views_site)
    views.adopt(snapshot)
    return Resolver(site, views, finished, UpstreamAnswers(), None, hours.wall, hours.monotonic)  # type: ignore[arg-type]


def told(answer):  # type: ignore[no-untyped-def]
    """What an answer says, its TTLs apart (a kept answer may promise less time, never more)."""
    if isinstance(answer, Pending):
        return "forward", answer.shared, answer._planned, None
    message = dns.message.from_wire(answer)
    ttls = [rrset.ttl for section in message.sections[1:3] for rrset in section]
    for section in message.sections[1:3]:
        for rrset in section:
            rrset.ttl = 0
    return "answer", answer[2:12], str(message).replace(str(message.id), ""), max(ttls, default=0)


@settings(deadline=None)
@given(cases(), questions, st.booleans())
def test_a_shortcut_changes_no_answer(case, asked, safe_search) -> None:  # type: ignore[no-untyped-def]
    _, document, sources, own, now, _ = case
    if safe_search:
        document["groups"]["default"]["safe_search"] = ["google"]
    snapshot, hours = opened(document, sources, own), Hours(now)
    snapshot.verify()
    site = Site.build("gjest.no", ("10.0.0.1",), ())
    quick, slow = resolver(snapshot, hours, site, site), resolver(snapshot, hours, site, None)
    assert quick.views.find(0, GUEST).shortcut is not None
    for name, rtype, edns, later_s in asked:
        query = dns.message.make_query(name, rtype, use_edns=edns).to_wire()
        for _ in range(2):
            own = quick.own(query, quick.views.find(0, GUEST), hours.monotonic())
            kind, *fast, fast_ttl_s = told(own or quick.begin(query, 0, GUEST, False))
            expected, *right, ttl_s = told(slow.begin(query, 0, GUEST, False))
            assert kind == expected
            assert fast == right
            if kind == "answer":
                assert fast_ttl_s <= max(ttl_s, 10)
        hours.passed_s += later_s
