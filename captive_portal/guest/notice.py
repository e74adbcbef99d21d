"""What a guest is told before they accept of what is recorded of them (GDPR article 13): the facts behind the words.

The words stand in the templates `privacy.html`, whole, and `welcome.html`, the first layer of it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date

from captive_portal.guest import form
from captive_portal.guest.site import Site
from gateway.audit.periods import parse_period
from gateway.clock import MUNICIPAL_ZONE
from gateway.collection import top_name_groups
from gateway.settings import Privacy, Settings
from gateway.storage import dns_counters, exemption_requests, generations
from gateway.storage.engine import Session
from gateway.terms.notice import blanks


class NamesKept:
    """Whether the policy in force has names of websites kept for any group; read anew when a policy is published.

    Any group counts, also where this guest's own is another: a course code can put them into it afterwards.
    """

    def __init__(self, owner_id: str) -> None:
        self._owner_id = owner_id
        self._lock = threading.Lock()
        self._known: tuple[int, bool] = (-1, False)

    def now(self, session: Session) -> bool:
        """As the policy in force says."""
        number = generations.newest(session, self._owner_id)
        with self._lock:
            known, kept = self._known
        if known != number:
            kept = bool(top_name_groups(session, self._owner_id))
            with self._lock:
                self._known = (number, kept)
        return kept


@dataclass(frozen=True)
class Notice:
    """The facts. `blanks` are settings that the municipality has not filled in: with any, it is only an example."""

    privacy: Privacy
    blanks: tuple[str, ...]
    asked: frozenset[form.Field]
    kept_until: date
    names_kept: bool
    name_required: bool = True
    """Whether there is no access without a name, where one is asked for."""
    hosts_asked: bool = False
    """Whether guests may have to ask a host, who is told their name and organisation by mail."""
    traffic_days: int | None = 0
    """For how long after the access it is kept how much a device sent and received; None where that is not counted."""
    requests_days: int = exemption_requests.KEPT_DAYS
    counters_days: int = dns_counters.KEEP_ANSWERS.days


class Notices:
    """The notice of one site as it stands now."""

    def __init__(self, site: Site) -> None:
        self._settings: Settings = site.services.settings
        self._clock = site.services.clock
        self._names_kept = NamesKept(site.services.place.owner_id)

    def current(self, session: Session, group_key: str = "", *, code_asked: bool = False) -> Notice:
        """For who accepts now, in a group. `code_asked`: a course code is, as while a course is open."""
        asked = self._settings.portal.asked(group_key)
        over = parse_period(self._settings.privacy.acceptances).end(self._clock(), MUNICIPAL_ZONE)
        return Notice(
            privacy=self._settings.privacy,
            blanks=tuple(f"privacy.{key}" for key in blanks(self._settings.privacy)),
            asked=frozenset(field for field, need in asked.items() if need != "no")
            | ({"course_code"} if code_asked else frozenset()),
            kept_until=over.astimezone(MUNICIPAL_ZONE).date(),
            names_kept=self._names_kept.now(session),
            name_required=asked["name"] == "required",
            hosts_asked=bool(self._settings.hosts.groups),
            traffic_days=self._settings.privacy.traffic_days if self._settings.enforcement.enabled else None,
        )
