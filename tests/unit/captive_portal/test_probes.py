"""Connectivity checks: all say "portal" until the gateway lets the device through, then all say "online"."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from captive_portal.probes import NAME_CHECKS, PROBES, Probe, find
from policies.names import parents
from policies.never_blocked import NEVER_BLOCKED

PLAIN = [probe for probe in PROBES if probe.scheme == "http"]
EVERY = pytest.mark.parametrize("probe", PLAIN, ids=lambda probe: f"{probe.system} {probe.host}{probe.path}")
ANDROID = ("Android", "ChromeOS", "GrapheneOS", "Fire OS", "Samsung", "Huawei", "Xiaomi", "OPPO", "vivo", "Edge")


def verdict(system: str, status: int, body: bytes) -> str:
    """What an operating system concludes, by its own rules as published; written apart from the table of answers."""
    if system in ANDROID:
        if status == 204:
            return "online"
        return "portal" if 200 <= status <= 399 and (status != 200 or len(body) > 4) else "broken"
    expected = {
        "Apple": rb"<BODY>\s*Success\s*</BODY>",
        "Windows": rb"\AMicrosoft (Connect Test|NCSI)\Z",
        "Firefox": rb"\A(success\n?|<meta http-equiv=\"refresh\" content=\"0;url=https://support\.mozilla\.org/.*)\Z",
        "GNOME": rb"\ANetworkManager is online",
        "Debian": rb"\ANetworkManager is online",
        "Arch Linux": rb"\ANetworkManager is online",
        "Manjaro": rb"\ANetworkManager is online",
        "openSUSE": rb"\ANetworkManager is online",
        "Fedora": rb"\AOK",
        "Red Hat": rb"\AOK",
        "KDE": rb"\AOK",
        "Ubuntu": rb"\A\Z",
        "Kindle": rb"81ce4465-7167-4dcb-835b-dcc9e44c112a",
        "Nintendo": rb"\Aok",
    }[system]
    return "online" if status in (200, 204) and re.search(expected, body) else "portal"


@EVERY
def test_portal_before_and_online_after(guest: Any, apply_grants: Callable[[], None], probe: Probe) -> None:
    def ask() -> Any:
        return guest.http.get(f"{probe.path}?x=1", headers={"Host": probe.host})

    def assert_portal(answer: Any) -> None:
        assert (answer.status_code, answer.headers["location"]) == (302, "http://gjest.internal/")
        assert answer.headers["connection"] == "close"
        assert verdict(probe.system, answer.status_code, answer.content) == "portal"

    assert_portal(ask())
    guest.accept()
    assert_portal(ask())  # accepted, but no gateway has let it through yet
    apply_grants()
    online = ask()
    assert verdict(probe.system, online.status_code, online.content) == "online"
    assert online.headers["cache-control"] == "no-store"
    assert guest.http.request("HEAD", probe.path, headers={"Host": probe.host}).content == b""


def test_each_check_is_listed_once() -> None:
    assert len({probe.url for probe in PROBES}) == len(PROBES)
    assert all(find(probe.host, probe.path) is probe for probe in PLAIN)
    assert find("captive.apple.com", "/other") is None


def test_what_is_asked_by_https_can_only_be_refused_before_acceptance() -> None:
    assert {(probe.scheme, probe.before) for probe in PROBES} == {("http", "redirect"), ("https", "reset")}


@pytest.mark.parametrize("name", sorted({probe.host for probe in PROBES} | {check.name for check in NAME_CHECKS}))
def test_no_list_can_close_a_check(name: str) -> None:
    assert any(NEVER_BLOCKED.get(each) == "connectivity" for each in parents(name)), name


@pytest.mark.parametrize(
    "host", ["www.nrk.no", "evil.example:8080", "gjest.internal.evil.example", "", "[2001:db8::1]"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_every_strange_host_is_sent_to_the_portal(guest: Any, host: str, method: str) -> None:
    answer = guest.http.request(method, "/any/path?next=http://evil.example", headers={"Host": host})
    assert (answer.status_code, answer.headers["location"]) == (302, "http://gjest.internal/")
    assert "evil" not in str(answer.headers)


@pytest.mark.parametrize("host", ["gjest.internal", "GJEST.internal.", "gjest.internal:8080", "127.0.0.1", "localhost"])
def test_own_hosts_are_served(guest: Any, host: str) -> None:
    assert guest.http.get("/", headers={"Host": host}).status_code == 200


def test_online_device_on_a_strange_host_without_check_is_redirected(
    guest: Any, apply_grants: Callable[[], None]
) -> None:
    guest.accept()
    apply_grants()
    assert guest.http.get("/", headers={"Host": "www.nrk.no"}).status_code == 302
