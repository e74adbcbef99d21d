"""The page of a device that has accepted: where it stands, and signing off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import guard
from captive_portal.guest.courses import CourseDoors, Door
from captive_portal.guest.returning import ReturnPages
from captive_portal.guest.site import Site, Visit, see_other, visit
from captive_portal.guest.status_parts import StatusParts
from captive_portal.guest.why import shown_requests
from captive_portal.i18n import Translator
from gateway.access.grants import sign_off
from gateway.access.receipts import format_receipt_code
from gateway.access.status import NOT_ACCEPTED, Status, device_status
from gateway.storage import courses, exemption_requests, rules
from gateway.storage.exemption_models import ExemptionRequest

SLOW_AFTER = timedelta(seconds=15)
PATIENCE_S, SLOW_PATIENCE_S = 1, 5


class StatusPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site, doors: CourseDoors, returning: ReturnPages) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place
        self._enforced = site.services.settings.enforcement.enabled
        self._parts, self._doors, self._returning = StatusParts(site), doors, returning

    def status(self, request: Request) -> Response:
        """`GET /status`: online only when a gateway says so; until then the page loads itself again every second."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who = known.who
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
        requests, ended = self._requests(status.grant_id) if state != "waiting" else ([], [])
        door, course_token = (None, "") if state == "waiting" else self._course(who, status)
        same: dict[str, Any] = {"state": state, "slow": slow, "requests": requests, "now": who.now, **parts.same}
        is_cut = door is not None and door.ends_before(status.ends_at)
        same |= {
            "door": door,
            "is_cut": is_cut,
            "is_exempted": status.has_own_exemption,
            "course": _course_said(status),
            "course_title": self._course_title(status) if state != "waiting" else "",
        }
        gaps = {
            "left": time_left(who.translator, status.ends_at - who.now),
            "ends_at": who.translator.moment(status.ends_at),
            "receipt_code": status.receipt_code or "",
            "receipt": format_receipt_code(status.receipt_code) if status.receipt_code else "",
            "course_ends_at": who.translator.moment(status.course_ends_at) if status.course_ends_at else "",
            "course_token": course_token,
            "token": self._site.signer.sign("sign_off", known.neighbour.mac, status.grant_id, language, status.ends_at),
            **parts.gaps,
        }
        headers = waiting if state == "waiting" else None
        if not requests:
            same |= {"requests": (), "now": None}  # so that the page can be kept
        else:
            same |= {"ended": ended}
        return who.page("status.html", headers=headers, gaps=gaps, keep=not parts.is_own and not requests, **same)

    def _course(self, who: Visit, status: Status) -> tuple[Door | None, str]:
        """How the guest comes into a course that they are not in, and the token of its button, which is that of coming
        back: they accept the rules for the course. No token where the rules are other ones now: the page of those has
        the button.
        """
        with self._database.read() as session:
            group_key = self._site.group_in(session, who.neighbour)
            door = self._doors.beside(self._doors.now(session, group_key, who.now), status)
            version = rules.version_in_force(session, self._place.owner_id, group_key, now=who.now) if door else None
        if version is None or status.acceptance_id is None:
            return None, ""
        if status.version_id != version.id:
            return door, ""
        return door, self._returning.token(who, version, status.acceptance_id)

    def _course_title(self, status: Status) -> str:
        """What the course is called that the access is by; empty without one, and for one whose title is hidden."""
        if status.course_ends_at is None or status.grant_id is None:
            return ""
        with self._database.read() as session:
            course = courses.of_grant(session, status.grant_id)
        return course.title if course is not None and course.offered != "hidden" else ""

    def _requests(self, grant_id: str) -> tuple[Sequence[ExemptionRequest], Sequence[ExemptionRequest]]:
        """Those to show, and those of them that ended with the access before."""
        with self._database.read() as session:
            ended = exemption_requests.ended_with_the_one_before(session, grant_id)
            return shown_requests(exemption_requests.of_grant(session, grant_id), ended), ended

    def sign_off(self, request: Request) -> Response:
        """`POST /sign-off`: end this device's access. A stale or foreign form changes nothing and shows the status."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who, claims = known.who, guard.pressed(known, "sign_off")
        if claims is None:
            return see_other(who.link("/status"))
        with self._database.write() as session:
            open_now = device_status(session, self._place, known.neighbour, who.now)
            if open_now.grant_id in (None, claims.subject):
                sign_off(session, self._place, known.neighbour, who.now)
            else:  # a form of an earlier grant, as from an old tab
                return see_other(who.link("/status"))
        return see_other(who.link("/", signed_off="1"))

    def sign_off_by_get(self, request: Request) -> Response:
        """`GET /sign-off`: GET changes nothing."""
        return see_other(visit(self._site, request, identify=False).link("/status"))


def _course_said(status: Status) -> Literal["", "to_its_end", "longer"]:
    """How the access stands to the course that it is by."""
    if status.course_ends_at is None or status.ends_at is None:
        return ""
    return "longer" if status.ends_at < status.course_ends_at else "to_its_end"


def time_left(t: Translator, left: timedelta) -> str:
    """`9 h 58 min`, rounded down to minutes."""
    minutes = max(0, int(left.total_seconds()) // 60)
    if minutes < 1:
        return t("Less than a minute")
    hours, minutes = divmod(minutes, 60)
    return t("{hours} h {minutes} min", hours=hours, minutes=minutes) if hours else t("{minutes} min", minutes=minutes)
