"""What is no upstream: ourselves, however it is written, and addresses that no server has."""

from __future__ import annotations

import pytest

from gateway.dns.config import from_settings, host_resolvers
from gateway.dns.errors import DnsSettingsError
from gateway.dns.own import Own, is_here
from gateway.dns.upstreams.address import parse_server
from gateway.settings import Dns, Portal, Settings

LISTEN = ("127.0.0.1", "fd77::1")


@pytest.mark.parametrize(
    ("listen", "server"),
    [
        (LISTEN, "127.0.0.1:5300"),
        (LISTEN, "tcp://127.0.0.1:5300"),
        (LISTEN, "[fd77:0::0:1]:5300"),
        (LISTEN, "[::ffff:127.0.0.1]:5300"),
        (LISTEN, "tls://127.0.0.1:8853#gjest.example.no"),
        (("0.0.0.0",), "127.0.0.1:5300"),
        (("0.0.0.0",), "127.7.7.7:5300"),
        (("::",), "[::1]:5300"),
    ],
)
def test_ourselves(listen: tuple[str, ...], server: str) -> None:
    own = Own(listen, 5300, 8853)
    assert own.has(parse_server(server))
    with pytest.raises(DnsSettingsError, match=r"dns\.upstreams: .* is this service itself"):
        own.refuse(parse_server(server), "dns.upstreams")


@pytest.mark.parametrize(
    ("listen", "server"),
    [
        (LISTEN, "127.0.0.1"),
        (LISTEN, "127.0.0.2:5300"),
        (LISTEN, "tls://127.0.0.1:5300#gjest.example.no"),
        (LISTEN, "127.0.0.1:8853"),
        (LISTEN, "https://127.0.0.1:5300/dns-query#gjest.example.no"),
        (("0.0.0.0",), "192.0.2.1:5300"),
        (("0.0.0.0",), "[::1]:5300"),  # each family has a socket of its own
        (("::",), "127.0.0.1:5300"),
    ],
)
def test_others(listen: tuple[str, ...], server: str) -> None:
    own = Own(listen, 5300, 8853)
    assert not own.has(parse_server(server))
    own.refuse(parse_server(server), "dns.upstreams")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "224.0.0.251", "ff02::fb", "255.255.255.255", "::ffff:0.0.0.0"])
def test_addresses_that_no_server_has(host: str) -> None:
    with pytest.raises(DnsSettingsError, match=r'dns\.zones\."a\.no": .* is no server\'s address'):
        Own(LISTEN, 5300).refuse(parse_server(host), 'dns.zones."a.no"')


@pytest.mark.parametrize(
    "dns",
    [
        Dns(upstreams=("192.0.2.1", "127.0.0.1:5300")),
        Dns(zones={"a.no": ("127.0.0.1:5300",)}),
        Dns(upstreams=("tls://127.0.0.1:8853#x.no",)),
        Dns(upstreams=("ff02::1",)),
    ],
)
def test_settings_that_name_one_are_refused(dns: Dns) -> None:
    with_tls = Portal(tls_certificate="portal.pem", tls_key="portal.key")
    with pytest.raises(DnsSettingsError, match=r"dns\.(upstreams|zones)"):
        from_settings(Settings(dns=dns, portal=with_tls))


def test_a_wildcard_is_not_asked_by_way_of_resolv_conf(tmp_path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 127.0.0.53\nnameserver 192.0.2.1\n")
    assert host_resolvers(file, Own(("0.0.0.0",), 53)) == (parse_server("192.0.2.1"),)


def test_what_is_here() -> None:
    assert is_here("127.0.0.1")
    assert not is_here("192.0.2.1")
