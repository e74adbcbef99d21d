"""Pages that a guest may read at any time: the rules, what is closed, what is recorded, and how accessible they are."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import hosts, troubles
from captive_portal.guest.closed import overview
from captive_portal.guest.courses import CourseDoors
from captive_portal.guest.notice import Notices
from captive_portal.guest.policy_reader import PolicyReader
from captive_portal.guest.qr import qr_code
from captive_portal.guest.site import Site, shown_rules, visit
from gateway.access.status import NOT_ACCEPTED, device_status
from gateway.storage import rules


class ReadingPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site, policy: PolicyReader, doors: CourseDoors) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place
        self._notices = Notices(site)
        self._policy = policy
        self._doors = doors
        self._hosts = hosts.HostPages(site)

    def rules(self, request: Request) -> Response:
        """`GET /rules`: the version in force and those that come into force later, for anyone."""
        who = visit(self._site, request)
        with self._database.read() as session:
            group_key = self._site.group_in(session, who.neighbour)
            owner_id = self._place.owner_id
            version = rules.version_in_force(session, owner_id, group_key, now=who.now)
            coming = rules.coming(session, owner_id, group_key, now=who.now)
        if version is None:
            return troubles.not_ready(who)
        language = who.translator.language
        later = [(each, shown_rules(each, language)) for each in coming]
        return who.page("rules.html", rules=shown_rules(version, language), version=version, later=later)

    def privacy(self, request: Request) -> Response:
        """`GET /privacy`: what is recorded of a guest, why, by which right and for how long, for anyone."""
        who = visit(self._site, request)
        with self._database.read() as session:
            group_key = self._site.group_in(session, who.neighbour)
            door = self._doors.now(session, group_key, who.now, host_instead=self._hosts.needed(group_key))
            notice = self._notices.current(session, group_key, code_asked=door.asked != "no")
        return who.page("privacy.html", notice=notice)

    def closed(self, request: Request) -> Response:
        """`GET /closed`: what is closed for this device now, or once it has accepted, why, and whom to ask."""
        who = visit(self._site, request)
        with self._database.read() as session:
            status = (
                device_status(session, self._place, who.neighbour, who.now)
                if who.neighbour is not None
                else NOT_ACCEPTED
            )
            group = status.group_key or self._site.group_in(session, who.neighbour)
        closed = overview(self._policy.in_force, group or "default", who.translator, who.now)
        return who.page("closed.html", closed=closed)

    def accessibility(self, request: Request) -> Response:
        """`GET /accessibility`: where the statement is, as a link and for a device that is online, and whom to tell."""
        who = visit(self._site, request, identify=False)
        statement = self._site.services.settings.portal.accessibility_statement
        return who.page("accessibility.html", qr=qr_code(statement) if statement else None)
