"""Addresses as labels and lists write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.admission import parse_mac


@given(
    st.binary(min_size=6, max_size=6).filter(lambda octets: any(octets) and not octets[0] & 1),
    st.sampled_from([":", "-", "", " "]),
    st.booleans(),
)
def test_every_way_of_writing_one_device_is_the_kernels(octets: bytes, separator: str, capital: bool) -> None:
    written = separator.join(f"{octet:02X}" if capital else f"{octet:02x}" for octet in octets)
    kernel = ":".join(f"{octet:02x}" for octet in octets)
    assert parse_mac(f" {written} ") == kernel
    digits = octets.hex()
    assert parse_mac(".".join((digits[:4], digits[4:8], digits[8:]))) == kernel


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:01",
        "00:1a:2b:3c:4d",
        "00:1a:2b:3c:4d:5e:6f",
        "00:1a:2b:3c:4d:5g",
        "projector",
        "٠٠:١a:2b:3c:4d:5e",
    ],
)
def test_what_is_no_single_devices_address_is_none(text: str) -> None:
    assert parse_mac(text) is None
