"""What stands before a page's own work: from which device it is asked, and whether a form is ours; else the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import troubles
from captive_portal.guest.posting import posted
from captive_portal.guest.site import Site, Visit, visit
from captive_portal.security import Claims, Purpose, is_cross_site
from gateway.link.neighbours import Neighbour


@dataclass(frozen=True)
class Known:
    """A visit of a device that the kernel knows."""

    who: Visit
    neighbour: Neighbour


@dataclass(frozen=True)
class Posted(Known):
    """A form that such a device has sent from one of our own pages."""

    fields: Mapping[str, str]


def device(site: Site, request: Request) -> Known | Response:
    """The visit; what an unknown device is told."""
    who = visit(site, request)
    return troubles.unknown_device(who) if who.neighbour is None else Known(who, who.neighbour)


def form(site: Site, request: Request) -> Posted | Response:
    """The visit and the fields of its form; what is told where there is no device, or no form of ours."""
    known = device(site, request)
    if isinstance(known, Response):
        return known
    found = fields_of(known.who)
    return found if isinstance(found, Response) else Posted(known.who, known.neighbour, found)


def fields_of(who: Visit) -> Mapping[str, str] | Response:
    """The fields of a form that was sent from one of our own pages; what is told of any other."""
    if is_cross_site(who.request.headers):
        return troubles.from_elsewhere(who)
    fields = posted(who.request)
    return troubles.not_a_form(who) if fields is None else fields


def pressed(known: Known, purpose: Purpose) -> Claims | None:
    """What a button was signed for; None for one that is stale, of another device, or pressed from another site."""
    request = known.who.request
    fields = None if is_cross_site(request.headers) else posted(request)
    token = (fields or {}).get("token", "")
    claims = known.who.site.signer.verify(token, purpose, known.neighbour.mac, known.who.now)
    return claims if isinstance(claims, Claims) else None
