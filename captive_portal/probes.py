"""How operating systems ask "am I online?": host, path, and what each is answered before and after acceptance.

Before a device has accepted, every one by plain HTTP is answered 302 to the portal: the one status that all systems
take for "portal" (Android takes 511, an empty 200 and every error for "broken", and shows no login window); one by
HTTPS is refused by a TCP reset at once, since nobody else can answer for that name. Afterwards they pass us by on their
way to the internet; one that still reaches us gets the answer in this table.

Left out is what has no published answer to compare with, as PlayStation's check.

Sources: Android NetworkMonitor; Apple and Microsoft NCSI as documented; Firefox `network.captive-portal-service`;
NetworkManager's connectivity settings as packaged by each distribution; the vendors' own builds of Android.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True)
class Answer:
    """What the system expects when it is online."""

    status: int = 204
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """One connectivity check: `GET scheme://host/path`, and what its system takes for "online"."""

    system: str
    host: str
    path: str
    online: Answer
    scheme: Literal["http", "https"] = "http"

    @property
    def before(self) -> Literal["redirect", "reset"]:
        """What it meets before acceptance: 302 to the portal, or a refused connection."""
        return "redirect" if self.scheme == "http" else "reset"

    @property
    def url(self) -> str:
        """The address asked for."""
        return f"{self.scheme}://{self.host}{self.path}"


@dataclass(frozen=True)
class NameCheck:
    """A check by DNS alone: the name must have exactly these addresses, before acceptance and after."""

    system: str
    name: str
    addresses: tuple[str, str]


_204: Final = Answer()
_APPLE: Final = Answer(
    200, b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>\n", content_type="text/html"
)
_FIREFOX: Final = Answer(
    200,
    b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>',
    content_type="text/html",
)
_NETWORK_MANAGER: Final = Answer(200, b"NetworkManager is online\n", headers={"X-NetworkManager-Status": "online"})
_KINDLE: Final = Answer(
    200,
    b"<!DOCTYPE html>\n<html><head><title>Kindle Reachability Probe Page</title></head>"
    b"<body><!-- 81ce4465-7167-4dcb-835b-dcc9e44c112a --></body></html>\n",
    content_type="text/html",
)
_NINTENDO: Final = Answer(200, b"ok", headers={"X-Organization": "Nintendo"})

PROBES: Final = (
    Probe("Android", "connectivitycheck.gstatic.com", "/generate_204", _204),
    Probe("Android", "www.google.com", "/generate_204", _204, "https"),
    Probe("Android", "www.google.com", "/gen_204", _204),
    Probe("Android", "www.google.com", "/generate_204", _204),
    Probe("Android", "play.googleapis.com", "/generate_204", _204),
    Probe("Android", "clients3.google.com", "/generate_204", _204),
    Probe("Android", "connectivitycheck.android.com", "/generate_204", _204),
    Probe("ChromeOS", "www.gstatic.com", "/generate_204", _204),
    Probe("GrapheneOS", "connectivitycheck.grapheneos.network", "/generate_204", _204),
    Probe("GrapheneOS", "connectivitycheck.grapheneos.network", "/generate_204", _204, "https"),
    Probe("Fire OS", "fireoscaptiveportal.com", "/generate_204", _204),
    Probe("Fire OS", "fireoscaptiveportal.com", "/generate_204", _204, "https"),
    Probe("Samsung", "connectivity.samsung.com.cn", "/generate_204", _204),
    Probe("Huawei", "connectivitycheck.platform.hicloud.com", "/generate_204", _204),
    Probe("Huawei", "connectivitycheck.cbg-app.huawei.com", "/generate_204", _204),
    Probe("Xiaomi", "connect.rom.miui.com", "/generate_204", _204),
    Probe("OPPO", "conn1.oppomobile.com", "/generate_204", _204),
    Probe("OPPO", "conn2.oppomobile.com", "/generate_204", _204),
    Probe("vivo", "wifi.vivo.com.cn", "/generate_204", _204),
    Probe("Edge", "edge-http.microsoft.com", "/captiveportal/generate_204", _204),
    Probe("Apple", "captive.apple.com", "/hotspot-detect.html", _APPLE),
    Probe("Apple", "captive.apple.com", "/", _APPLE),
    Probe("Apple", "www.apple.com", "/library/test/success.html", _APPLE),
    Probe("Windows", "www.msftconnecttest.com", "/connecttest.txt", Answer(200, b"Microsoft Connect Test")),
    Probe("Windows", "ipv6.msftconnecttest.com", "/connecttest.txt", Answer(200, b"Microsoft Connect Test")),
    Probe("Windows", "www.msftncsi.com", "/ncsi.txt", Answer(200, b"Microsoft NCSI")),
    Probe("Firefox", "detectportal.firefox.com", "/canonical.html", _FIREFOX),
    Probe("Firefox", "detectportal.firefox.com", "/success.txt", Answer(200, b"success\n")),
    Probe("GNOME", "nmcheck.gnome.org", "/check_network_status.txt", _NETWORK_MANAGER),
    Probe("Debian", "network-test.debian.org", "/nm", _NETWORK_MANAGER),
    Probe("Arch Linux", "ping.archlinux.org", "/nm-check.txt", _NETWORK_MANAGER),
    Probe("Manjaro", "ping.manjaro.org", "/check_network_status.txt", _NETWORK_MANAGER),
    Probe("openSUSE", "conncheck.opensuse.org", "/", _NETWORK_MANAGER),
    Probe("Ubuntu", "connectivity-check.ubuntu.com", "/", Answer(headers={"X-NetworkManager-Status": "online"})),
    Probe("Fedora", "fedoraproject.org", "/static/hotspot.txt", Answer(200, b"OK\n")),
    Probe("Red Hat", "static.redhat.com", "/test/rhel-networkmanager.txt", Answer(200, b"OK\n")),
    Probe("KDE", "networkcheck.kde.org", "/", Answer(200, b"OK\n")),
    Probe("Kindle", "spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html", _KINDLE),
    Probe("Nintendo", "ctest.cdn.nintendo.net", "/", _NINTENDO),
    Probe("Nintendo", "conntest.nintendowifi.net", "/", _NINTENDO),
)

NAME_CHECKS: Final = (NameCheck("Windows", "dns.msftncsi.com", ("131.107.255.255", "fd3e:4f5a:5b81::1")),)

_BY_PLACE: Final = {(probe.host, probe.path): probe for probe in PROBES if probe.scheme == "http"}


def find(host: str, path: str) -> Probe | None:
    """The check by plain HTTP that asks this `host` (lower case, without port) for this `path` (without query)."""
    return _BY_PLACE.get((host, path))
