from __future__ import annotations

import errno
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.link.netlink import Netlink, NetlinkError, attribute, attributes


@given(st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=50), max_size=10))
def test_attributes_come_back_as_they_went_in(fields: dict[int, bytes]) -> None:
    data = b"".join(attribute(kind, payload) for kind, payload in fields.items())
    assert len(data) % 4 == 0
    assert attributes(data) == fields


@given(st.binary(max_size=200))
def test_any_bytes_are_walked_to_an_end(data: bytes) -> None:
    assert sum(len(payload) + 4 for payload in attributes(data).values()) <= len(data) + 4


def test_flag_bits_are_not_part_of_the_type() -> None:
    assert attributes(attribute(0x8000 | 5, b"abcd")) == {5: b"abcd"}


def test_a_refusal_carries_its_number() -> None:
    with Netlink(socket.NETLINK_ROUTE) as netlink, pytest.raises(NetlinkError) as caught:
        netlink.ask(18, struct.pack("=BxHiII", 0, 0, 99999, 0, 0))  # RTM_GETLINK of an interface that isn't there
    assert caught.value.errno == errno.ENODEV
