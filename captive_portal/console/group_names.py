"""What people read for a group's key: its title, or whose it is where the product made it for one course or one guest.

Keys are for machines: the API and the command line keep them. People read one beside its title where another group has
the same, and in the log, whose entries keep the key while titles change; and alone where nobody knows the title: of a
group that has none, or is in the content filter no more. The group of everybody who is put in no other needs none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from captive_portal.console.look import N_
from captive_portal.i18n import Translator
from gateway.access.course_openings import PREFIX
from gateway.storage import courses, generations
from gateway.storage.engine import Session
from gateway.storage.exemption_requests import SESSION_PREFIX
from policies.document import DEFAULT_GROUP

OTHERS = N_("All other devices")
_OWN = re.compile(f"({PREFIX}|{SESSION_PREFIX})([0-9a-f]{{12}})(?:-[0-9]+)?")  # an exemption's id has a number besides


class GroupNames:
    """The names, for one page; a course is looked up once, and so is the content filter in force. Without a transaction
    there are no titles.
    """

    def __init__(self, session: Session | None, owner_id: str, translate: Translator) -> None:
        self._session, self._owner_id, self._translate = session, owner_id, translate
        self._titles: dict[str, str] = {}

    def __call__(self, key: str, title: str = "") -> str:
        """`Course: Excel`, `Exemption for one guest`, also for the id of an exemption that the product made for
        one; of any other group its `title`, else its title in the content filter in force, else its key.
        """
        own, _ = _OWN.fullmatch(key), self._translate
        if own is None:
            return title or self._in_force.get(key) or self.titles({key: ""})[key]
        if own[1] == SESSION_PREFIX:
            return _("Exemption for one guest")
        name = self._title(own[2])
        return _("Course: {title}", title=name) if name else _("A course that is over")

    def with_key(self, key: str) -> str:
        """The name that the group has now, and the key as an entry of the log holds it."""
        name = self(key)
        return name if name == key or name.endswith(f"({key})") else f"{name} ({key})"

    def told_apart(self, key: str, title: str = "") -> str:
        """As a call; one guest's with the first digits of its key, where several guests' stand together."""
        own, name = _OWN.fullmatch(key), self(key, title)
        return f"{name} ({own[2][:4]})" if own is not None and own[1] == SESSION_PREFIX else name

    @staticmethod
    def is_own(key: str) -> bool:
        """Whether the product has made the group, for one course or one guest."""
        return _OWN.fullmatch(key) is not None

    def titles(self, titles: Mapping[str, str]) -> dict[str, str]:
        """What groups of these titles ("": none) are called, each by another name."""
        return distinct(
            {key: title or (self._translate(OTHERS) if key == DEFAULT_GROUP else "") for key, title in titles.items()}
        )

    @cached_property
    def _in_force(self) -> Mapping[str, str]:
        published = generations.in_force(self._session, self._owner_id) if self._session is not None else None
        groups = published.document.get("groups", {}) if published is not None else {}
        language = self._translate.language
        return self.titles({key: group.get("names", {}).get(language, "") for key, group in groups.items()})

    def _title(self, beginning: str) -> str:
        if beginning not in self._titles:
            found = courses.beginning(self._session, self._owner_id, beginning) if self._session is not None else None
            self._titles[beginning] = found.title if found is not None else ""
        return self._titles[beginning]


def distinct(titles: Mapping[str, str]) -> dict[str, str]:
    """What groups of these titles ("": none) are called, each by another name."""
    named = {key: title or key for key, title in titles.items()}
    times = Counter(name.casefold() for name in named.values())
    return {
        key: f"{name} ({key})" if times[name.casefold()] > 1 and name != key else name for key, name in named.items()
    }
