from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.firewall.errors import FirewallError
from gateway.firewall.nft import NftFirewall, parse_counters, parse_marks
from gateway.firewall.plan import Device, Entry

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LISTED = """{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"map": {"name": "marks", "elem": [
 [{"elem": {"val": {"concat": ["guest0", "02:00:00:00:00:01"]}, "timeout": 60, "expires": 59}}, 7],
 [{"concat": ["guest.10", "02:00:00:00:00:02"]}, 1]]}}]}"""


def test_listed_elements_become_entries_and_one_without_timeout_ends_now() -> None:
    assert parse_marks(LISTED, NOW) == {
        Device("guest0", "02:00:00:00:00:01"): Entry(7, NOW + timedelta(seconds=59)),
        Device("guest.10", "02:00:00:00:00:02"): Entry(1, NOW),
    }


def test_a_missing_nft_says_what_to_install() -> None:
    with pytest.raises(FirewallError, match="install the package nftables"):
        NftFirewall("nft-that-is-not-there").observe(NOW)


def test_listed_counters_are_octets_by_device() -> None:
    listed = """{"nftables": [{"metainfo": {}}, {"set": {"name": "sent", "elem": [
     {"elem": {"val": {"concat": ["guest0", "02:00:00:00:00:01"]}, "expires": 9,
      "counter": {"packets": 2, "bytes": 84}}}
    ]}}]}"""
    assert parse_counters(listed) == {Device("guest0", "02:00:00:00:00:01"): 84}
    assert parse_counters('{"nftables": [{"set": {"name": "sent"}}]}') == {}
