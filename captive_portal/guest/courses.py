"""What the form says of courses: whether it asks for a code, the one course that it names, and why a seat was refused.

A code is asked for while a course is open to guests here, whatever the settings say, as its poster tells them to write
it. When exactly one course is open, and is not hidden, the form names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from captive_portal.guest.guessing import Guessing
from captive_portal.guest.site import Site, Visit
from captive_portal.i18n import Translator
from gateway.access.accept import Applicant
from gateway.access.course_plan import OPENS_BEFORE
from gateway.access.courses import Sought
from gateway.access.status import Status
from gateway.settings import Asked
from gateway.storage import courses
from gateway.storage.engine import Session

MAX_ID_CHARS = 64


@dataclass(frozen=True)
class Door:
    """How guests come into courses now: whether a code is asked for, the course to name, and how many are open (of more
    than two, two).
    """

    asked: Asked
    named: courses.Open | None
    open: int

    @property
    def by_title(self) -> bool:
        """Whether the named course may be chosen without its code."""
        return self.named is not None and self.named.offered == "title"

    @property
    def beside_one(self) -> Door:
        """How who is at one of the open courses comes into another one."""
        return replace(self, named=None, open=self.open - 1)

    def ends_before(self, moment: datetime | None) -> bool:
        """Whether the named course ends before that: whoever has access until then has it for shorter by joining."""
        return self.named is not None and moment is not None and self.named.ends_at < moment


class CourseDoors:
    """Courses as the form of one site needs them, and a brake on guessing their codes."""

    def __init__(self, site: Site) -> None:
        self._site_id = site.services.place.site_id
        self._portal = site.services.settings.portal
        self._guessing = Guessing()

    def now(self, session: Session, group_key: str, now: datetime, *, host_instead: bool = False) -> Door:
        """As it is now for a group. `host_instead`: whoever has no code asks a host."""
        found = courses.open_at_site(session, self._site_id, now + OPENS_BEFORE, now)
        named = found[0] if len(found) == 1 and found[0].offered != "hidden" else None
        asked = self._portal.asked(group_key)["course_code"]
        return Door("optional" if host_instead or (found and asked == "no") else asked, named, len(found))

    def beside(self, door: Door, status: Status) -> Door | None:
        """How a device that has accepted comes into another course than the one it is in; None: no such one is open."""
        rest = door.beside_one if status.course_ends_at is not None else door
        return rest if rest.open else None

    def wait_s(self, who: Visit, sought: Sought | None) -> int:
        """For how many seconds this guest's codes are not looked at; 0: look."""
        return self._guessing.wait_s(who) if sought is not None and sought.code else 0

    def missed(self, who: Visit) -> None:
        """The guest wrote a code that no open course has."""
        self._guessing.missed(who)


def sought(applicant: Applicant, fields: Mapping[str, str]) -> Sought | None:
    """The course that the form says; a code that was written counts before what was ticked."""
    if applicant.course_code:
        return Sought(code=applicant.course_code)
    chosen = fields.get("course", "")[:MAX_ID_CHARS]
    return Sought(course_id=chosen) if chosen else None


def refusal(t: Translator, reason: str) -> str | None:
    """Why there is no seat, and what to do; None for another reason than that."""
    said = {
        "no_course": t("No course with this code is open here now. Check the code with whoever runs the course."),
        "course_not_yet": t("The course has not begun. The code works from one hour before it begins."),
        "course_over": t("The course is over, and its code can’t be used any more."),
        "course_full": t("The course has no room for more devices. Tell whoever runs the course."),
    }
    return said.get(reason)


def too_many(t: Translator, wait_s: int) -> str:
    """Codes are being guessed, or mistyped many times."""
    return t("Many codes were tried from here. Try again in {seconds} seconds.", seconds=wait_s)
