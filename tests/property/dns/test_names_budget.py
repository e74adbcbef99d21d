"""The budget of names against a slow model that remembers everything."""

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.probes import PROBES
from gateway.dns.names_budget import NAMES_MAX, WINDOW_S, NamesBudget
from gateway.dns.registrable import SUFFIXES, registrable
from gateway.dns.unaccepted import is_exempt
from gateway.lists.public_suffixes import installed_suffixes


class Model:
    """Every name that was ever admitted, with its moment."""

    def __init__(self) -> None:
        self.admitted: list[tuple[float, object, str, str]] = []

    def admits(self, device: object, name: str, now_s: float) -> bool:
        domain = registrable(name)
        lately = {
            each
            for at_s, whose, under, each in self.admitted
            if (whose, under) == (device, domain) and now_s - at_s < WINDOW_S
        }
        if len(lately | {name}) > NAMES_MAX:
            return False
        self.admitted.append((now_s, device, domain, name))
        return True


NAMES = st.tuples(st.integers(0, 14), st.sampled_from(("a.example", "b.example", "c.kommune.no"))).map(
    lambda pair: f"n{pair[0]}.{pair[1]}"
)
STEPS = st.tuples(st.sampled_from((1, 2, b"\x0a\0\0\1")), NAMES, st.sampled_from((0.0, 0.5, 7.0, 59.0, 60.0)))


@given(st.lists(STEPS, max_size=200))
def test_it_admits_what_the_model_admits(steps) -> None:
    budget, model, now_s = NamesBudget(), Model(), 1000.0
    for device, name, passed_s in steps:
        now_s += passed_s
        assert budget.admits(device, name, now_s) == model.admits(device, name, now_s)


@given(st.lists(st.tuples(st.integers(0, 50), NAMES), max_size=300))
def test_memory_is_bounded_and_nobody_is_refused_more_for_it(steps) -> None:
    small, whole = NamesBudget(pairs_max=8), NamesBudget()
    for device, name in steps:
        if whole.admits(device, name, 1.0):
            assert small.admits(device, name, 1.0)
        else:
            small.admits(device, name, 1.0)
        assert len(small) <= 8


def test_a_flood_of_domains_fills_no_more_than_the_bound_and_does_not_refuse_another() -> None:
    budget = NamesBudget(pairs_max=100)
    for number in range(10_000):
        assert budget.admits(1, f"x.d{number}.example", 1.0)
    assert len(budget) == 100
    assert budget.admits(2, "www.example.com", 1.0)


def test_every_suffix_of_the_table_is_a_public_suffix() -> None:
    """Else whoever owns it has a budget for each name below it."""
    assert len(SUFFIXES) > 500
    assert installed_suffixes().icann >= SUFFIXES


def test_registrable_domains() -> None:
    for name, domain in (
        ("a.b.tunnel.example", "tunnel.example"),
        ("x.ab.no", "ab.no"),  # a short domain is no suffix
        ("www.oslo.kommune.no", "oslo.kommune.no"),
        ("oslo.kommune.no", "oslo.kommune.no"),
        ("www.bbc.co.uk", "bbc.co.uk"),
        ("kommune.no", "kommune.no"),
        ("a.t.oslo.no", "oslo.no"),  # the table is silent, and so strict
        ("no", "no"),
        ("", ""),
    ):
        assert registrable(name) == domain


@given(st.lists(st.sampled_from(("a", "co", "uk", "kommune", "no", "com", "x1")), min_size=1, max_size=6))
def test_a_registrable_domain_is_an_ancestor_and_its_own_domain(labels) -> None:
    name = ".".join(labels)
    domain = registrable(name)
    assert name == domain or name.endswith("." + domain)
    assert registrable(domain) == domain


def test_the_connectivity_checks_are_never_counted() -> None:
    hosts = {probe.host for probe in PROBES}
    assert len(hosts) > 10
    assert [host for host in hosts if not is_exempt(host)] == []
    assert not is_exempt("tunnel.example")
    assert not is_exempt("com")
