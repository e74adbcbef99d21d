"""Settings become plain values that survive JSON."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.dns.config import DnsConfig, from_settings, host_resolvers
from gateway.dns.errors import DnsSettingsError
from gateway.dns.own import Own
from gateway.dns.upstreams.address import ServerAddress
from gateway.settings import Dns, Enforcement, Settings


def test_host_resolvers_without_ourselves(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# x\nsearch a.no\nnameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver junk\n"
    )
    assert host_resolvers(file, Own(("127.0.0.1",), 53)) == (ServerAddress("192.0.2.1", 53),)
    assert host_resolvers(tmp_path / "none", Own((), 53)) == ()


def test_survives_json(tmp_path: Path) -> None:
    settings = Settings(
        state=tmp_path, dns=Dns(upstreams=("192.0.2.1",)), enforcement=Enforcement(guest_addresses=("10.0.0.1",))
    )
    config = from_settings(settings)
    assert config.portal_addresses == ("10.0.0.1",)
    assert config.snapshot == str(tmp_path / "policy" / "current.snapshot")
    assert DnsConfig.from_json(config.to_json()) == config


def test_zones_have_servers_of_their_own_and_may_hold_private_addresses(tmp_path: Path) -> None:
    zones = {"Storvik.Kommune.no.": ("10.20.0.1", "tls://10.20.0.2#dns.storvik.kommune.no")}
    config = from_settings(Settings(dns=Dns(zones=zones, private_zones=("lan.no",), upstream_ca=tmp_path / "ca.pem")))
    ((zone, servers),) = config.zones
    assert zone == "storvik.kommune.no"
    assert servers == (
        ServerAddress("10.20.0.1", 53),
        ServerAddress("10.20.0.2", 853, "tls", "dns.storvik.kommune.no"),
    )
    assert config.private_zones == ("lan.no", "storvik.kommune.no")
    assert config.upstream_ca == str(tmp_path / "ca.pem")
    assert DnsConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("zones", [{"": ("192.0.2.1",)}, {"a..no": ("192.0.2.1",)}, {"a.no": ()}])
def test_zones_that_are_none(zones) -> None:
    with pytest.raises(ValidationError):
        Dns(zones=zones)


def test_a_zones_server_is_read_as_any_other() -> None:
    with pytest.raises(DnsSettingsError, match="numeric address"):
        from_settings(Settings(dns=Dns(zones={"a.no": ("dns.a.no",)})))


def test_portal_host_when_there_are_no_guest_addresses() -> None:
    assert from_settings(Settings()).portal_addresses == ("127.0.0.1",)
