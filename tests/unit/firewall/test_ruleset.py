from __future__ import annotations

import dataclasses
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from gateway.firewall.config import firewall_config
from gateway.firewall.errors import FirewallConfigError
from gateway.firewall.ruleset import FirewallConfig, protected_networks, render
from gateway.settings import Enforcement, Settings

CONFIG = FirewallConfig(
    guest_interfaces=("guest0",),
    uplink="uplink0",
    guest_addresses=(ip_address("10.77.0.1"), ip_address("2001:db8:77::1"), ip_address("10.77.1.1")),
    dns_port=5300,
    portal_port=8080,
    https_port=8443,
    console_port=8081,
)


def covered(text: str, config: FirewallConfig = CONFIG, routes: tuple[str, ...] = ()) -> bool:
    four, six = protected_networks(config, [ip_network(route) for route in routes])
    address = ip_address(text)
    return any(address in network for network in (four if address.version == 4 else six))


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.31.255.255", "192.168.0.1", "100.64.0.1", "169.254.169.254", "127.0.0.1", "224.0.0.251",
     "255.255.255.255", "fd00::1", "fe80::1", "::1", "::ffff:8.8.8.8",
     "64:ff9b::10.1.2.3", "64:ff9b::192.168.0.1", "ff02::1"],
)  # fmt: skip
def test_what_is_not_the_internet_is_protected(address: str) -> None:
    assert covered(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "192.0.2.1", "2001:db8::1", "64:ff9b::8.8.8.8"])
def test_the_internet_is_not_protected(address: str) -> None:
    assert not covered(address)


def test_routes_and_configured_networks_are_protected_and_a_default_route_is_ignored() -> None:
    config = FirewallConfig(("g",), "u", CONFIG.guest_addresses, 1, 2, 3, 4, protected=(ip_network("192.0.2.0/25"),))
    routes = ("198.51.100.0/24", "2001:db8:20::/64", "0.0.0.0/0", "::/0")
    for inside in ("192.0.2.7", "198.51.100.9", "2001:db8:20::5", "64:ff9b::192.0.2.7"):
        assert covered(inside, config, routes)
    for outside in ("192.0.2.200", "8.8.8.8", "2001:db8:21::5"):
        assert not covered(outside, config, routes)


def test_the_first_address_of_each_family_is_where_guests_are_sent() -> None:
    assert CONFIG.address4 == IPv4Address("10.77.0.1")
    assert CONFIG.address6 == IPv6Address("2001:db8:77::1")


def test_rendering_never_deletes_what_holds_admissions() -> None:
    script = render(CONFIG)
    for forbidden in ("delete table", "flush map", "delete map", "flush ruleset"):
        assert forbidden not in script


def test_the_choices_of_the_settings_are_in_the_rules() -> None:
    config = FirewallConfig(
        ("g",), "u", (ip_address("10.0.0.1"),), 53, 80, None, 8081, nat=False, local_time_server=False
    )
    script = render(config)
    assert "masquerade\n" not in script
    assert "dnat ip to 10.0.0.1:123" not in script
    assert "ip6 to" not in script
    assert "masquerade\n" in render(CONFIG)
    assert "udp dport 123 dnat ip6 to [2001:db8:77::1]:123" in render(CONFIG)


def test_dns_over_tls_is_for_those_who_have_accepted_and_only_to_our_own_853() -> None:
    assert "8853" not in render(CONFIG)
    script = render(dataclasses.replace(CONFIG, dns_tls_port=8853))
    own = [line for line in script.splitlines() if "tcp dport 853 dnat" in line]
    assert len(own) == 2  # one a family
    assert all("meta mark != 0 ip" in line and line.endswith(":8853") for line in own)
    assert "ip daddr { 10.77.0.1, 10.77.1.1 } tcp dport 853 dnat ip to 10.77.0.1:8853" in script
    assert [line for line in script.splitlines() if "dport 8853 accept" in line] == [
        "add rule inet gjestenett from_guest_in meta mark != 0 tcp dport 8853 accept"
    ]
    assert "tcp dport { 5300, 8080, 8443, 8853 } drop" in script  # from the uplink nobody reaches it
    assert "tcp dport { 53, 853 } reject with tcp reset" in script  # that of others, when forwarded


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        ({"guest_interfaces": ()}, "guest_interfaces"),
        ({"uplink": None}, "uplink"),
        ({"uplink": "guest0"}, "both"),
        ({"guest_addresses": ()}, "guest_addresses"),
    ],
)
def test_settings_that_describe_no_gateway_are_refused_by_name(broken: dict[str, object], word: str) -> None:
    good: dict[str, object] = {
        "enabled": True, "guest_interfaces": ("guest0",), "uplink": "up0",
        "guest_addresses": ("10.77.0.1", "2001:db8::1"),
        "protected": ("192.0.2.0/24",),
    }  # fmt: skip
    config = firewall_config(Settings(enforcement=Enforcement.model_validate(good)))
    assert (config.address4, config.dns_port) == (IPv4Address("10.77.0.1"), 5300)
    assert config.protected == (ip_network("192.0.2.0/24"),)
    with pytest.raises(FirewallConfigError, match=word):
        firewall_config(Settings(enforcement=Enforcement.model_validate({**good, **broken})))


def test_public_resolvers_are_closed_for_guests_and_can_be_left_open() -> None:
    text = render(CONFIG)
    assert "add set inet gjestenett encrypted_dns4 { type ipv4_addr; flags interval; }" in text
    filled = next(line for line in text.splitlines() if "add element inet gjestenett encrypted_dns4" in line)
    assert "8.8.8.8" in filled
    assert "1.1.1.1" in filled
    rules = [line for line in text.splitlines() if "@encrypted_dns" in line]
    assert len(rules) == 4
    assert all(" from_guest " in rule for rule in rules)
    accept = text.index('oifname "', text.index("from_guest ct state invalid"))
    assert all(text.index(rule) < text.index("accept", accept) for rule in rules)
    opened = render(dataclasses.replace(CONFIG, close_public_resolvers=False))
    assert "add element inet gjestenett encrypted_dns" not in opened
    assert "flush set inet gjestenett encrypted_dns4" in opened


def settings(**sections: dict[str, object]) -> Settings:
    enforcement = {"guest_interfaces": ("guest0",), "uplink": "up0", "guest_addresses": ("10.77.0.1",)}
    return Settings.model_validate({"enforcement": enforcement, **sections})


def test_without_a_certificate_no_https_port_is_opened() -> None:
    without = firewall_config(settings())
    assert without.https_port is None
    assert "443" not in render(without)
    with_one = firewall_config(settings(portal={"tls_certificate": "portal.pem"}))
    assert with_one.https_port == 8443
    assert "tcp dport 443 dnat ip to 10.77.0.1:8443" in render(with_one)


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"dns": {"port": 8081}}, "dns.port"),
        ({"portal": {"port": 8081}}, "portal.port"),
        ({"portal": {"https_port": 8081, "tls_certificate": "portal.pem"}}, "portal.https_port"),
    ],
)
def test_a_console_on_a_port_that_guests_reach_is_refused(sections: dict[str, dict[str, object]], key: str) -> None:
    with pytest.raises(FirewallConfigError, match=rf"^console\.port and {key} are both 8081: .*$"):
        firewall_config(settings(**sections))


def test_what_is_for_guests_is_closed_to_all_others_and_the_console_to_the_uplink() -> None:
    rules = [line.removeprefix("add rule inet gjestenett input ") for line in render(CONFIG).splitlines()]
    start = rules.index('iifname "lo" accept')
    assert rules[start + 1 : start + 5] == [
        'iifname { "guest0" } jump from_guest_in',
        "tcp dport { 5300, 8080, 8443 } drop",
        "udp dport 5300 drop",
        'iifname "uplink0" tcp dport 8081 drop',
    ]


def rules_of(chain: str, config: FirewallConfig = CONFIG) -> list[str]:
    start = f"add rule inet gjestenett {chain} "
    return [line.removeprefix(start) for line in render(config).splitlines() if line.startswith(start)]


def test_every_packet_for_the_resolver_is_metered_before_anything_is_let_in() -> None:
    metered = "meta l4proto { tcp, udp } th dport 5300 jump meter_dns"
    assert rules_of("from_guest_in")[0] == metered  # before what conntrack would accept
    assert re.search(r"add chain inet gjestenett meter_dns\n", render(CONFIG))
    assert rules_of("meter_dns") == [
        "tcp flags & (syn | ack) == syn add @dns_users { ether saddr ct count over 20 } drop",
        "meta mark != 0 update @dns_accepted { ether saddr limit rate over 200/second burst 1000 packets } drop",
        "meta mark 0 update @dns_unaccepted { ether saddr limit rate over 5/second burst 50 packets } drop",
        "meta mark 0 meta mark set jhash ether saddr mod 2147483648 offset 2147483648",
    ]


def test_dns_over_tls_is_counted_with_the_rest_and_its_handshakes_are_metered() -> None:
    config = dataclasses.replace(CONFIG, dns_tls_port=8853)
    # only with a mark: the chain gives a mark to those who have none, and a mark opens the door
    assert rules_of("from_guest_in", config)[1] == "meta mark != 0 tcp dport 8853 jump meter_dns"
    assert rules_of("meter_dns", config)[1] == (
        "tcp dport 8853 tcp flags & (syn | ack) == syn"
        " update @dns_handshakes { ether saddr limit rate over 5/second burst 20 packets } drop"
    )
    assert [rule for rule in rules_of("meter_dns", config) if "dport" not in rule] == rules_of("meter_dns")


def test_guests_tell_nothing_about_flows_that_are_not_theirs() -> None:
    rules = rules_of("from_guest_in")
    assert [rule for rule in rules if "related" in rule] == [
        "ct direction original ct reply ip saddr { 10.77.0.1, 10.77.1.1 } ct state related accept",
        "ct direction original ct reply ip6 saddr { 2001:db8:77::1 } ct state related accept",
    ]
    assert [rule for rule in rules if "established" in rule] == [
        "fib saddr . iif oif exists ct direction reply ct state established accept"
    ]


def test_the_meters_of_a_rate_that_is_changed_start_afresh_and_admissions_stay() -> None:
    lines = render(dataclasses.replace(CONFIG, dns_per_s=50, dns_burst=60)).splitlines()
    for name in ("dns_unaccepted", "dns_accepted", "dns_handshakes"):
        (made,) = (at for at, line in enumerate(lines) if line.startswith(f"add set inet gjestenett {name} "))
        assert "size 65535" in lines[made]  # a flood of addresses can't use up memory
        assert "timeout 60s" in lines[made]
        assert lines[made + 1] == f"flush set inet gjestenett {name}"
    assert any("over 50/second burst 60 packets" in line for line in lines)


@pytest.mark.parametrize(("rate", "burst"), [(19, 1000), (200, 49), (200, 100_001)])
def test_a_rate_that_would_break_ordinary_use_or_the_kernel_is_refused(rate: int, burst: int) -> None:
    with pytest.raises(ValueError, match="dns_"):
        settings(enforcement={"dns_per_s": rate, "dns_burst": burst})


def test_an_empty_bucket_is_full_again_before_it_is_forgotten() -> None:
    with pytest.raises(ValueError, match="dns_burst"):
        settings(enforcement={"dns_per_s": 20, "dns_burst": 1201})
    config = firewall_config(
        Settings(
            enforcement=Enforcement.model_validate(
                {
                    "guest_interfaces": ("guest0",), "uplink": "up0", "guest_addresses": ("10.77.0.1",),
                    "dns_per_s": 20, "dns_burst": 1200,
                }
            )
        )
    )  # fmt: skip
    assert (config.dns_per_s, config.dns_burst) == (20, 1200)
