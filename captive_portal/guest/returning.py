"""Coming back: a device that is known accepts with one button, and sees what is new when the rules have changed.

The page does not say who accepted before: the address of a device can be copied.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import courses, guard, troubles
from captive_portal.guest.notice import Notices
from captive_portal.guest.site import Site, Visit, see_other, shown_rules
from captive_portal.security import FORM_LIFETIME, Claims
from gateway.access.accept import Accepted, Refused
from gateway.access.recognised import NotRecognised, Reading, come_back, earlier, may_return, terms_of
from gateway.storage import rules
from gateway.storage.models import RulesVersion
from gateway.terms.changes import Changes, changes


class ReturnPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site, notices: Notices | None = None) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place
        self._terms = terms_of(site.services.settings)
        self._notices = notices or Notices(site)

    def page(self, who: Visit, *, signed_off: bool = False) -> Response | None:
        """The page with the one button; None for a device that is not known. Raises: StorageUnavailableError."""
        if who.neighbour is None or not self._terms.within:
            return None
        with self._database.read() as session:
            before = earlier(session, self._place, who.neighbour.mac, self._terms.within, who.now)
            if before is None:
                return None
            group_key = self._site.group_in(session, who.neighbour)
            version = rules.version_in_force(session, self._place.owner_id, group_key, now=who.now)
            if version is None:
                return None
            if not may_return(session, self._place, who.neighbour, before, self._terms, who.now):
                return None
            old, notice = before.rules_version, self._notices.current(session, group_key)
        shown = shown_rules(version, who.translator.language)
        subject = f"{version.id}:{before.id}"
        return who.page(
            "return.html",
            signed_off=signed_off,
            accepted_at=before.accepted_at,
            changed=old.id != version.id,
            changes=_changes(old, version, shown.language) if old.id != version.id else None,
            version=version,
            rules=shown,
            notice=notice,
            token=self._site.signer.sign("return", who.neighbour.mac, subject, shown.language, who.now + FORM_LIFETIME),
        )

    def show(self, request: Request) -> Response:
        """`GET /return`: the page also for a device that is online under earlier rules, to go on under the new ones."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who = known.who
        status = who.status()
        if status.state != "not_accepted":
            with self._database.read() as session:
                group_key = self._site.group_in(session, known.neighbour)
                version = rules.version_in_force(session, self._place.owner_id, group_key, now=who.now)
            if version is None or status.version_id in (None, version.id):
                return see_other(who.link("/status"))
        return self.page(who) or see_other(who.link("/"))

    def accept(self, request: Request) -> Response:
        """`POST /return`: one acceptance and one grant. What can't be used any more leads to the page as it is now."""
        sent = guard.form(self._site, request)
        if isinstance(sent, Response):
            return sent
        who = sent.who
        claims = self._site.signer.verify(sent.fields.get("token", ""), "return", sent.neighbour.mac, who.now)
        if not isinstance(claims, Claims):
            return see_other(who.link("/"))
        version_id, _, acceptance_id = claims.subject.partition(":")
        reading = Reading(version_id, claims.language, who.address, who.now)
        with self._database.write() as session:
            outcome = come_back(session, self._place, sent.neighbour, acceptance_id, reading, self._terms)
        return answer(who, outcome)


def answer(who: Visit, outcome: Accepted | Refused | NotRecognised) -> Response:
    """On to the status page; or what is in the way; or back to the page as it is now."""
    if isinstance(outcome, Accepted):
        return see_other(who.link("/status"))
    if isinstance(outcome, NotRecognised):
        if outcome.reason == "too_many":
            return too_many(who)
        return see_other(who.link("/form", more_asked="1") if outcome.reason == "more_asked" else who.link("/"))
    if (refused := courses.refusal(who.translator, outcome.reason)) is not None:
        return _no_seat(who, refused)
    return see_other(who.link("/")) if outcome.reason == "rules_changed" else troubles.not_ready(who)


def _no_seat(who: Visit, refused: str) -> Response:
    """The person's course has no room for this device, or has ended meanwhile."""
    t = who.translator
    onward = ("/form", t("To the front page"))
    return troubles.told(who, 409, t("This device could not join the course"), f"{refused}.", onward=onward)


def too_many(who: Visit) -> Response:
    """The person has as many devices online as they may."""
    t = who.translator
    text = t("End the access of one of them first. You can do it on the status page of another device.")
    return troubles.told(who, 409, t("You have as many devices online as you may have"), text)


def _changes(old: RulesVersion, new: RulesVersion, language: str) -> Changes | None:
    before, now = ({text.language: text.markdown for text in version.texts} for version in (old, new))
    return changes(before, now, (language, new.binding_language))
