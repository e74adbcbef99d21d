"""The page with the rules and the form: fresh, or once more with what was typed and what to correct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import Response

from captive_portal.guest import courses, form, hosts, troubles
from captive_portal.guest.closed import Overview, overview
from captive_portal.guest.guard import Known
from captive_portal.guest.notice import Notice, Notices
from captive_portal.guest.policy_reader import PolicyReader
from captive_portal.guest.site import Site, shown_rules
from captive_portal.security import FORM_LIFETIME
from gateway.settings import Asked as Need
from gateway.storage import rules
from gateway.storage.engine import Session
from gateway.storage.models import RulesVersion

Told = Literal["", "signed_off", "more_asked"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of the database, for the group of the device's network."""

    group_key: str
    version: RulesVersion | None
    notice: Notice
    closed: Overview
    door: courses.Door
    hosts: hosts.Choice | None


class FormPage:
    """The page, over one site."""

    def __init__(
        self, site: Site, policy: PolicyReader, doors: courses.CourseDoors, host_pages: hosts.HostPages
    ) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place
        self._notices = Notices(site)
        self._policy, self._doors, self._hosts = policy, doors, host_pages

    def shown(self, session: Session, known: Known) -> Shown:
        """What stands on it now. Raises: StorageUnavailableError."""
        who = known.who
        group_key = self._site.group_in(session, known.neighbour)
        host_needed = self._hosts.needed(group_key)
        door = self._doors.now(session, group_key, who.now, host_instead=host_needed)
        return Shown(
            group_key,
            rules.version_in_force(session, self._place.owner_id, group_key, now=who.now),
            self._notices.current(session, group_key, code_asked=door.asked != "no"),
            overview(self._policy.in_force, group_key or "default", who.translator, who.now),
            door,
            hosts.choice(self._site.services.settings) if host_needed else None,
        )

    def asked(self, group_key: str, door: courses.Door, fields: Mapping[str, str]) -> dict[form.Field, Need]:
        """The fields of the form; no code is needed of who has chosen the course by its title."""
        chosen = door.by_title and bool(fields.get("course"))
        asked = self._site.services.settings.portal.asked(group_key)
        asked["course_code"] = "optional" if chosen else door.asked
        return asked

    def again(
        self,
        known: Known,
        status: int,
        fields: Mapping[str, str],
        errors: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The page with what was typed, and what to correct by field. Raises: StorageUnavailableError."""
        with self._database.read() as session:
            shown = self.shown(session, known)
        return self.page(known, shown, status=status, fields=fields, errors=errors, headers=headers)

    def page(
        self,
        known: Known,
        shown: Shown,
        *,
        status: int = 200,
        fields: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        told: Told = "",
    ) -> Response:
        """The page as `shown` has it; where there are no rules, that the network is not ready."""
        who = known.who
        if shown.version is None:
            return troubles.not_ready(who)
        text = shown_rules(shown.version, who.translator.language)
        expires_at = who.now + FORM_LIFETIME
        token = self._site.signer.sign("accept", known.neighbour.mac, shown.version.id, text.language, expires_at)
        asked = self.asked(shown.group_key, shown.door, {})
        values: dict[str, Any] = {"rules": text, "asked": asked, "notice": shown.notice, "closed": shown.closed}
        values |= {"door": shown.door, "hosts": shown.hosts, "told": told}
        values |= {"typed": form.shown_again(fields or {}), "errors": errors or {}}
        if fields is None and not errors:
            return who.page("welcome.html", status=status, headers=headers, gaps={"token": token}, **values)
        return who.page("welcome.html", status=status, headers=headers, token=token, **values)
