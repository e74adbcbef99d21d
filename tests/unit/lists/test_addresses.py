import asyncio
from ipaddress import ip_address

import pytest

from gateway.lists.addresses import choose_address, is_public, upstream_resolver
from gateway.lists.errors import DownloadError

PRIVATE = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("2002:7f00:1::", "2002:c0a8:101::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_in_every_way_of_writing(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "193.49.48.1"])
def test_public(address: str) -> None:
    assert is_public(address)


def chosen(found: list[str], *, internal: bool = False, host: str = "lists.example") -> str:
    async def resolve(asked: str) -> list[str]:
        assert asked == host
        return found

    return asyncio.run(choose_address(host, resolve, internal=internal))


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    assert chosen(["2606:4700::1", "8.8.8.8"]) == "8.8.8.8"
    with pytest.raises(DownloadError, match="--internal") as caught:
        chosen(["8.8.8.8", "10.0.0.1"])
    assert caught.value.reason == "private_address"
    assert chosen(["10.0.0.1"], internal=True) == "10.0.0.1"
    for never in ("0.0.0.0", "224.0.0.1", "::"):
        with pytest.raises(DownloadError):
            chosen([never], internal=True)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"],
)
def test_link_local_addresses_are_nobodys_even_inside(address: str) -> None:
    for host, found in (("lists.example", [address]), (address, [])):
        with pytest.raises(DownloadError) as caught:
            chosen(found, internal=True, host=host)
        assert caught.value.reason == "private_address"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_this_machine_only_where_the_url_says_so(address: str) -> None:
    with pytest.raises(DownloadError, match="this machine"):
        chosen(["10.0.0.1", address], internal=True)
    assert chosen([address], internal=True, host="localhost") == address
    assert ip_address(chosen([], internal=True, host=address)) == ip_address(address)
    with pytest.raises(DownloadError):
        chosen([address], host="localhost")


def test_an_address_in_the_url_is_looked_at_too() -> None:
    with pytest.raises(DownloadError):
        chosen([], host="169.254.169.254")


def test_a_host_without_address() -> None:
    with pytest.raises(DownloadError, match="no address"):
        chosen([])


def test_without_upstreams_the_host_resolves() -> None:
    assert "127.0.0.1" in asyncio.run(upstream_resolver(())("localhost"))
