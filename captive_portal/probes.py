"""How operating systems ask "am I online?": host, path and the answer that each takes for yes.

Before a device has accepted, every one of these is answered 302 to the portal: the one status that all systems take for
"portal" (Android takes 511, an empty 200 and every error for "broken", and shows no login window). Afterwards they
normally pass us by on their way to the internet; one that still reaches us gets the answer in this table.

Sources: Android NetworkMonitor; Apple and Microsoft NCSI as documented; Firefox `network.captive-portal-service`;
NetworkManager's connectivity settings as packaged by each distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Answer:
    """What the system expects when it is online."""

    status: int = 204
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """One connectivity check: `GET http://host/path`."""

    system: str
    host: str
    path: str
    online: Answer


_EMPTY_204: Final = Answer()
_APPLE: Final = Answer(
    200, b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>\n", content_type="text/html"
)
_FIREFOX: Final = Answer(
    200,
    b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>',
    content_type="text/html",
)
_NETWORK_MANAGER: Final = Answer(200, b"NetworkManager is online\n", headers={"X-NetworkManager-Status": "online"})

PROBES: Final = (
    Probe("Android", "connectivitycheck.gstatic.com", "/generate_204", _EMPTY_204),
    Probe("Android", "www.google.com", "/gen_204", _EMPTY_204),
    Probe("Android", "www.google.com", "/generate_204", _EMPTY_204),
    Probe("Android", "play.googleapis.com", "/generate_204", _EMPTY_204),
    Probe("Android", "clients3.google.com", "/generate_204", _EMPTY_204),
    Probe("Android", "connectivitycheck.android.com", "/generate_204", _EMPTY_204),
    Probe("ChromeOS", "www.gstatic.com", "/generate_204", _EMPTY_204),
    Probe("Huawei", "connectivitycheck.platform.hicloud.com", "/generate_204", _EMPTY_204),
    Probe("Xiaomi", "connect.rom.miui.com", "/generate_204", _EMPTY_204),
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
    Probe("Ubuntu", "connectivity-check.ubuntu.com", "/", Answer(headers={"X-NetworkManager-Status": "online"})),
    Probe("Fedora", "fedoraproject.org", "/static/hotspot.txt", Answer(200, b"OK\n")),
    Probe("KDE", "networkcheck.kde.org", "/", Answer(200, b"OK\n")),
)

_BY_PLACE: Final = {(probe.host, probe.path): probe for probe in PROBES}


def find(host: str, path: str) -> Probe | None:
    """The check that asks this `host` (lower case, without port) for this `path` (without query)."""
    return _BY_PLACE.get((host, path))
