"""The captive-portal API's URI, and whether networks may announce it now (RFC 8910).

Who is told of an API by DHCP or router advertisement asks it, and only afterwards, late, does what is done without one.
So it is announced only while devices would believe its certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from gateway.certificates import Trouble, trouble_with
from gateway.settings import Settings

API_PATH = "/captive-portal/api"
MAX_URI_BYTES = 255  # what a DHCPv4 option holds; the same URI goes by all three ways (RFC 8910 §2)

Reason = Literal["not_enforced", "not_https", "address", "too_long"] | Trouble


@dataclass(frozen=True)
class Announcement:
    """The URI, and why it is withheld (None: it is announced)."""

    uri: str
    withheld: Reason | None

    @property
    def shown(self) -> str | None:
        """The URI where it may be announced."""
        return self.uri if self.withheld is None else None


REMEDIES: Mapping[Reason, str] = MappingProxyType(
    {
        "not_enforced": "enforcement.enabled is false: nothing is held back here",
        "not_https": "guests reach the portal without TLS; set portal.tls_certificate and portal.tls_key",
        "address": "the portal is known by an IP address; set portal.hostname to a name with a certificate",
        "too_long": f"it is longer than {MAX_URI_BYTES} bytes; choose a shorter portal.public_url",
        "none": "there is no certificate; set portal.tls_certificate and portal.tls_key",
        "unreadable": "the certificate can't be read; correct portal.tls_certificate or its mode",
        "expired": "the certificate has expired; renew it, no restart is needed",
        "not_yet": "the certificate is not valid yet; check this machine's clock",
        "other_name": "the certificate is for another name; get one for the portal's own",
        "self_signed": "the certificate vouches for itself, which no phone believes; get one of a known authority",
    }
)
"""Reason → what it is and what to do, for the log and the command line."""


def announcement(settings: Settings, now: datetime) -> Announcement:
    """What networks of this installation may announce at `now`. Reads the certificate's file."""
    uri = f"{settings.public_url}{API_PATH}"
    return Announcement(uri, _reason(settings, uri, now))


def _reason(settings: Settings, uri: str, now: datetime) -> Reason | None:
    host = urlsplit(uri).hostname or ""
    if not settings.enforcement.enabled:
        return "not_enforced"
    if not uri.startswith("https://"):
        return "not_https"
    if _is_address(host):
        return "address"
    if len(uri.encode()) > MAX_URI_BYTES:
        return "too_long"
    return trouble_with(settings.portal.tls_certificate, host, now)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
