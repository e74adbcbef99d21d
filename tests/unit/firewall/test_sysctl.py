from __future__ import annotations

from pathlib import Path

import pytest

from gateway.firewall.sysctl import SysctlError, apply, gateway_settings


def tree(root: Path, keys: list[str]) -> Path:
    for key in keys:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_text("0\n")
    return root


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    wanted = gateway_settings("up0")
    tree(tmp_path, list(wanted))
    (tmp_path / "net/ipv4/ip_forward").write_text("1\n")
    assert set(apply(wanted, tmp_path)) == set(wanted) - {"net/ipv4/ip_forward"}
    assert (tmp_path / "net/ipv6/conf/up0/accept_ra").read_text() == "2"
    assert apply(wanted, tmp_path) == ()


def test_router_advertisements_are_kept_before_forwarding_would_stop_them() -> None:
    keys = list(gateway_settings("up0"))
    assert keys.index("net/ipv6/conf/up0/accept_ra") < keys.index("net/ipv6/conf/all/forwarding")


def test_a_machine_without_ipv6_is_fine_but_an_unknown_uplink_is_not(tmp_path: Path) -> None:
    wanted = gateway_settings("up0")
    tree(tmp_path, ["net/ipv4/ip_forward", "net/ipv4/tcp_fwmark_accept"])
    assert len(apply(wanted, tmp_path)) == 2
    tree(tmp_path, ["net/ipv6/conf/all/forwarding"])
    with pytest.raises(SysctlError, match="up0"):
        apply(wanted, tmp_path)
