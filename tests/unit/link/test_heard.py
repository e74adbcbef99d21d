"""Entries of the kernel's neighbour table as devices that were heard; spoilt and useless ones are nobody."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.link.heard import heard, read_entry
from gateway.link.neighbours import Neighbour
from gateway.link.netlink import attribute

MAC = bytes.fromhex("02aabbccddee")
REACHABLE, INCOMPLETE, STALE, FAILED, NOARP = 0x02, 0x01, 0x04, 0x20, 0x40
WORLD = """
import sys
from gateway.link.heard import heard
for each in sorted(heard(["guest0"]), key=lambda one: str(one.address)):
    print(each.device.interface, each.device.mac, each.address, each.ago.total_seconds() < 60)
"""


def entry(*, index=7, state=REACHABLE, mac=MAC, address="192.0.2.9", ticks=100) -> bytes:
    packed = ip_address(address).packed
    body = struct.pack("=BxxxiHBB", 2, index, state, 0, 1) + attribute(1, packed) + attribute(2, mac)
    return body + attribute(3, struct.pack("=IIII", ticks, 5, 6, 1))


@pytest.mark.parametrize("address", ["192.0.2.9", "2001:db8::9", "fe80::9"])
def test_an_entry_is_a_device_at_an_address_with_the_time_since_it_answered(address: str) -> None:
    found = read_entry(entry(address=address, ticks=12_345, state=STALE), {7: "guest0"}, 100)
    assert found is not None
    assert (found.device, found.address) == (Neighbour("guest0", "02:aa:bb:cc:dd:ee"), ip_address(address))
    assert found.ago == timedelta(seconds=123.45)


@pytest.mark.parametrize(
    "other",
    [{"index": 8}, {"state": INCOMPLETE}, {"state": FAILED}, {"state": NOARP}, {"mac": b""}, {"mac": bytes(6)},
     {"mac": b"\x33\x33\0\0\0\1"}, {"mac": b"\xff" * 6}],
)  # fmt: skip
def test_what_answers_nobody_is_left_out(other: dict[str, object]) -> None:
    assert read_entry(entry(**other), {7: "guest0"}, 100) is None  # type: ignore[arg-type]


@given(st.binary(max_size=80))
def test_any_bytes_are_read(body: bytes) -> None:
    read_entry(body, {0: "guest0"}, 100)


@given(st.integers(0, len(entry())))
def test_a_cut_entry_is_nobody(length: int) -> None:
    found = read_entry(entry()[:length], {7: "guest0"}, 100)
    assert (found is not None) == (length == len(entry()))


def test_an_interface_that_is_not_there_has_nobody() -> None:
    assert heard(["nonesuch0"]) == []


def test_the_kernel_of_a_network_of_its_own_says_who_is_there() -> None:
    tools = [shutil.which(name) for name in ("unshare", "ip")]
    if not all(tools) or subprocess.run([str(tools[0]), "-rn", "true"], check=False, capture_output=True).returncode:
        if os.environ.get("CI") == "true":
            pytest.fail("unshare -rn and ip are needed")
        pytest.skip("unshare -rn and ip are needed")
    script = (
        "ip link add guest0 type veth peer name other0 && ip link set guest0 up && ip link set other0 up"
        " && ip neigh add 192.0.2.9 lladdr 02:00:00:00:ab:cd dev guest0 nud reachable"
        " && ip neigh add 2001:db8::9 lladdr 02:00:00:00:ab:cd dev guest0 nud stale"
        " && ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev other0 nud reachable"
        ' && exec "$0" -c "$1"'
    )
    told = subprocess.run(
        [str(tools[0]), "-rn", "sh", "-c", script, sys.executable, WORLD],
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    assert told[0] == "guest0 02:00:00:00:ab:cd 192.0.2.9 True"
    assert told[1].startswith("guest0 02:00:00:00:ab:cd 2001:db8::9 ")
    assert len(told) == 2
