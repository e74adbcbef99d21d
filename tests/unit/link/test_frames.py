"""Frames on the wire: the option as RFC 8910 has it, the header as it was given; strangers' frames say nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.link.advertise import NO_ROUTER, Header
from gateway.link.frames import Advertisement, Solicitation, advertisement_frame, read_frame

URI = "https://gjest.example.no/captive-portal/api"
ROUTER, MAC = "fe80::ff:fe00:77fe", "02:00:00:00:77:fe"
HEADERS = st.builds(
    Header,
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)


@given(HEADERS)
def test_the_header_goes_out_as_it_came_in(header: Header) -> None:
    assert read_frame(advertisement_frame(header, URI, ROUTER, MAC)) == Advertisement(header, has_portal=True)


def test_the_option_is_padded_to_eight_octets_with_nul() -> None:
    frame = advertisement_frame(NO_ROUTER, URI, ROUTER, MAC)
    assert frame[:14] == bytes.fromhex("333300000001" + MAC.replace(":", "") + "86dd")
    assert frame[21] == 255  # hop limit
    option = frame[14 + 40 + 16 + 8 :]
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


@given(st.binary(max_size=200), HEADERS, st.integers(14, 120))
def test_whatever_a_stranger_sends_is_no_error(noise: bytes, header: Header, at: int) -> None:
    read_frame(noise)
    frame = advertisement_frame(header, URI, ROUTER, MAC)
    read_frame(frame[:at] + noise)


def test_chosen_layers_only() -> None:
    program = "import sys, gateway.link.watch; print([name for name in sys.modules if name == 'scapy.all'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
