"""Guests' operating systems, each with its own rules for "portal", "online" or neither: run on a guest's device.

`python -m tests.lab.verdicts PLAN`, PLAN being JSON: `apis` (URIs as from DHCP, "" for none: each system is asked once
with each), `systems` (all when empty), `scale` (of every system's own time limits) and `give_up_s` (until a person puts
the phone away). Prints JSON: for each API, system to `Verdict`. The rules are written from what each system does, apart
from the product's table of answers.

Whoever says "portal" then opens the login window as that system does: without the form in it the verdict is "broken".
"""

from __future__ import annotations

import functools
import http.client
import json
import socket
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

LIMIT_S = 10.0
MOST_REDIRECTS = 5
API_CHARS = 4096
FORM = 'action="/accept'


@dataclass(frozen=True)
class Got:
    """One answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


@dataclass(frozen=True)
class Verdict:
    """What the system concludes, by which means ("api" or "probe"), where its login window opens, and how soon."""

    says: str
    by: str = "probe"
    login: str = ""
    took_s: float = 0.0
    info: str = ""


@functools.cache
def _resolve(host: str) -> list[tuple[Any, ...]]:
    """As a device's own cache does, so that thirty systems on one device stay within what one may ask."""
    return list(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))


@functools.cache
def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass
class Device:
    """A client of the network under test."""

    api: str
    scale: float = 1.0

    def get(self, url: str, limit_s: float = LIMIT_S, accept: str = "*/*", family: int = 0) -> Got | None:
        """GET without following redirects; None when no HTTP answer comes in time, or TLS does not hold."""
        parts = urlsplit(url)
        secure, host = parts.scheme == "https", parts.hostname or ""
        try:
            connected = self._connect(host, parts.port or (443 if secure else 80), limit_s, family)
            with connected if not secure else _trusting().wrap_socket(connected, server_hostname=host) as channel:
                return self._ask(channel, host, url, parts.path or "/", accept)
        except (OSError, http.client.HTTPException):  # TLS errors are OSErrors
            return None

    def follow(self, url: str, limit_s: float = LIMIT_S, accept: str = "*/*") -> Got | None:
        """GET as a browser does."""
        for _ in range(MOST_REDIRECTS):
            got = self.get(url, limit_s, accept)
            if got is None or got.status not in (301, 302, 303, 307, 308) or "location" not in got.headers:
                return got
            url = urljoin(url, got.headers["location"])
        return None

    def capport(self, limit_s: float, accept: str, *, secure_login: bool) -> dict[str, object] | None:
        """RFC 8908 as strictly as clients are: HTTPS all the way, 200, `captive`, and where to go when it is true."""
        if not self.api.startswith("https://"):
            return None
        got = self.follow(self.api, limit_s, accept)
        if got is None or got.status != 200 or not got.url.startswith("https://"):
            return None
        try:
            told = json.loads(got.body.decode()[:API_CHARS])
        except ValueError:
            return None
        if not isinstance(told, dict) or not isinstance(told.get("captive"), bool):
            return None
        login = told.get("user-portal-url")
        if told["captive"] and not isinstance(login, str):
            return None
        if secure_login and not str(login).startswith("https://"):
            return None
        return told

    def addresses(self, host: str) -> list[str]:
        """What DNS says."""
        try:
            return sorted({str(found[4][0]) for found in _resolve(host)})
        except OSError:
            return []

    def _connect(self, host: str, port: int, limit_s: float, family: int) -> socket.socket:
        found = next((each for each in _resolve(host) if family in (0, each[0])), None)
        if found is None:
            raise OSError(f"{host}: no address of this family")
        made = socket.socket(found[0], socket.SOCK_STREAM)
        made.settimeout(limit_s * self.scale)
        try:
            made.connect((found[4][0], port))
        except OSError:
            made.close()
            raise
        return made

    def _ask(self, connected: socket.socket, host: str, url: str, path: str, accept: str) -> Got:
        connection = http.client.HTTPConnection(host)
        connection.sock = connected
        connection.request("GET", path, headers={"Accept": accept, "User-Agent": "lab", "Connection": "close"})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, headers, answer.read(1 << 16), url)


def _portal(url: str, by: str = "probe", info: str = "") -> Verdict:
    return Verdict("portal", by, url, info=info)


ONLINE, NOTHING = Verdict("online"), Verdict("broken")


def android(http: str, https: str | None, fallbacks: tuple[str, ...] = ()) -> Callable[[Device], Verdict]:
    """NetworkMonitor: the API first, then the HTTP and HTTPS probes, then the fallbacks."""

    def probe(device: Device, url: str) -> Got | None:
        return device.get(url)

    def judge(device: Device) -> Verdict:
        told = device.capport(10, "*/*", secure_login=False)
        info = str((told or {}).get("venue-info-url", ""))
        if told is not None and told["captive"]:
            return _portal(str(told["user-portal-url"]), "api", info)
        found = device.addresses(urlsplit(http).hostname or "")
        if not found or any(ip_address(each).is_private and not _is_documentation(each) for each in found):
            return NOTHING  # a name of the internet that leads inside: no validation, and no portal shown
        plain = probe(device, http)
        kind = _android_kind(plain)
        if kind == "portal":
            assert plain is not None
            return _portal(urljoin(http, plain.headers.get("location", http)), info=info)
        secure = None if https is None else probe(device, https)
        if kind == "online" and (https is None or _android_kind(secure) == "online"):
            return Verdict("online", info=info)
        for each in fallbacks:
            got = probe(device, each)
            if _android_kind(got) == "portal":
                assert got is not None
                return _portal(urljoin(each, got.headers.get("location", each)))
        return NOTHING

    return judge


def _android_kind(got: Got | None) -> str:
    if got is None:
        return "failed"
    if got.status == 204:
        return "online"
    if got.status == 200 and len(got.body) <= 4:
        return "failed"
    return "portal" if 200 <= got.status <= 399 else "failed"


def _is_documentation(address: str) -> bool:
    """The lab's internet has addresses that Python counts as private."""
    return address.startswith(("203.0.113.", "198.51.100.", "2001:db8:ffff:"))


def chrome_os(device: Device) -> Verdict:
    """shill: the API with five seconds of patience and HTTPS login pages only, then both probes."""
    told = device.capport(5, "application/captive+json", secure_login=True)
    if told is not None and told["captive"]:
        return _portal(str(told["user-portal-url"]), "api")
    url = "http://www.gstatic.com/generate_204"
    got = device.get(url)
    if got is None:
        return NOTHING
    if got.status in (302, 307) and "location" in got.headers:
        return _portal(urljoin(url, got.headers["location"]))
    if got.status == 200 and got.body:
        return _portal(url)
    secure = device.get("https://www.google.com/generate_204")
    return ONLINE if got.status == 204 and secure is not None and secure.status == 204 else NOTHING


def apple(device: Device) -> Verdict:
    """Captive Network Assistant: the API instead of the probe where it holds, else the page of success."""
    told = device.capport(10, "application/captive+json, application/json;q=0.5", secure_login=False)
    if told is not None:
        return _portal(str(told["user-portal-url"]), "api") if told["captive"] else Verdict("online", "api")
    url = "http://captive.apple.com/hotspot-detect.html"
    got = device.get(url)
    if got is None:
        return NOTHING
    if got.status == 200 and b"<BODY>Success</BODY>" in got.body:
        return ONLINE
    return _portal(urljoin(url, got.headers.get("location", url)))


def windows(device: Device) -> Verdict:
    """NCSI: both families, the text to the letter; a hotspot is opened by way of /redirect."""
    names = (("www.msftconnecttest.com", socket.AF_INET), ("ipv6.msftconnecttest.com", socket.AF_INET6))
    answers = [device.get(f"http://{name}/connecttest.txt", family=family) for name, family in names]
    expected = [got is not None and got.status == 200 and got.body == b"Microsoft Connect Test" for got in answers]
    if all(expected):
        return ONLINE
    if any(got is not None for got in answers):
        return _portal("http://www.msftconnecttest.com/redirect")
    return NOTHING


def windows_7(device: Device) -> Verdict:
    """NCSI of old: the text, and a name with a certain address."""
    got = device.get("http://www.msftncsi.com/ncsi.txt")
    if got is None or "131.107.255.255" not in device.addresses("dns.msftncsi.com"):
        return NOTHING
    return ONLINE if got.body == b"Microsoft NCSI" else _portal("http://www.msftncsi.com/")


def firefox(device: Device) -> Verdict:
    """The browser's own service: one page, to the letter."""
    url = "http://detectportal.firefox.com/canonical.html"
    expected = b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'
    got = device.get(url)
    if got is None:
        return NOTHING
    return ONLINE if got.status == 200 and got.body.strip() == expected else _portal(url)


def network_manager(url: str, expected: bytes = b"NetworkManager is online") -> Callable[[Device], Verdict]:
    """NetworkManager's connectivity check: a header or the beginning of the body; all else is a portal."""

    def judge(device: Device) -> Verdict:
        got = device.get(url)
        if got is None:
            return NOTHING
        if got.headers.get("x-networkmanager-status") == "online":
            return ONLINE
        if not expected:
            return ONLINE if got.status == 204 or (got.status == 200 and not got.body) else _portal(url)
        return ONLINE if got.status == 200 and got.body.startswith(expected) else _portal(url)

    return judge


def holds(url: str, mark: bytes) -> Callable[[Device], Verdict]:
    """One page that holds `mark`: Kindle, KDE."""

    def judge(device: Device) -> Verdict:
        got = device.get(url)
        if got is None:
            return NOTHING
        return (
            ONLINE
            if got.status == 200 and mark in got.body
            else _portal(urljoin(url, got.headers.get("location", url)))
        )

    return judge


def nintendo(url: str) -> Callable[[Device], Verdict]:
    """A console: the header of its maker."""

    def judge(device: Device) -> Verdict:
        got = device.get(url)
        if got is None:
            return NOTHING
        is_theirs = got.status == 200 and got.headers.get("x-organization") == "Nintendo"
        return ONLINE if is_theirs else _portal(urljoin(url, got.headers.get("location", url)))

    return judge


_GOOGLE = "https://www.google.com/generate_204"
_FALLBACKS = ("http://www.google.com/gen_204", "http://play.googleapis.com/generate_204")
_FIRE, _GRAPHENE = "fireoscaptiveportal.com/generate_204", "connectivitycheck.grapheneos.network/generate_204"
SYSTEMS: dict[str, Callable[[Device], Verdict]] = {
    "Android": android("http://connectivitycheck.gstatic.com/generate_204", _GOOGLE, _FALLBACKS),
    "Android, older": android("http://connectivitycheck.android.com/generate_204", None, (_FALLBACKS[0],)),
    "Samsung": android("http://connectivity.samsung.com.cn/generate_204", _GOOGLE, _FALLBACKS),
    "Huawei": android("http://connectivitycheck.platform.hicloud.com/generate_204", None),
    "Huawei, newer": android("http://connectivitycheck.cbg-app.huawei.com/generate_204", None),
    "Xiaomi": android("http://connect.rom.miui.com/generate_204", None),
    "OPPO": android("http://conn1.oppomobile.com/generate_204", None, ("http://conn2.oppomobile.com/generate_204",)),
    "vivo": android("http://wifi.vivo.com.cn/generate_204", None),
    "GrapheneOS": android(f"http://{_GRAPHENE}", f"https://{_GRAPHENE}"),
    "Fire OS": android(f"http://{_FIRE}", f"https://{_FIRE}"),
    "Edge": android("http://edge-http.microsoft.com/captiveportal/generate_204", None),
    "ChromeOS": chrome_os,
    "iOS and macOS": apple,
    "Windows": windows,
    "Windows 7": windows_7,
    "Firefox": firefox,
    "GNOME": network_manager("http://nmcheck.gnome.org/check_network_status.txt"),
    "Debian": network_manager("http://network-test.debian.org/nm"),
    "Arch Linux": network_manager("http://ping.archlinux.org/nm-check.txt"),
    "Manjaro": network_manager("http://ping.manjaro.org/check_network_status.txt"),
    "openSUSE": network_manager("http://conncheck.opensuse.org/"),
    "Ubuntu": network_manager("http://connectivity-check.ubuntu.com/", b""),
    "Fedora": network_manager("http://fedoraproject.org/static/hotspot.txt", b"OK"),
    "Red Hat": network_manager("http://static.redhat.com/test/rhel-networkmanager.txt", b"OK"),
    "KDE": holds("http://networkcheck.kde.org/", b"OK"),
    "Kindle": holds(
        "http://spectrum.s3.amazonaws.com/kindle-wifi/wifistub.html", b"81ce4465-7167-4dcb-835b-dcc9e44c112a"
    ),
    "Nintendo": nintendo("http://ctest.cdn.nintendo.net/"),
    "Nintendo, older": nintendo("http://conntest.nintendowifi.net/"),
}
ASK_THE_API = ("Android", "Android, older", "Samsung", "Huawei", "Huawei, newer", "Xiaomi", "OPPO", "vivo",
               "GrapheneOS", "Fire OS", "Edge", "ChromeOS", "iOS and macOS")  # fmt: skip


def conclude(device: Device, judge: Callable[[Device], Verdict], give_up_s: float) -> Verdict:
    """The system's verdict and its login window, within a person's patience."""
    started = time.monotonic()
    verdict = judge(device)
    if verdict.says == "portal":
        page = device.follow(verdict.login)
        if page is None or page.status != 200 or FORM not in page.body.decode(errors="replace"):
            verdict = Verdict("broken", verdict.by, verdict.login)
    took_s = time.monotonic() - started
    says = verdict.says if took_s <= give_up_s else "none"
    return Verdict(says, verdict.by, verdict.login, round(took_s, 3), verdict.info)


def read_verdicts(text: str) -> dict[str, dict[str, Verdict]]:
    """What was printed."""
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return {api: {name: Verdict(**each) for name, each in told.items()} for api, told in found.items()}


def main(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every system in turn, as a device of its own, with each API."""
    told: dict[str, dict[str, Any]] = {}
    for api in plan.get("apis", [""]):
        device = Device(api, plan.get("scale", 1.0))
        told[api] = {
            name: asdict(conclude(device, SYSTEMS[name], plan.get("give_up_s", 30)))
            for name in plan.get("systems") or SYSTEMS
        }
    return told


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
