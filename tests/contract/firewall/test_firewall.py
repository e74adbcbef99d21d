"""The contract of `gateway.firewall.seam.Firewall`, which the kernel's and the in-memory one both pass."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from gateway.firewall.errors import FirewallError
from gateway.firewall.memory import MemoryFirewall
from gateway.firewall.plan import BATCH_ELEMENTS, Admission, Change, Device, Entry, make_plan
from gateway.firewall.posture import Posture
from gateway.firewall.ruleset import FirewallConfig
from gateway.firewall.seam import Firewall
from tests.lab.remote import Remote

CONFIG = FirewallConfig(
    guest_interfaces=("guest0", "guest1"),
    uplink="uplink0",
    guest_addresses=(ip_address("10.77.0.1"), ip_address("2001:db8:77::1")),
    dns_port=5300,
    portal_port=8080,
    https_port=8443,
    console_port=8081,
)
ROUTES = [ip_network("192.0.2.0/24"), ip_network("2001:db8:20::/64")]
ONE, TWO = Device("guest0", "02:00:00:00:00:01"), Device("guest1", "02:00:00:00:00:02")
ENTER = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-U", "-r", "-n"]


def _kernel_missing() -> str | None:
    try:
        subprocess.run([*ENTER, "nft", "list", "ruleset"], capture_output=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return "network namespaces with nftables are not allowed here"
    return None


_REASON = _kernel_missing()


@pytest.fixture(
    params=["memory", pytest.param("nft", marks=pytest.mark.skipif(_REASON is not None, reason=str(_REASON)))]
)
def firewall(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryFirewall()
        return
    remote = Remote(ENTER, "gateway.firewall.nft:NftFirewall")
    yield remote
    remote.close()


def now() -> datetime:
    return datetime.now(UTC)


def put(device: Device, mark: int = 1, seconds: float = 100, before: Entry | None = None) -> Change:
    return Change(device, before, Entry(mark, now() + timedelta(seconds=seconds)))


def held(firewall: Firewall) -> dict[Device, int]:
    return {device: entry.mark for device, entry in firewall.observe(now()).items()}


def test_nothing_works_before_the_rules_are_installed(firewall: Firewall) -> None:
    with pytest.raises(FirewallError):
        firewall.observe(now())


def test_a_fresh_firewall_lets_nobody_through(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    assert held(firewall) == {}


def test_what_is_applied_is_observed_until_it_ends(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    assert firewall.apply([put(ONE, mark=7, seconds=3600), put(TWO)], now()) == ()
    seen = firewall.observe(now())
    assert {device: entry.mark for device, entry in seen.items()} == {ONE: 7, TWO: 1}
    assert abs(seen[ONE].ends_at - now() - timedelta(seconds=3600)) < timedelta(seconds=2)


def test_installing_again_throws_nobody_out(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    firewall.apply([put(ONE, mark=7)], now())
    firewall.install(CONFIG, [])
    firewall.protect(CONFIG, ROUTES)
    assert held(firewall) == {ONE: 7}


def test_a_grant_can_be_prolonged_shortened_and_given_another_mark(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    firewall.apply([put(ONE, mark=7, seconds=100)], now())
    for mark, seconds in ((7, 5000), (7, 50), (9, 50)):
        before = firewall.observe(now())[ONE]
        assert firewall.apply([put(ONE, mark=mark, seconds=seconds, before=before)], now()) == ()
        seen = firewall.observe(now())[ONE]
        assert seen.mark == mark
        assert abs(seen.ends_at - now() - timedelta(seconds=seconds)) < timedelta(seconds=2)


def test_removing_what_has_ended_does_not_spoil_the_batch(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    gone = Change(ONE, Entry(3, now() - timedelta(seconds=5)), None)
    assert firewall.apply([gone, put(TWO)], now()) == ()
    assert held(firewall) == {TWO: 1}


def test_a_change_that_has_ended_already_admits_nobody(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    assert firewall.apply([put(ONE, seconds=-1), put(TWO, seconds=0)], now()) == ()
    assert held(firewall) == {}


def test_one_refused_change_is_named_and_the_others_are_in_force(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    firewall.apply([put(ONE, mark=7)], now())
    others = [put(Device("guest0", f"02:00:00:00:01:{n:02x}")) for n in range(20)]
    wrong = put(ONE, mark=8)  # it holds mark 7, which this change doesn't know
    assert firewall.apply([*others[:7], wrong, *others[7:]], now()) == (wrong,)
    assert held(firewall) == {ONE: 7, **{other.device: 1 for other in others}}


def test_more_than_a_batch_is_applied_whole(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    end = now() + timedelta(hours=1)
    crowd = [
        Admission(str(n), "guest0", f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}", 1, end)
        for n in range(BATCH_ELEMENTS + 500)
    ]
    plan = make_plan(crowd, {}, now())
    assert firewall.apply(plan.changes, now()) == ()
    assert make_plan(crowd, firewall.observe(now()), now()).changes == ()


def test_our_own_changes_do_not_count_as_someone_elses(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    before = firewall.touched()
    firewall.install(CONFIG, [])
    firewall.protect(CONFIG, ROUTES)
    firewall.apply([put(ONE), put(TWO)], now())
    firewall.apply([Change(ONE, Entry(1, now()), None)], now())
    firewall.apply([], now())
    firewall.observe(now())
    assert firewall.touched() == before


def test_cutting_devices_that_nobody_knows_is_harmless(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    assert firewall.cut([ONE, TWO]) == 0
    assert firewall.cut([]) == 0


def test_a_posture_is_taken_up_again_and_again_and_outlives_an_installation(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    firewall.apply([put(ONE, mark=7)], now())
    opened = {"guest1": Entry(5, now() + timedelta(seconds=50))}
    before = firewall.touched()
    for posture in (
        Posture(frozenset({"guest0"}), opened, frozenset({ONE.mac, TWO.mac})),
        Posture(frozenset({"guest0", "guest1"})),
        Posture(),
        Posture(open={"guest0": Entry(5, now() - timedelta(seconds=1))}),  # over already: opens nothing
    ):
        firewall.take_up(posture, now())
        firewall.take_up(posture, now())
    firewall.install(CONFIG, ROUTES)
    assert firewall.touched() == before
    assert held(firewall) == {ONE: 7}


def test_nobody_has_sent_or_received_anything_at_first(firewall: Firewall) -> None:
    firewall.install(CONFIG, ROUTES)
    assert firewall.counted() == {}


@pytest.mark.skipif(_REASON is not None, reason=str(_REASON))
def test_the_kernel_holds_the_meters_and_takes_another_rate_for_them() -> None:
    """The in-memory firewall has no packets to meter."""
    code = (
        "import subprocess\nfrom dataclasses import replace\nfrom gateway.firewall.nft import NftFirewall\n"
        "from tests.contract.firewall.test_firewall import CONFIG\n"
        "def told(*what): return subprocess.run(['nft', *what], capture_output=True, text=True, check=True).stdout\n"
        "for per_s in (200, 300):\n"
        "    NftFirewall().install(replace(CONFIG, dns_per_s=per_s), [])\n"
        "    for name in ('dns_accepted', 'dns_unaccepted'):\n"
        "        subprocess.run(['nft', f'add element inet gjestenett {name} {{ 02:00:00:00:00:01 }}'], check=True)\n"
        "    rules = told('list', 'chain', 'inet', 'gjestenett', 'meter_dns')\n"
        "    print(rules)\n"
        "    assert f'limit rate over {per_s}/second burst 1000 packets' in rules\n"
        "    assert 'limit rate over 5/second burst 50 packets' in rules\n"
        "    assert 'jhash ether saddr mod 2147483648' in rules\n"
        "    held = told('list', 'set', 'inet', 'gjestenett', 'dns_accepted')\n"
        "    assert held.count('02:00') == 1\n"
        "    if per_s == 200: NftFirewall().install(CONFIG, [])\n"
        "    if per_s == 200: assert '02:00' not in told('list', 'set', 'inet', 'gjestenett', 'dns_accepted')\n"
    )
    done = subprocess.run([*ENTER, sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
