"""What is asked of the list of devices online: words, filters, order and page, kept in every link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlencode

from captive_portal.console.devices.search import SORTS, address_in, in_order, matching
from captive_portal.console.evidence.search import CHARACTERS_PROBLEM, MAX_CHARS
from captive_portal.console.forms import clean_line
from captive_portal.console.visit import Visit
from gateway.link.neighbours import resolve
from gateway.storage import online
from gateway.storage.online import By, Kind, OnlineQuery

PAGE_SIZE = 50
MAX_PAGE = 1_000_000
DEFAULT_SORT = "since"
KINDS = ("accepted", "admitted")
STATES = ("through", "waiting")


@dataclass(frozen=True)
class Question:
    """As typed or chosen; "" asks for nothing. `course` is an identifier; `page` counts from 1."""

    find: str = ""
    group: str = ""
    network: str = ""
    course: str = ""
    kind: str = ""
    state: str = ""
    sort: str = DEFAULT_SORT
    turned: bool = False
    page: int = 1

    @property
    def filters(self) -> Mapping[str, str]:
        """What leaves some devices out."""
        named = {name: getattr(self, name) for name in ("find", "group", "network", "course", "kind", "state")}
        return {name: value for name, value in named.items() if value}

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.filters)

    @property
    def query(self) -> OnlineQuery:
        """What the database is asked for; words are matched afterwards."""
        through = {"": None, "through": True, "waiting": False}[self.state]
        return OnlineQuery(self.group, self.network, self.course, cast(Kind, self.kind), through)

    def address(self, path: str = "/devices", **changes: Any) -> str:
        """The same question with these parts changed, as an address."""
        asked = replace(self, **changes)
        order = {"sort": asked.sort} if asked.sort != DEFAULT_SORT else {}
        turned = {"turned": "1"} if asked.turned else {}
        page = {"page": str(asked.page)} if asked.page > 1 else {}
        parts = {**asked.filters, **order, **turned, **page}
        return f"{path}?{urlencode(parts)}" if parts else path

    def sorted_by(self, name: str) -> str:
        """The address of this list sorted by a column: the other way round where it is already, from the first page."""
        return self.address(sort=name, turned=self.sort == name and not self.turned, page=1)

    def direction(self, name: str) -> str:
        """`aria-sort` of a column."""
        if self.sort != name:
            return "none"
        return "descending" if SORTS[cast(By, name)] != self.turned else "ascending"


def read(given: Mapping[str, str]) -> tuple[Question, dict[str, str]]:
    """The question of a query string or a form, and what is wrong with it by field; what is unknown is left out."""
    find, problem = clean_line(given.get("find", ""), MAX_CHARS)
    plain = {name: _key(given.get(name, "")) for name in ("group", "network", "course")}
    chosen = {
        name: given.get(name, "") if given.get(name, "") in known else ""
        for name, known in (("kind", KINDS), ("state", STATES))
    }
    sort = given.get("sort", DEFAULT_SORT)
    number = given.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 1
    asked = Question(
        find if problem is None else "",
        **plain,
        **chosen,
        sort=sort if sort in SORTS else DEFAULT_SORT,
        turned=given.get("turned", "") == "1",
        page=min(max(1, page), MAX_PAGE),
    )
    return asked, {} if problem is None else {"find": CHARACTERS_PROBLEM}


@dataclass(frozen=True)
class Found:
    """How many a question means, and the identifiers of those that were wanted of them, in order."""

    count: int
    ids: Sequence[str]


def found(visit: Visit, asked: Question, start: int = 0, limit: int = PAGE_SIZE) -> Found:
    """Those that the question means, from `start` on; where that is past the end, of the last page."""
    session, owner_id, now = visit.session, visit.services.place.owner_id, visit.now
    query, by = asked.query, cast(By, asked.sort)
    if asked.find:
        rows = matching(online.find(session, owner_id, query, now), asked.find, macs_at(asked.find))
        start = _within(start, len(rows), limit)
        return Found(len(rows), [row.id for row in in_order(rows, by, turned=asked.turned)[start : start + limit]])
    count = online.count(session, owner_id, now, query)
    greatest_first, start = SORTS[by] != asked.turned, _within(start, count, limit)
    ids = online.sorted_page(
        session, owner_id, query, now, by=by, greatest_first=greatest_first, start=start, limit=limit
    )
    return Found(count, ids)


def _within(start: int, count: int, limit: int) -> int:
    return min(start, max(0, count - 1) // limit * limit)


def _key(text: str) -> str:
    """What can be a key, an interface or an identifier; "" for what can't (PostgreSQL refuses to compare with NUL)."""
    return text if len(text) <= 64 and text.isprintable() else ""


def macs_at(text: str) -> frozenset[str]:
    """The device that has the IP address written, as the kernel knows it now."""
    address = address_in(text)
    device = resolve(address) if address is not None else None
    return frozenset() if device is None else frozenset({device.mac})
