"""Hosts on the guests' form: where a course code or a host is needed, whom a guest may ask, and the wait for an answer.

The addresses of named hosts are not shown. An address that the guest writes has to be of the municipality's own
domains: else guests would let themselves in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import guard
from captive_portal.guest.site import Site, Visit, see_other
from captive_portal.i18n import Translator
from captive_portal.security import Claims
from gateway.access import host_requests as access
from gateway.access.accept import Applicant
from gateway.access.host_requests import Asked, Host, NotAsked
from gateway.link.neighbours import Neighbour
from gateway.settings import Settings
from gateway.storage import host_requests
from gateway.storage.course_models import HostRequest
from gateway.storage.engine import Session

OTHER = "other"
REFRESH_S = 5
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@([A-Za-z0-9.-]{1,190})")

HostProblem = Literal["missing", "unknown", "elsewhere"]


@dataclass(frozen=True)
class Choice:
    """Whom a guest may ask: names with what the form sends for each, and whether they may write an address."""

    people: tuple[tuple[str, str], ...]
    by_address: bool


def choice(settings: Settings) -> Choice:
    """As the settings say."""
    people = tuple((f"p{number}", person.name) for number, person in enumerate(settings.hosts.people))
    return Choice(people, bool(settings.hosts.domains))


def read_host(settings: Settings, fields: Mapping[str, str]) -> Host | HostProblem:
    """Whom the guest asks."""
    chosen, written = fields.get("host", ""), fields.get("host_email", "").strip()
    for number, person in enumerate(settings.hosts.people):
        if chosen == f"p{number}":
            return Host(person.email, person.name)
    if not written or not settings.hosts.domains:
        return "missing"
    address = _ADDRESS.fullmatch(written)
    if address is None:
        return "unknown"
    if address[1].lower() not in {domain.lower() for domain in settings.hosts.domains}:
        return "elsewhere"
    return Host(written.lower())


def message(t: Translator, problem: HostProblem) -> str:
    """What to correct."""
    return {
        "missing": t("Say who your host is, or write a course code."),
        "unknown": t("Write the host’s e-mail address, as in kari@kommune.no."),
        "elsewhere": t("The host’s e-mail address must be one of the municipality’s own."),
    }[problem]


class HostPages:
    """Asking a host, and waiting for the answer, on one site."""

    def __init__(self, site: Site) -> None:
        self._settings = site.services.settings
        self._database, self._place = site.services.database, site.services.place
        self._site = site
        self._wait = timedelta(minutes=self._settings.hosts.wait_minutes)

    def needed(self, group_key: str) -> bool:
        """Whether a guest on a network of this group needs a host, or a course code."""
        return group_key in self._settings.hosts.groups

    def pending(self, session: Session, neighbour: Neighbour, now: datetime) -> HostRequest | None:
        """The device's latest request, while what came of it is worth showing."""
        if not self._settings.hosts.groups:
            return None
        return host_requests.newest_of(session, self._place.owner_id, neighbour.mac, now - 2 * self._wait)

    def is_waiting(self, session: Session, neighbour: Neighbour, now: datetime) -> bool:
        """Whether the device waits for a host's answer."""
        found = self.pending(session, neighbour, now)
        return found is not None and found.answer == "" and found.expires_at > now

    def ask(self, who: Visit, applicant: Applicant, host: Host, claims: Claims) -> Asked | NotAsked:
        """Put the guest's request down. Raises: StorageUnavailableError."""
        assert who.neighbour is not None
        with self._database.write() as session:
            return access.ask(
                session,
                self._place,
                who.neighbour,
                applicant,
                host,
                version_id=claims.subject,
                language=claims.language,
                address=who.address,
                wait=self._wait,
                now=who.now,
            )

    def waiting(self, request: Request) -> Response:
        """`GET /waiting`: loads itself again until the host has answered, or the time is over."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who = known.who
        if who.status().has_access:
            return see_other(who.link("/status"))
        with self._database.read() as session:
            found = self.pending(session, known.neighbour, who.now)
        if found is None:
            return see_other(who.link("/"))
        state = "denied" if found.answer == "denied" else "waiting"
        if found.answer == "approved" or (found.answer == "" and found.expires_at <= who.now):
            state = "over"  # a yes whose access has ended, or none in time
        return who.page(
            "waiting.html",
            headers={"Refresh": f"{REFRESH_S}; url={who.link('/waiting')}"} if state == "waiting" else None,
            state=state,
            host=found.host_name or found.host_email,
            until=found.expires_at,
            unmailed=bool(found.mail_error) and found.mailed_at is None,
            again=who.link("/", again="1"),
        )
