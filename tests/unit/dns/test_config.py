"""Settings become plain values that survive JSON."""

from pathlib import Path

import pytest

from gateway.dns.config import DnsConfig, from_settings, host_resolvers, parse_server
from gateway.dns.errors import DnsError
from gateway.settings import Dns, Enforcement, Settings


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("192.0.2.1#5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("2001:db8::1#5353", ("2001:db8::1", 5353)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_server(text)[:2] == address


@pytest.mark.parametrize(
    "text", ["dns.example", "192.0.2.1:0", "192.0.2.1:x", "192.0.2.1:70000", "", "[::1"[1:] + "]x"]
)
def test_bad_addresses_say_how_to_write_them(text: str) -> None:
    with pytest.raises(DnsError, match="write a numeric address"):
        parse_server(text)


def test_host_resolvers_without_ourselves(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# x\nsearch a.no\nnameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver junk\n"
    )
    assert [each[:2] for each in host_resolvers(file, {("127.0.0.1", 53)})] == [("192.0.2.1", 53)]
    assert host_resolvers(tmp_path / "none", set()) == ()


def test_survives_json(tmp_path: Path) -> None:
    settings = Settings(
        state=tmp_path, dns=Dns(upstreams=("192.0.2.1",)), enforcement=Enforcement(guest_addresses=("10.0.0.1",))
    )
    config = from_settings(settings)
    assert config.portal_addresses == ("10.0.0.1",)
    assert config.snapshot == str(tmp_path / "policy" / "current.snapshot")
    assert DnsConfig.from_json(config.to_json()) == config


def test_portal_host_when_there_are_no_guest_addresses() -> None:
    assert from_settings(Settings()).portal_addresses == ("127.0.0.1",)
