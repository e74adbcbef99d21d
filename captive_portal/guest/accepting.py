"""Accepting the rules: the way to the form's page, and what becomes of the form.

Endpoints are plain functions that run in a worker thread; each makes one transaction, which ends before the answer is
made. An answer that changed something is always 303, so that going back or reloading never posts twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import courses, form, guard, hosts, troubles, withheld
from captive_portal.guest.form_page import FormPage, Told
from captive_portal.guest.form_words import RULES_CHANGED, USED_UP, messages
from captive_portal.guest.guard import Known, Posted
from captive_portal.guest.policy_reader import PolicyReader
from captive_portal.guest.returning import ReturnPages
from captive_portal.guest.site import Site, see_other, visit
from captive_portal.security import FORM_LIFETIME, Claims
from gateway.access.accept import Accepted, Applicant, Refused, accept
from gateway.access.courses import Sought
from gateway.access.host_requests import Asked
from gateway.access.recognised import terms_of
from gateway.access.status import device_status
from gateway.storage.engine import StorageUnavailableError


class AcceptPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site, policy: PolicyReader, doors: courses.CourseDoors, returning: ReturnPages) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place
        self._durations = terms_of(site.services.settings).durations
        self._doors, self._returning = doors, returning
        self._hosts = hosts.HostPages(site)
        self._form = FormPage(site, policy, doors, self._hosts)

    def welcome(self, request: Request) -> Response:
        """`GET /`: the rules and the form; one button for a device that is known; the status page for one that has
        accepted.
        """
        return self._welcome(request, recognise=True)

    def blank_form(self, request: Request) -> Response:
        """`GET /form`: the form, also on a device that is known: somebody else may hold it now."""
        return self._welcome(request, recognise=False)

    def _welcome(self, request: Request, *, recognise: bool) -> Response:
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who = known.who
        with self._database.read() as session:
            status = device_status(session, self._place, known.neighbour, who.now)
            shown = self._form.shown(session, known) if status.state == "not_accepted" else None
            waits = shown is not None and self._hosts.is_waiting(session, known.neighbour, who.now)
        if status.state in withheld.STATES:
            return withheld.page(who, status)
        if shown is None:
            return see_other(who.link("/status"))
        if waits and "again" not in request.query_params:
            return see_other(who.link("/waiting"))
        asked = request.query_params
        told: Told = "signed_off" if "signed_off" in asked else "more_asked" if "more_asked" in asked else ""
        back = self._returning.page(who, signed_off=told == "signed_off") if recognise else None
        return back or self._form.page(known, shown, told=told)

    def accept(self, request: Request) -> Response:  # noqa: PLR0911 - each return is one way to be refused
        """`POST /accept`: one acceptance and one grant, or the form again with what to correct."""
        sent = guard.form(self._site, request)
        if isinstance(sent, Response):
            return sent
        who, fields = sent.who, sent.fields
        try:
            with self._database.read() as session:
                group_key = self._site.group_in(session, sent.neighbour)
                host_needed = self._hosts.needed(group_key)
                door = self._doors.now(session, group_key, who.now, host_instead=host_needed)
        except StorageUnavailableError:  # what was typed can't be kept: the form itself needs the database
            return troubles.storage_unavailable(who)
        applicant = form.read_applicant(fields, self._form.asked(group_key, door, fields))
        if isinstance(applicant, form.Rejected):
            return self._form.again(sent, 422, fields, messages(applicant, who.translator))
        claims = self._site.signer.verify(fields.get("token", ""), "accept", sent.neighbour.mac, who.now)
        if not isinstance(claims, Claims):
            return self._again(sent, 409 if claims == "expired" else 403, USED_UP)
        if door.asked == "no" and form.normalise(fields.get("course_code", "")):
            return self._again(sent, 409, _NO_COURSE)
        sought = courses.sought(applicant, fields)
        if sought is None and host_needed:
            return self._ask_host(sent, applicant, claims)
        return self._take(sent, applicant, claims, sought)

    def accept_by_get(self, request: Request) -> Response:
        """`GET /accept`, as after reloading or a restored tab: back to the start. GET changes nothing."""
        return see_other(visit(self._site, request, identify=False).link("/"))

    def _take(self, sent: Posted, applicant: Applicant, claims: Claims, sought: Sought | None) -> Response:
        """What becomes of a form that is in order."""
        who = sent.who
        if wait_s := self._doors.wait_s(who, sought):
            told = {"course_code": courses.too_many(who.translator, wait_s)}
            return self._form.again(sent, 429, sent.fields, told, {"Retry-After": str(wait_s)})
        try:
            outcome = self._record(sent, applicant, claims, sought)
        except StorageUnavailableError:  # perhaps only writing is impossible; then what was typed can be kept
            return self._again(sent, 503, _NOT_RECORDED, {"Retry-After": troubles.RETRY_AFTER_S})
        if isinstance(outcome, Accepted):
            return see_other(who.link("/status"))
        return self._refused(sent, outcome.reason, sought)

    def _refused(self, sent: Posted, reason: str, sought: Sought | None = None) -> Response:
        """The form again with why nothing was recorded; where only IT can mend it, that."""
        if reason in ("blocked", "closed"):
            return see_other(sent.who.link("/"))
        if reason in _REFUSED:
            return self._again(sent, 409, _REFUSED[reason])
        refused = courses.refusal(sent.who.translator, reason)
        if refused is None:
            return troubles.not_ready(sent.who)
        by_code = sought is not None and bool(sought.code)
        if by_code and reason == "no_course":
            self._doors.missed(sent.who)
        return self._form.again(sent, 422, sent.fields, {"course_code" if by_code else "accept": refused})

    def _ask_host(self, sent: Posted, applicant: Applicant, claims: Claims) -> Response:
        who = sent.who
        if who.status().state in ("blocked", "closed"):
            return see_other(who.link("/"))
        host = hosts.read_host(self._site.services.settings, sent.fields)
        if isinstance(host, str):
            field = "host" if host == "missing" else "host_email"
            return self._form.again(sent, 422, sent.fields, {field: hosts.message(who.translator, host)})
        asked = self._hosts.ask(who, applicant, host, claims)
        if isinstance(asked, Asked):
            return see_other(who.link("/waiting"))
        if asked.reason == "too_many":
            return self._again(sent, 429, _TOO_MANY_REQUESTS, {"Retry-After": "600"})
        return self._refused(sent, asked.reason)

    def _record(self, known: Known, applicant: Applicant, claims: Claims, sought: Sought | None) -> Accepted | Refused:
        with self._database.write() as session:
            return accept(
                session,
                self._place,
                known.neighbour,
                applicant,
                version_id=claims.subject,
                language=claims.language,
                shown_at=claims.until - FORM_LIFETIME,
                address=known.who.address,
                duration=self._durations.usual,
                by_group=self._durations.by_group,
                longest=self._durations.longest,
                now=known.who.now,
                sought=sought,
            )

    def _again(self, sent: Posted, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
        return self._form.again(sent, status, sent.fields, {"accept": sent.who.translator(message)}, headers)


_NOT_RECORDED = "Your acceptance could not be recorded right now. Wait a moment and press the button once more."
_TOO_MANY_REQUESTS = "Your host has been asked many times already. Wait ten minutes, or write a course code."
_NO_COURSE = "No course is open here now, so the code can’t be used. Press the button once more to go on without it."
_REFUSED: Mapping[str, str] = {"form_used": USED_UP, "rules_changed": RULES_CHANGED}
