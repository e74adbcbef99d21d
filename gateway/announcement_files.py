"""What DHCP servers beside us read of the captive-portal URI: one small file each, empty of it while it is withheld.

`jobs` keeps them in `announce/` of the state directory; the samples under `deploy/` include them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from gateway import durable
from gateway.announcement import REMEDIES, Announcement, announcement
from gateway.clock import Clock
from gateway.settings import Settings

log = logging.getLogger(__name__)

FOLDER = "announce"


def dnsmasq(uri: str | None) -> str:
    """For `conf-file=`; forced, since phones do not always ask for the options (RFC 8910 §2.1, §2.2)."""
    if uri is None:
        return ""
    return f"dhcp-option-force=114,{uri}\ndhcp-option-force=option6:103,{uri}\n"


def kea(name: str) -> Callable[[str | None], str]:
    """For `<?include "…"?>` in the scope of a server; `name` is Kea's of the option."""

    def render(uri: str | None) -> str:
        options = [] if uri is None else [{"name": name, "data": uri, "always-send": True}]
        return f'"option-data": {json.dumps(options)}\n'

    return render


def networkd(uri: str | None) -> str:
    """A drop-in of the `.network` file whose DHCP server is on."""
    return "" if uri is None else f"[DHCPServer]\nSendOption=114:string:{uri}\n"


def radvd(uri: str | None) -> str:
    """A line of radvd's `interface` block, by hand: radvd reads one file only (RFC 8910 §2.3)."""
    return "" if uri is None else f'AdvCaptivePortalAPI "{uri}";\n'


FILES: Mapping[str, Callable[[str | None], str]] = MappingProxyType(
    {
        "dnsmasq.conf": dnsmasq,
        "kea-dhcp4.json": kea("v4-captive-portal"),
        "kea-dhcp6.json": kea("v6-captive-portal"),
        "networkd.conf": networkd,
        "radvd.conf": radvd,
    }
)
"""File name → what it holds for a URI, or for none."""


class AnnouncementFiles:
    """The files, kept right: `poll` now and then."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._written: Announcement | None = None
        self._failed = ""

    def poll(self) -> None:
        """Write what has changed since the last look; each file is there whole or not at all."""
        found = announcement(self._settings, self._clock())
        if found == self._written:
            return
        folder = self._settings.state / FOLDER
        try:
            folder.mkdir(exist_ok=True)
            for name, render in FILES.items():
                durable.replace(Path(folder, name), render(found.shown).encode(), 0o644)
        except OSError as error:
            if str(error) != self._failed:
                self._failed = str(error)
                log.error("%s can't be written (%s); check the state directory", folder, error.strerror)
            return
        if found.withheld not in (None, "not_enforced"):
            log.warning("the captive-portal URI is withheld from DHCP and RA: %s", REMEDIES[found.withheld])
        elif self._written is not None:
            log.info("the captive-portal URI is announced: %s", found.uri)
        self._written, self._failed = found, ""
