"""Frames on the wire: the option as RFC 8910 has it, the header as it was given; strangers' frames say nothing."""

from __future__ import annotations

import subprocess
import sys
from ipaddress import IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.link.advertise import NO_ROUTER, Header, Origin, bystander
from gateway.link.frames import Advertisement, Solicitation, advertisement_frame, read_frame

URI = "https://gjest.example.no/captive-portal/api"
MAC = "02:00:00:00:77:fe"
ORIGINS = st.builds(
    lambda address, *fields: Origin(Header(*fields), IPv6Address(0xFE80 << 112 | address)),
    st.integers(0, 2**64 - 1),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)


@settings(deadline=None)
@given(ORIGINS)
def test_header_and_address_go_out_as_they_came_in(origin: Origin) -> None:
    assert read_frame(advertisement_frame(origin, URI, MAC)) == Advertisement(origin, has_portal=True)


def test_the_option_is_padded_to_eight_octets_with_nul() -> None:
    frame = advertisement_frame(Origin(NO_ROUTER, bystander(MAC)), URI, MAC)
    assert frame[:14] == bytes.fromhex("333300000001" + MAC.replace(":", "") + "86dd")
    assert frame[21] == 255  # hop limit
    option = frame[14 + 40 + 16 :]
    assert (option[0], len(option)) == (37, option[1] * 8)
    assert option[2:].rstrip(b"\0").decode() == URI


def test_a_solicitation_from_a_phone() -> None:
    frame = bytes.fromhex(
        "333300000002020000007701" "86dd" "6000000000083aff" "fe80000000000000000000fffe007701"
        "ff020000000000000000000000000002" "85007d3800000000"
    )  # fmt: skip
    assert read_frame(frame) == Solicitation()
    assert read_frame(frame[:21] + b"\x40" + frame[22:]) is None  # has come through a router


@pytest.mark.parametrize("frame", [b"", bytes(14), bytes(60), b"\xff" * 100])
def test_what_is_no_frame_of_ours_says_nothing(frame: bytes) -> None:
    assert read_frame(frame) is None


@settings(deadline=None)
@given(st.binary(max_size=200), ORIGINS, st.integers(14, 120))
def test_whatever_a_stranger_sends_is_no_error(noise: bytes, origin: Origin, at: int) -> None:
    read_frame(noise)
    frame = advertisement_frame(origin, URI, MAC)
    read_frame(frame[:at] + noise)


def test_chosen_layers_only() -> None:
    program = "import sys, gateway.link.watch; print([name for name in sys.modules if name == 'scapy.all'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
