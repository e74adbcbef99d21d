import pytest

from policies.canaries import CANARIES
from policies.encrypted_dns import IPV4, IPV6, OPERATORS
from policies.names import listable
from policies.safe_search import PROVIDERS, safe_host

ALL = frozenset(PROVIDERS) - {"youtube_moderate"}


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("www.google.com", "forcesafesearch.google.com"),
        ("google.no", "forcesafesearch.google.com"),
        ("www.google.co.uk", "forcesafesearch.google.com"),
        ("www.google.com.br", "forcesafesearch.google.com"),
        ("www.google.cat", "forcesafesearch.google.com"),
        ("maps.google.no", None),
        ("www.google.evil.no", None),
        ("www.google.info", None),
        ("notgoogle.no", None),
        ("x.www.google.no", None),
        ("www.bing.com", "strict.bing.com"),
        ("duckduckgo.com", "safe.duckduckgo.com"),
        ("www.youtube.com", "restrict.youtube.com"),
        ("youtubei.googleapis.com", "restrict.youtube.com"),
        ("search.brave.com", "forcesafe.search.brave.com"),
        ("api.qwant.com", "safeapi.qwant.com"),
        ("www.ecosia.org", "strict-safe-search.ecosia.org"),
        ("pixabay.com", "safesearch.pixabay.com"),
        ("example.no", None),
        ("", None),
    ],
)
def test_each_engine_is_sent_to_its_safe_host(name: str, host: str | None) -> None:
    assert safe_host(name, ALL) == host
    assert safe_host(name, frozenset()) is None


def test_engines_are_chosen_one_by_one_and_youtube_has_two_grades() -> None:
    assert safe_host("www.youtube.com", {"youtube_moderate"}) == "restrictmoderate.youtube.com"
    assert safe_host("www.google.no", {"bing"}) is None


def test_no_safe_host_is_itself_sent_on() -> None:
    for host in PROVIDERS.values():
        assert listable(host) == host
        assert safe_host(host, ALL) is None


def test_canaries_are_names_in_normal_form() -> None:
    assert {"use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com", "resolver.arpa"} <= CANARIES
    assert all(listable(name) == name for name in CANARIES)


def test_addresses_of_public_resolvers_are_public_and_few() -> None:
    assert len(OPERATORS) > 20
    for net in (*IPV4, *IPV6):
        assert net.is_global, net
        assert net.num_addresses <= (1024 if net.version == 4 else 2**96), net
