"""What is asked of the list of devices online: words and filters, kept in every link, and its orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlencode

from captive_portal.console.evidence.search import CHARACTERS_PROBLEM, MAX_CHARS
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import Visit
from gateway.link.neighbours import resolve
from gateway.storage import online_page
from gateway.storage.keyset import Cut, Part, Place
from gateway.storage.models import Grant
from gateway.storage.online import Kind, OnlineQuery
from gateway.storage.online_words import is_word
from gateway.storage.traffic import Octets

TABLE = Table(
    "/devices",
    (
        Column("since", N_("Access since"), "moment"),
        Column("name", N_("Name"), "private"),
        Column("device", N_("Device"), "private"),
        Column("until", N_("Access until"), "moment", greatest_first=False),
        Column("traffic", N_("Traffic"), "number", greatest_first=True),
    ),
)
KINDS = ("accepted", "admitted")
STATES = ("through", "waiting")


@dataclass(frozen=True)
class Question:
    """As typed or chosen; "" asks for nothing, and so does a word of nothing but hyphens. `course` is an identifier."""

    find: str = ""
    group: str = ""
    network: str = ""
    course: str = ""
    kind: str = ""
    state: str = ""

    def __post_init__(self) -> None:
        if not is_word(self.find):
            object.__setattr__(self, "find", "")

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
        """What the database is asked for."""
        through = {"": None, "through": True, "waiting": False}[self.state]
        kind, macs = cast(Kind, self.kind), _macs_at(self.find)
        return OnlineQuery(self.group, self.network, self.course, kind, through, self.find, macs)

    def address(self, path: str = "/devices") -> str:
        """The same question, as an address."""
        return f"{path}?{urlencode(self.filters)}" if self.filters else path


def read(given: Mapping[str, str]) -> tuple[Question, dict[str, str]]:
    """The question of a query string or a form, and what is wrong with it by field; what is unknown is left out."""
    find, problem = clean_line(given.get("find", ""), MAX_CHARS)
    plain = {name: _key(given.get(name, "")) for name in ("group", "network", "course")}
    chosen = {
        name: given.get(name, "") if given.get(name, "") in known else ""
        for name, known in (("kind", KINDS), ("state", STATES))
    }
    asked = Question(find if problem is None else "", **plain, **chosen)
    return asked, {} if problem is None else {"find": CHARACTERS_PROBLEM}


def found(visit: Visit, asked: Question, cut: Cut) -> Part[str]:
    """A part of those that the question means, as identifiers."""
    return online_page.page(visit.session, visit.services.place.owner_id, asked.query, visit.now, cut)


def place_of(grant: Grant, by: str, octets: Mapping[str, Octets]) -> Place:
    """Where a grant stands in an order; by device and name the database looks it up."""
    if by == "traffic":
        return sum(octets.get(grant.id, (0,))), grant.id
    return {"since": grant.starts_at, "until": grant.ends_at}.get(by), grant.id


def _key(text: str) -> str:
    """What can be a key, an interface or an identifier; "" for what can't (PostgreSQL refuses to compare with NUL)."""
    return text if len(text) <= 64 and text.isprintable() else ""


def _macs_at(text: str) -> frozenset[str]:
    """The device that has the IP address written, as the kernel knows it now."""
    try:
        address = ip_address(text)
    except ValueError:
        return frozenset()
    device = resolve(address)
    return frozenset() if device is None else frozenset({device.mac})
