"""The search of acceptances: what was typed, what of it the reader may ask, and the page of rows that it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from captive_portal.console.evidence.periods import Period, read_period
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.tables import PAGE_SIZE, Column, Shown, Table
from captive_portal.console.visit import Visit
from gateway.access.receipts import parse_receipt_code
from gateway.storage import places, rules, search
from gateway.storage.keyset import Part
from gateway.storage.models import Acceptance, fold
from gateway.storage.search import MIN_MAC_DIGITS, MIN_NAME_CHARS, AcceptanceQuery

TABLE = Table("/acceptances", (Column("at", N_("Accepted"), "moment"), Column("name", N_("Name"), "private")))
MAX_CHARS, VERSIONS = 100, 200
# The personal field that a reader must be allowed to see in order to search by it.
NEEDS = {"name": "name", "device": "mac", "course": "course_code", "receipt": "receipt"}
NAME_PROBLEM = N_("Write at least three characters of the name.")
COMMON_NAME_PROBLEM = N_("So many have this in their names that they can’t be sorted by name. Write more of the name.")
DEVICE_PROBLEM = N_("Write the device’s address, or at least its last four characters: digits and letters a–f.")
RECEIPT_PROBLEM = N_("A receipt code has 16 characters in four groups. Write all of it.")
CHARACTERS_PROBLEM = N_("This has characters that can’t be used, or is too long.")
assert (MIN_NAME_CHARS, MIN_MAC_DIGITS) == (3, 4), "the messages above say other numbers"


@dataclass(frozen=True)
class Search:
    """What a page shows of a search: the fields as typed, their problems, and the rows."""

    typed: Mapping[str, str]
    period: Period
    problems: dict[str, str]
    shown: Shown[Acceptance]
    sites: Sequence[str]
    versions: Sequence[str]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked for, or this is not the first page."""
        return any(self.typed.values()) or self.shown.number > 1


def find(visit: Visit, limit: int = PAGE_SIZE, *, rewinds: bool = True) -> Search:
    """What the query of this visit asks for, at most `limit` rows, within what its reader may see.

    Beyond the last of them stands the first page, where it `rewinds`.
    """
    scope, owner_id, session = visit.member.scope, visit.services.place.owner_id, visit.session
    period = read_period(visit.query.get("first", ""), visit.query.get("last", ""))
    typed, problems = {"first": period.first, "last": period.last}, dict(period.problems)
    for key in ("name", "device", "course", "receipt", "version", "site"):
        asked = visit.query.get(key, "") if scope.shows(NEEDS.get(key, "")) else ""
        typed[key], problem = clean_line(asked, MAX_CHARS)
        if problem is not None:
            problems[key] = CHARACTERS_PROBLEM
    mac = typed["device"].replace(":", "").replace("-", "").replace(" ", "").lower()
    receipt = parse_receipt_code(typed["receipt"]) if typed["receipt"] else ""
    if typed["name"] and len(fold(typed["name"])) < MIN_NAME_CHARS:
        problems["name"] = NAME_PROBLEM
    if mac and (not MIN_MAC_DIGITS <= len(mac) <= 12 or not set(mac) <= set("0123456789abcdef")):
        problems["device"] = DEVICE_PROBLEM
    if receipt is None:
        problems["receipt"] = RECEIPT_PROBLEM
    known = {
        key: site_id
        for key, site_id in places.site_keys(session, owner_id).items()
        if scope.sites is None or key in scope.sites
    }
    version = None
    if typed["version"] and "version" not in problems:
        version = rules.version_labelled(session, owner_id, typed["version"])
    site_ids = None if scope.sites is None and not typed["site"] else tuple(
        site_id for key, site_id in known.items() if typed["site"] in ("", key)
    )  # fmt: skip
    since, until = scope.within(period.since, period.until)
    table = replace(TABLE, size=limit, rewinds=rewinds)
    order = table.read(visit.query, typed, but=() if scope.shows(NEEDS["name"]) else ("name",))
    part: Part[Acceptance] = Part((), is_first=True, is_last=True)
    if not problems and (version is not None or not typed["version"]):
        query = AcceptanceQuery(
            since, until, typed["name"], mac, typed["course"], receipt or "", version.id if version else "", site_ids
        )
        try:
            part = search.page_of_acceptances(session, owner_id, query, order.cut)
        except search.TooManyNamesError:
            problems["name"] = COMMON_NAME_PROBLEM
    shown = order.shown(part, lambda row: (row.accepted_at, row.id))
    labels = dict.fromkeys(each.label for each in rules.newest_labels(session, owner_id, VERSIONS))
    return Search(
        typed, period, problems, shown, list(known), list(labels | ({typed["version"]: None} if version else {}))
    )
