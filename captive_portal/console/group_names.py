"""What people read for a group's key: of a group that the product made for one course or one guest, whose it is.

Such a key (`course-…`, `session-…`) is for machines: the API, the command line and the log keep it.
"""

from __future__ import annotations

import re

from captive_portal.i18n import Translator
from gateway.access.course_openings import PREFIX
from gateway.storage import courses
from gateway.storage.engine import Session
from gateway.storage.exemption_requests import SESSION_PREFIX

_OWN = re.compile(f"({PREFIX}|{SESSION_PREFIX})([0-9a-f]{{12}})(?:-[0-9]+)?")  # an exemption's id has a number besides


class GroupNames:
    """The names, for one page; a course is looked up once. Without a transaction courses have no titles."""

    def __init__(self, session: Session | None, owner_id: str, translate: Translator) -> None:
        self._session, self._owner_id, self._translate = session, owner_id, translate
        self._titles: dict[str, str] = {}

    def __call__(self, key: str, title: str = "") -> str:
        """`Course: Excel`, `Exemption for one guest`, also for the id of an exemption that the product made for
        one; of any other group its `title`, else its key.
        """
        own, _ = _OWN.fullmatch(key), self._translate
        if own is None:
            return title or key
        if own[1] == SESSION_PREFIX:
            return _("Exemption for one guest")
        name = self._title(own[2])
        return _("Course: {title}", title=name) if name else _("A course that is over")

    def _title(self, beginning: str) -> str:
        if beginning not in self._titles:
            found = courses.beginning(self._session, self._owner_id, beginning) if self._session is not None else None
            self._titles[beginning] = found.title if found is not None else ""
        return self._titles[beginning]
