"""The guest's pages: welcome, accept, status, sign-off, rules, privacy and what is kept about oneself.

Endpoints are plain functions that run in a worker thread; each makes one transaction, which ends before the answer is
made. An answer that changed something is always 303, so that going back or reloading never posts twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import courses, form, hosts, troubles, withheld
from captive_portal.guest.closed import Overview, PolicyInForce
from captive_portal.guest.notice import Notice, Notices
from captive_portal.guest.posting import posted
from captive_portal.guest.returning import ReturnPages
from captive_portal.guest.site import Site, Visit, see_other, shown_rules, visit
from captive_portal.guest.status_parts import StatusParts
from captive_portal.guest.why import shown_requests
from captive_portal.i18n import Translator
from captive_portal.security import FORM_LIFETIME, Claims, is_cross_site
from gateway.access.accept import Accepted, Applicant, Refused, accept
from gateway.access.courses import Sought
from gateway.access.grants import sign_off
from gateway.access.host_requests import Asked
from gateway.access.receipts import format_receipt_code, parse_receipt_code
from gateway.access.recognised import terms_of
from gateway.access.status import NOT_ACCEPTED, device_status
from gateway.access.subject import own_document
from gateway.audit.periods import parse_period
from gateway.settings import Asked as Need
from gateway.storage import exemption_requests, rules
from gateway.storage.engine import Session, StorageUnavailableError
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.models import RulesVersion

SLOW_AFTER = timedelta(seconds=15)
PATIENCE_S, SLOW_PATIENCE_S = 1, 5
MAX_CODE_CHARS = 64


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the form's page shows of the database, for the group of the device's network."""

    group_key: str
    version: RulesVersion | None
    notice: Notice
    closed: Overview
    door: courses.Door
    hosts: hosts.Choice | None


class Pages:
    """The endpoints, over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._database = site.services.database
        self._place = site.services.place
        self._portal = site.services.settings.portal
        self._durations = terms_of(site.services.settings).durations
        self._enforced = site.services.settings.enforcement.enabled
        self._notices = Notices(site)
        self._policy = PolicyInForce(site.services.place.owner_id)
        self._returning = ReturnPages(site, self._notices)
        self._parts = StatusParts(site)
        self._doors = courses.CourseDoors(site)
        self._hosts = hosts.HostPages(site)

    def welcome(self, request: Request) -> Response:
        """`GET /`: the rules and the form; one button for a device that is known; the status page for one that has
        accepted.
        """
        return self._welcome(request, known=True)

    def blank_form(self, request: Request) -> Response:
        """`GET /form`: the form, also on a device that is known: somebody else may hold it now."""
        return self._welcome(request, known=False)

    def _welcome(self, request: Request, *, known: bool) -> Response:
        who = visit(self._site, request)
        if who.neighbour is None:
            return troubles.unknown_device(who)
        with self._database.read() as session:
            status = device_status(session, self._place, who.neighbour, who.now)
            shown = self._shown(session, who) if status.state == "not_accepted" else None
            waits = shown is not None and self._hosts.is_waiting(session, who.neighbour, who.now)
        if status.state in withheld.STATES:
            return withheld.page(who, status)
        if shown is None:
            return see_other(who.link("/status"))
        if waits and "again" not in request.query_params:
            return see_other(who.link("/waiting"))
        signed_off = "signed_off" in request.query_params
        back = self._returning.page(who, signed_off=signed_off) if known else None
        return back or self._form_page(who, shown, signed_off=signed_off)

    def accept(self, request: Request) -> Response:  # noqa: PLR0911 - each return is one way to be refused
        """`POST /accept`: one acceptance and one grant, or the form again with what to correct."""
        who = visit(self._site, request)
        if who.neighbour is None:
            return troubles.unknown_device(who)
        if is_cross_site(request.headers):
            return troubles.from_elsewhere(who)
        fields = posted(request)
        if fields is None:
            return troubles.not_a_form(who)
        try:
            with self._database.read() as session:
                group_key = self._site.group_in(session, who.neighbour)
                host_needed = self._hosts.needed(group_key)
                door = self._doors.now(session, group_key, who.now, host_instead=host_needed)
        except StorageUnavailableError:  # what was typed can't be kept: the form itself needs the database
            return troubles.storage_unavailable(who)
        applicant = form.read_applicant(fields, self._asked(group_key, door, fields))
        if isinstance(applicant, form.Rejected):
            return self._form_again(who, 422, fields, _messages(applicant, who.translator))
        claims = self._site.signer.verify(fields.get("token", ""), "accept", who.neighbour.mac, who.now)
        if not isinstance(claims, Claims):
            return self._again(who, fields, 409 if claims == "expired" else 403, _OPEN_TOO_LONG)
        sought = courses.sought(applicant, fields)
        if wait_s := self._doors.wait_s(who, sought):
            told = {"course_code": courses.too_many(who.translator, wait_s)}
            return self._form_again(who, 429, fields, told, {"Retry-After": str(wait_s)})
        if sought is None and host_needed:
            return self._ask_host(who, fields, applicant, claims)
        try:
            outcome = self._record(who, applicant, claims, sought)
        except StorageUnavailableError:  # perhaps only writing is impossible; then what was typed can be kept
            return self._again(who, fields, 503, _NOT_RECORDED, {"Retry-After": troubles.RETRY_AFTER_S})
        return self._answer(who, fields, sought, outcome)

    def accept_by_get(self, request: Request) -> Response:
        """`GET /accept`, as after reloading or a restored tab: back to the start. GET changes nothing."""
        return see_other(visit(self._site, request, identify=False).link("/"))

    def status(self, request: Request) -> Response:
        """`GET /status`: online only when a gateway says so; until then the page loads itself again every second."""
        who = visit(self._site, request)
        if who.neighbour is None:
            return troubles.unknown_device(who)
        status = who.status()
        if not status.has_access:
            return see_other(who.link("/"))
        assert status.grant_id and status.starts_at and status.ends_at  # noqa: PT018
        state = ("online" if status.state == "online" else "waiting") if self._enforced else "recorded"
        slow = who.now - status.starts_at > SLOW_AFTER
        waiting = {"Refresh": f"{SLOW_PATIENCE_S if slow else PATIENCE_S}; url={who.link('/status')}"}
        language = who.translator.language
        # who waits asks every second, and can do nothing yet
        parts = self._parts.of(who, NOT_ACCEPTED if state == "waiting" else status)
        requests = self._requests(status.grant_id) if state != "waiting" else []
        same: dict[str, Any] = {"state": state, "slow": slow, "requests": requests, "now": who.now, **parts.same}
        gaps = {
            "left": time_left(who.translator, status.ends_at - who.now),
            "ends_at": who.translator.moment(status.ends_at),
            "receipt_code": status.receipt_code or "",
            "receipt": format_receipt_code(status.receipt_code) if status.receipt_code else "",
            "token": self._site.signer.sign("sign_off", who.neighbour.mac, status.grant_id, language, status.ends_at),
            **parts.gaps,
        }
        headers = waiting if state == "waiting" else None
        if not requests:
            same |= {"requests": (), "now": None}  # so that the page can be kept
        return who.page("status.html", headers=headers, gaps=gaps, keep=not parts.is_own and not requests, **same)

    def _requests(self, grant_id: str) -> list[ExemptionRequest]:
        with self._database.read() as session:
            return shown_requests(exemption_requests.of_grant(session, grant_id))

    def sign_off(self, request: Request) -> Response:
        """`POST /sign-off`: end this device's access. A stale or foreign form changes nothing and shows the status."""
        who = visit(self._site, request)
        if who.neighbour is None:
            return troubles.unknown_device(who)
        fields = None if is_cross_site(request.headers) else posted(request)
        token = (fields or {}).get("token", "")
        claims = self._site.signer.verify(token, "sign_off", who.neighbour.mac, who.now)
        if not isinstance(claims, Claims):
            return see_other(who.link("/status"))
        with self._database.write() as session:
            open_now = device_status(session, self._place, who.neighbour, who.now)
            if open_now.grant_id in (None, claims.subject):
                sign_off(session, self._place, who.neighbour, who.now)
            else:  # a form of an earlier grant, as from an old tab
                return see_other(who.link("/status"))
        start = who.link("/")
        return see_other(f"{start}{'&' if '?' in start else '?'}signed_off=1")

    def sign_off_by_get(self, request: Request) -> Response:
        """`GET /sign-off`: GET changes nothing."""
        return see_other(visit(self._site, request, identify=False).link("/status"))

    def rules(self, request: Request) -> Response:
        """`GET /rules`: the version in force, for anyone."""
        who = visit(self._site, request)
        with self._database.read() as session:
            group_key = self._site.group_in(session, who.neighbour)
            version = rules.version_in_force(session, self._place.owner_id, group_key)
        if version is None:
            return troubles.not_ready(who)
        return who.page("rules.html", rules=shown_rules(version, who.translator.language), version=version)

    def privacy(self, request: Request) -> Response:
        """`GET /privacy`: what is recorded of a guest, why, by which right and for how long, for anyone."""
        who = visit(self._site, request)
        with self._database.read() as session:
            group_key = self._site.group_in(session, who.neighbour)
            door = self._doors.now(session, group_key, who.now, host_instead=self._hosts.needed(group_key))
            notice = self._notices.current(session, group_key, code_asked=door.asked != "no")
        return who.page("privacy.html", notice=notice)

    def my_data(self, request: Request) -> Response:
        """`GET /my-data`: which kinds of data are kept, and the form for the receipt code that shows one's own."""
        return self._my_data_page(visit(self._site, request))

    def show_my_data(self, request: Request) -> Response:
        """`POST /my-data`: what is kept on whoever has both this device and the receipt code. It changes nothing; the
        code is posted, so that it stands in no address and no log of addresses.
        """
        who = visit(self._site, request)
        if is_cross_site(request.headers):
            return troubles.from_elsewhere(who)
        fields = posted(request)
        if fields is None:
            return troubles.not_a_form(who)
        code = parse_receipt_code(fields.get("code", "")[:MAX_CODE_CHARS])
        found = None
        if code is not None and who.neighbour is not None:
            keep = parse_period(self._site.services.settings.privacy.acceptances)
            with self._database.read() as session:
                found = own_document(session, self._place, code, who.neighbour.mac, keep, who.now)
        if found is None:
            return self._my_data_page(who, status=422, failed=True)
        return who.page("my_data.html", found=found["acceptances"], failed=False, when=datetime.fromisoformat)

    def _my_data_page(self, who: Visit, *, status: int = 200, failed: bool = False) -> Response:
        return who.page("my_data.html", status=status, found=None, failed=failed)

    def _answer(
        self, who: Visit, fields: Mapping[str, str], sought: Sought | None, outcome: Accepted | Refused
    ) -> Response:
        if isinstance(outcome, Accepted):
            return see_other(who.link("/status"))
        if outcome.reason in ("blocked", "closed"):
            return see_other(who.link("/"))
        if outcome.reason == "form_used":
            return self._again(who, fields, 409, _OPEN_TOO_LONG)
        if outcome.reason == "rules_changed":
            return self._again(who, fields, 409, _RULES_CHANGED)
        if (refused := courses.refusal(who.translator, outcome.reason)) is not None:
            return self._no_seat(who, fields, sought, outcome.reason, refused)
        return troubles.not_ready(who)

    def _ask_host(self, who: Visit, fields: Mapping[str, str], applicant: Applicant, claims: Claims) -> Response:
        if who.status().state in ("blocked", "closed"):
            return see_other(who.link("/"))
        host = hosts.read_host(self._site.services.settings, fields)
        if isinstance(host, str):
            field = "host" if host == "missing" else "host_email"
            return self._form_again(who, 422, fields, {field: hosts.message(who.translator, host)})
        asked = self._hosts.ask(who, applicant, host, claims)
        if isinstance(asked, Asked):
            return see_other(who.link("/waiting"))
        if asked.reason == "rules_changed":
            return self._again(who, fields, 409, _RULES_CHANGED)
        if asked.reason == "too_many":
            return self._again(who, fields, 429, _TOO_MANY_REQUESTS, {"Retry-After": "600"})
        return troubles.not_ready(who)

    def _no_seat(
        self, who: Visit, fields: Mapping[str, str], sought: Sought | None, reason: str, refused: str
    ) -> Response:
        by_code = sought is not None and bool(sought.code)
        if by_code and reason == "no_course":
            self._doors.missed(who)
        return self._form_again(who, 422, fields, {"course_code" if by_code else "accept": refused})

    def _asked(self, group_key: str, door: courses.Door, fields: Mapping[str, str]) -> dict[form.Field, Need]:
        """The fields of the form; no code is needed of who has chosen the course by its title."""
        chosen = door.by_title and bool(fields.get("course"))
        asked = self._portal.asked(group_key)
        asked["course_code"] = "optional" if chosen else door.asked
        return asked

    def _record(self, who: Visit, applicant: Applicant, claims: Claims, sought: Sought | None) -> Accepted | Refused:
        assert who.neighbour is not None
        with self._database.write() as session:
            return accept(
                session,
                self._place,
                who.neighbour,
                applicant,
                version_id=claims.subject,
                language=claims.language,
                shown_at=claims.until - FORM_LIFETIME,
                address=who.address,
                duration=self._durations.usual,
                by_group=self._durations.by_group,
                now=who.now,
                sought=sought,
            )

    def _again(
        self, who: Visit, fields: Mapping[str, str], status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        return self._form_again(who, status, fields, {"accept": who.translator(message)}, headers)

    def _form_again(
        self,
        who: Visit,
        status: int,
        fields: Mapping[str, str],
        errors: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        assert who.neighbour is not None
        with self._database.read() as session:
            shown = self._shown(session, who)
        return self._form_page(who, shown, status=status, fields=fields, errors=errors, headers=headers)

    def _shown(self, session: Session, who: Visit) -> _Shown:
        assert who.neighbour is not None
        group_key = self._site.group_in(session, who.neighbour)
        host_needed = self._hosts.needed(group_key)
        door = self._doors.now(session, group_key, who.now, host_instead=host_needed)
        return _Shown(
            group_key,
            rules.version_in_force(session, self._place.owner_id, group_key),
            self._notices.current(session, group_key, code_asked=door.asked != "no"),
            self._policy.overview(session, group_key or "default", who.translator, who.now),
            door,
            hosts.choice(self._site.services.settings) if host_needed else None,
        )

    def _form_page(
        self,
        who: Visit,
        shown: _Shown,
        *,
        status: int = 200,
        fields: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        signed_off: bool = False,
    ) -> Response:
        assert who.neighbour is not None
        if shown.version is None:
            return troubles.not_ready(who)
        text = shown_rules(shown.version, who.translator.language)
        expires_at = who.now + FORM_LIFETIME
        token = self._site.signer.sign("accept", who.neighbour.mac, shown.version.id, text.language, expires_at)
        asked = self._asked(shown.group_key, shown.door, {})
        values: dict[str, Any] = {"rules": text, "asked": asked, "notice": shown.notice, "closed": shown.closed}
        values |= {"door": shown.door, "hosts": shown.hosts}
        values |= {"typed": form.shown_again(fields or {}), "errors": errors or {}, "signed_off": signed_off}
        if fields is None and not errors:
            return who.page("welcome.html", status=status, headers=headers, gaps={"token": token}, **values)
        return who.page("welcome.html", status=status, headers=headers, token=token, **values)


def time_left(t: Translator, left: timedelta) -> str:
    """`9 h 58 min`, rounded down to minutes."""
    minutes = max(0, int(left.total_seconds()) // 60)
    if minutes < 1:
        return t("Less than a minute")
    hours, minutes = divmod(minutes, 60)
    return t("{hours} h {minutes} min", hours=hours, minutes=minutes) if hours else t("{minutes} min", minutes=minutes)


def _messages(rejected: form.Rejected, t: Translator) -> dict[str, str]:
    return {
        name: t(_FIELD_MESSAGES[name, problem], limit=form.MAX_CHARS[name])
        for name, problem in rejected.problems.items()
    }


_OPEN_TOO_LONG = "The form could not be used any more. Press the button once more."
_NOT_RECORDED = "Your acceptance could not be recorded right now. Wait a moment and press the button once more."
_TOO_MANY_REQUESTS = "Your host has been asked many times already. Wait ten minutes, or write a course code."
_RULES_CHANGED = "The rules have changed since you opened the page. Read the new ones and press the button once more."
_FIELD_MESSAGES: Mapping[tuple[form.Field, form.Problem], str] = {
    ("name", "missing"): "Write your name",
    ("name", "too_long"): "The name can have at most {limit} characters",
    ("name", "characters"): "The name has characters that can’t be used, for example < or >",
    ("organisation", "missing"): "Write the organisation or company",
    ("organisation", "too_long"): "The organisation can have at most {limit} characters",
    ("organisation", "characters"): "The organisation has characters that can’t be used, for example < or >",
    ("contact", "missing"): "Write a phone number or an e-mail address",
    ("contact", "too_long"): "Phone or e-mail can have at most {limit} characters",
    ("contact", "characters"): "Phone or e-mail has characters that can’t be used, for example < or >",
    ("course_code", "missing"): "Write the course code",
    ("course_code", "too_long"): "The course code can have at most {limit} characters",
    ("course_code", "characters"): "The course code has characters that can’t be used, for example < or >",
}
