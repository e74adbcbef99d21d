"""Coming back: a device that is known accepts with one button, and sees what is new when the rules have changed.

The page does not say who accepted before: the address of a device can be copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import courses, form, guard, troubles, withheld
from captive_portal.guest.form_words import RULES_CHANGED, USED_UP, messages
from captive_portal.guest.guard import Posted
from captive_portal.guest.notice import Notices
from captive_portal.guest.site import Site, Visit, see_other, shown_rules
from captive_portal.security import FORM_LIFETIME, Claims
from gateway.access.accept import Accepted, Refused
from gateway.access.courses import Sought
from gateway.access.recognised import (
    NotRecognised,
    Reading,
    come_back,
    course_again,
    earlier,
    known_by,
    may_return,
    terms_of,
)
from gateway.access.status import Status
from gateway.storage import rules
from gateway.storage.models import RulesVersion
from gateway.terms.changes import Changes, changes


class ReturnPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site, doors: courses.CourseDoors, notices: Notices | None = None) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place
        self._terms = terms_of(site.services.settings)
        self._doors, self._notices = doors, notices or Notices(site)

    def page(
        self,
        who: Visit,
        *,
        signed_off: bool = False,
        access: Status | None = None,
        status: int = 200,
        fields: Mapping[str, str] | None = None,
        errors: Mapping[str, str] = MappingProxyType({}),
        headers: Mapping[str, str] | None = None,
    ) -> Response | None:
        """The page with the one button, and a field for a course's code while one is open: another one, where the guest
        is at one again by the button. None for a device that is not known, and where there is nothing to press it for.

        `access`: what it has as it is; under the rules in force there is nothing but to join.
        Raises: StorageUnavailableError.
        """
        online, online_until = access is not None, access.ends_at if access is not None else None
        if who.neighbour is None or not (self._terms.within or online):
            return None
        with self._database.read() as session:
            find = known_by if online else earlier
            before = find(session, self._place, who.neighbour, self._terms.within, who.now)
            if before is None:
                return None
            group_key = self._site.group_in(session, who.neighbour)
            version = rules.version_in_force(session, self._place.owner_id, group_key, now=who.now)
            if version is None:
                return None
            door = self._doors.now(session, group_key, who.now)
            asked = (session, self._place, who.neighbour, before, self._terms, who.now)
            alone = may_return(*asked)
            if not alone and not (door.open and may_return(*asked, Sought())):
                return None
            old = before.rules_version
            notice = self._notices.current(session, group_key, code_asked=door.open > 0)
            again = course_again(session, self._place, before, who.now)
        changed = old.id != version.id
        joining = online and not changed
        if again is not None:
            door = door.beside_one
        if joining and not door.open:
            return None
        shown = shown_rules(version, who.translator.language)
        optional = door.by_title or (alone and not joining)
        return who.page(
            "return.html",
            status=status,
            headers=headers,
            signed_off=signed_off,
            online=online,
            ends_at=who.translator.moment(online_until) if online_until is not None else "",
            is_cut=door.ends_before(online_until),
            is_exempted=access is not None and access.has_own_exemption,
            accepted_at=before.accepted_at,
            again=again,
            joining=joining,
            changed=changed,
            changes=_changes(old, version, shown.language) if changed else None,
            version=version,
            rules=shown,
            notice=notice,
            door=door,
            code_asked="no" if not door.open else "optional" if optional else "required",
            typed=form.shown_again(fields or {}),
            errors=errors if door.open or not errors else {"accept": next(iter(errors.values()))},
            token=self.token(who, version, before.id),
        )

    def token(self, who: Visit, version: RulesVersion, acceptance_id: str) -> str:
        """What the button carries: the version that is shown, and the acceptance that it is pressed by."""
        assert who.neighbour is not None
        language, subject = shown_rules(version, who.translator.language).language, f"{version.id}:{acceptance_id}"
        return self._site.signer.sign("return", who.neighbour.mac, subject, language, who.now + FORM_LIFETIME)

    def show(self, request: Request) -> Response:
        """`GET /return`: the page also for a device that is online under earlier rules, to go on under the new ones."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who = known.who
        status = who.status()
        if status.state in withheld.STATES:
            return see_other(who.link("/"))
        if status.has_access:
            with self._database.read() as session:
                group_key = self._site.group_in(session, known.neighbour)
                version = rules.version_in_force(session, self._place.owner_id, group_key, now=who.now)
            if version is None or status.version_id in (None, version.id):
                return see_other(who.link("/status"))
        return self.page(who, access=_access(status)) or see_other(who.link("/"))

    def accept(self, request: Request) -> Response:
        """`POST /return`: one acceptance and one grant. What can't be used any more leads to the page as it is now;
        where a course was sought, that page says so and has what was typed.
        """
        sent = guard.form(self._site, request)
        if isinstance(sent, Response):
            return sent
        who, t = sent.who, sent.who.translator
        claims = self._site.signer.verify(sent.fields.get("token", ""), "return", sent.neighbour.mac, who.now)
        typed = form.read_applicant(sent.fields, {"course_code": "optional"})
        if isinstance(typed, form.Rejected):
            return self._again(sent, 422, messages(typed, t))
        sought = courses.sought(typed, sent.fields)
        if isinstance(claims, Claims):
            return self._come_back(sent, claims, sought)
        if sought is None:
            return see_other(who.link("/"))
        return self._again(sent, 409 if claims == "expired" else 403, {"accept": t(USED_UP)})

    def _come_back(self, sent: Posted, claims: Claims, sought: Sought | None) -> Response:
        """What becomes of a form that is in order."""
        who, t = sent.who, sent.who.translator
        if wait_s := self._doors.wait_s(who, sought):
            told = {"course_code": courses.too_many(t, wait_s)}
            return self._again(sent, 429, told, {"Retry-After": str(wait_s)})
        version_id, _, acceptance_id = claims.subject.partition(":")
        reading = Reading(version_id, claims.language, who.address, who.now)
        with self._database.write() as session:
            outcome = come_back(session, self._place, sent.neighbour, acceptance_id, reading, self._terms, sought)
        if sought is None or isinstance(outcome, Accepted):
            return answer(who, outcome)
        if (refused := courses.refusal(t, outcome.reason)) is not None:
            if sought.code and outcome.reason == "no_course":
                self._doors.missed(who)
            return self._again(sent, 422, {"course_code" if sought.code else "course": refused})
        if outcome.reason in _UNUSABLE:
            return self._again(sent, 409, {"accept": t(_UNUSABLE[outcome.reason])})
        return answer(who, outcome)

    def _again(
        self, sent: Posted, status: int, errors: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Response:
        """The page with what was typed and what to correct; where there is none any more, that alone."""
        access = _access(sent.who.status())
        page = self.page(sent.who, access=access, status=status, fields=sent.fields, errors=errors, headers=headers)
        return page or _not_joined(sent.who, status, next(iter(errors.values())), headers)


_UNUSABLE: Mapping[str, str] = {"unknown": USED_UP, "rules_changed": RULES_CHANGED}


def _access(status: Status) -> Status | None:
    return status if status.has_access else None


def answer(who: Visit, outcome: Accepted | Refused | NotRecognised) -> Response:
    """On to the status page; or what is in the way; or back to the page as it is now."""
    if isinstance(outcome, Accepted):
        return see_other(who.link("/status"))
    if isinstance(outcome, NotRecognised):
        if outcome.reason == "too_many":
            return too_many(who)
        return see_other(who.link("/form", more_asked="1") if outcome.reason == "more_asked" else who.link("/"))
    if (refused := courses.refusal(who.translator, outcome.reason)) is not None:
        return _not_joined(who, 409, refused)
    return (
        see_other(who.link("/"))
        if outcome.reason in ("rules_changed", "blocked", "closed")
        else troubles.not_ready(who)
    )


def _not_joined(who: Visit, status: int, why: str, headers: Mapping[str, str] | None = None) -> Response:
    """The course has no room for this device or has ended meanwhile, or the page can't be used any more."""
    t = who.translator
    onward = ("/form", t("To the front page"))
    heading = t("This device could not join the course")
    return troubles.told(who, status, heading, why, headers=headers, onward=onward)


def too_many(who: Visit) -> Response:
    """The person has as many devices online as they may."""
    t = who.translator
    text = t("End the access of one of them first. You can do it on the status page of another device.")
    return troubles.told(who, 409, t("You have as many devices online as you may have"), text)


def _changes(old: RulesVersion, new: RulesVersion, language: str) -> Changes | None:
    before, now = ({text.language: text.markdown for text in version.texts} for version in (old, new))
    return changes(before, now, (language, new.binding_language))
