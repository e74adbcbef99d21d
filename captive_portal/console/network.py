"""The guest networks, how each is switched, and how devices find the guest pages:
what DHCP and routers may announce (RFC 8910), or why not and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.announcement import Announcement, Reason, announcement
from gateway.announcement_files import FILES, FOLDER
from gateway.certificates import SOON, ends_at
from gateway.storage import outages

SYSTEMS: Mapping[str, str] = MappingProxyType(
    {
        "dnsmasq.conf": "dnsmasq",
        "kea-dhcp4.json": "Kea DHCPv4",
        "kea-dhcp6.json": "Kea DHCPv6",
        "networkd.conf": "systemd-networkd",
        "radvd.conf": "radvd",
    }
)
WHY: Mapping[Reason, str] = MappingProxyType(
    {
        "not_enforced": N_("This installation does not control a network, so there is nothing to announce."),
        "not_https": N_("The guest pages have no encryption. Set portal.tls_certificate and portal.tls_key."),
        "address": N_("The portal is known by an IP address. Set portal.hostname to a name that has a certificate."),
        "too_long": N_("The address is longer than 255 bytes. Choose a shorter one in portal.public_url."),
        "none": N_(
            "There is no certificate. Get one for the portal’s name and set portal.tls_certificate and portal.tls_key."
        ),
        "unreadable": N_("The certificate can’t be read. Correct portal.tls_certificate, or who may read the file."),
        "expired": N_("The certificate has expired. Renew it; nothing has to be restarted."),
        "not_yet": N_("The certificate is not valid yet. Check the clock of this machine."),
        "other_name": N_("The certificate is for another name. Get one for the portal’s own name."),
        "self_signed": N_("The certificate vouches for itself, which no phone believes. Get one of a known authority."),
    }
)
"""Reason → what it is and what to do, as the console says it."""


def show(visit: Visit) -> Response:
    """GET /network"""
    settings = visit.services.settings
    found = announcement(settings, visit.now)
    ends = ends_at(settings.portal.tls_certificate)
    return visit.page(
        "network.html",
        announced=found,
        why=why(found),
        ends=ends,
        soon=ends is not None and visit.now < ends < visit.now + SOON,
        files=[(SYSTEMS[name], f"{FOLDER}/{name}", render(found.uri)) for name, render in FILES.items()],
        by_router=settings.enforcement.advertise_portal,
        networks=outages.networks(visit.session, visit.services.place.owner_id, visit.now),
        enforced=settings.enforcement.enabled,
        notice=visit.query.get("notice", ""),
    )


def why(found: Announcement) -> str:
    """The English text of why it is withheld; nothing where it is announced."""
    return "" if found.withheld is None else WHY[found.withheld]


def warning(visit: Visit) -> str:
    """What IT's first page warns of; nothing where all is well, or nothing is controlled, which it says itself."""
    found = announcement(visit.services.settings, visit.now)
    return "" if found.withheld == "not_enforced" else why(found)
