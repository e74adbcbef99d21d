"""The pages of lists: every source with what is in force of it, and, for IT, switching, refreshing and removing it.

Nothing is fetched or read here: what is asked for goes into the database, and the jobs service does it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.forms import clean_line
from captive_portal.console.lists import words
from captive_portal.console.lists.adding import TOO_LARGE
from captive_portal.console.lists.overlap import Overlap, Overlaps
from captive_portal.console.lists.view import Row, every_row, one_row
from captive_portal.console.look import N_
from captive_portal.console.policy import quarantine
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import Visit
from gateway.lists import due, sources
from gateway.lists.source import KEY
from gateway.storage import lists as stored
from gateway.storage.keyset import Place, part_of_rows
from policies.categories import CATEGORIES
from policies.hygiene import Quarantined, read_quarantine
from policies.names import PolicyError

TABLE = Table("/lists", (Column("title", N_("List")), Column("names", N_("In force"), "number")), descending=False)
HISTORY = Table("", (Column("id", N_("When"), "moment"),), own="number", size=20)
FIND_MAX_CHARS = 100
HELD_SHOWN = 20
EVERY_S, EVERY_WHEN_SLOW_S = 2, 15


class ListPages:
    """What the pages show and do; the quarantine is read from the compiled snapshot."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot
        self._overlaps = Overlaps()

    def overview(self, visit: Visit) -> Response:
        """GET /lists"""

        def place_of(row: Row) -> Place:
            names = in_force.get(row.source.key, 0)
            return (names if asked.cut.by == "names" else row.source.title.casefold()), row.source.key

        every = every_row(visit.session, visit.services, visit.now)
        held = Counter(each.source.partition("!")[0] for each in self._quarantine())
        in_force = {
            row.source.key: max(0, row.facts.entries - held[row.source.key]) for row in every if row.facts is not None
        }
        on = [row for row in every if row.source.enabled]
        find, problem = clean_line(visit.query.get("find", ""), FIND_MAX_CHARS)
        category = visit.query.get("category", "") if visit.query.get("category") in CATEGORIES else ""
        asked = TABLE.read(visit.query, {"find": find, "category": category})
        rows = [row for row in every if problem is None and _is_asked_for(row, find, category)]
        off: Mapping[str, list[Row]] = {key: [] for key in CATEGORIES}
        for row in rows:
            if not row.source.enabled:
                off[row.source.category].append(row)
        moving = sum(row.is_moving for row in on)
        return visit.page(
            "lists.html",
            on=on,
            shown=asked.shown(part_of_rows(asked.cut, [row for row in rows if row.source.enabled], place_of), place_of),
            find=find,
            category=category,
            off={key: found for key, found in off.items() if found},
            in_force=in_force,
            names=sum(in_force.get(row.source.key, 0) for row in on),
            moving=moving,
            every_s=EVERY_S if moving else 0,
            troubled=sum(row.state in ("trouble", "damaged") for row in on),
            notice=visit.query.get("notice", ""),
            **_shared(visit),
        )

    def show(self, visit: Visit) -> Response:
        """GET /lists/source/{key}: it is told anew by itself while a refresh is under way."""
        row = self._row(visit)
        if row is None:
            return self._refused(visit)
        place, key = visit.services.place, row.source.key
        asked = replace(HISTORY, path=f"/lists/source/{key}").read(visit.query)
        tries = stored.page_of_history(visit.session, place.owner_id, place.gateway_id, key, asked.cut)
        pace_s = EVERY_WHEN_SLOW_S if row.is_slow(visit.now) else EVERY_S
        held, held_total = self._held(row.source.key)
        return visit.page(
            "list.html",
            row=row,
            tries=asked.shown(tries, lambda each: (each.finished_at, each.id)),
            held=held,
            held_total=held_total,
            overlap=self._overlap(row.source.key),
            next_due=due.next_due(visit.session, place, row.source) if row.configured else None,
            every_s=pace_s if row.is_moving and asked.place is None else 0,
            notice=visit.query.get("notice", ""),
            too_large=TOO_LARGE,
            **_shared(visit),
        )

    def too_large(self, visit: Visit) -> Response:
        """Of a newer file that is too large."""
        return self.show(replace(visit, query={"notice": "too-large"}))

    def switch(self, visit: Visit) -> Response:
        """POST /lists/source/{key}/switch"""
        row = self._row(visit)
        if row is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        switch(visit, row, on=visit.form.get("on") == "1")
        return visit.go(f"/lists/source/{row.source.key}")

    def refresh(self, visit: Visit) -> Response:
        """POST /lists/source/{key}/refresh"""
        row = self._row(visit)
        if row is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        if row.refreshable:
            accept = visit.form.get("accept") == "1"
            due.ask(
                visit.session, visit.services.place, row.source.key, visit.member.username, visit.now, accept=accept
            )
        return visit.go(f"/lists/source/{row.source.key}")

    def refresh_all(self, visit: Visit) -> Response:
        """POST /lists/refresh: all that are on."""
        refresh_all(visit)
        return visit.go("/lists?notice=asked")

    def ask_remove(self, visit: Visit) -> Response:
        """GET /lists/source/{key}/remove: removes nothing yet."""
        row = self._row(visit)
        if row is None or not (row.own and row.configured):
            return visit.failed(HTTPStatus.NOT_FOUND)
        return visit.page("list_remove.html", row=row, **_shared(visit))

    def remove(self, visit: Visit) -> Response:
        """POST /lists/source/{key}/remove: only one's own; those of the catalogue are switched off."""
        row = self._row(visit)
        if row is None or not row.own or not sources.drop(visit.session, visit.services.place, row.source.key):
            return visit.failed(HTTPStatus.NOT_FOUND)
        return visit.go("/lists?notice=removed")

    def _row(self, visit: Visit) -> Row | None:
        key = visit.params["key"]
        return one_row(visit.session, visit.services, key, visit.now) if KEY.fullmatch(key) else None

    def _refused(self, visit: Visit) -> Response:
        """Of a file that was never taken in: why. It left no list behind."""
        key, place = visit.params["key"], visit.services.place
        found = stored.newest_anywhere(visit.session, place.owner_id, key) if KEY.fullmatch(key) else None
        if found is None or found.outcome != "refused":
            return visit.failed(HTTPStatus.NOT_FOUND)
        return visit.page("list_refused.html", last=found, **_shared(visit))

    def _overlap(self, key: str) -> Overlap | None:
        try:
            return self._overlaps.of(self._snapshot.read(), key)
        except PolicyError:  # damaged since: the page of the content filter says so
            return None

    def _held(self, key: str) -> tuple[Sequence[Quarantined], int]:
        """What the compiled snapshot holds back of a source: the first of them, and how many are told of in all."""
        own = [each for each in self._quarantine() if each.source.partition("!")[0] == key]
        return own[:HELD_SHOWN], len(own)

    def _quarantine(self) -> Sequence[Quarantined]:
        """What the compiled snapshot holds back, of all lists: the first ten thousand."""
        compiled = self._snapshot.read()
        return () if compiled is None else read_quarantine(compiled.snapshot.section("quarantine"))[1]


def _is_asked_for(row: Row, find: str, category: str) -> bool:
    named = f"{row.source.title} {row.source.key} {row.source.licence}".casefold()
    return category in ("", row.source.category) and find.casefold() in named


def switch(visit: Visit, row: Row, *, on: bool) -> None:
    """Switch a source on or off; one that has nothing in force yet is fetched at once."""
    if row.source.enabled == on:
        return
    keep = due.add if on and row.facts is None else sources.put
    keep(visit.session, visit.services.place, replace(row.source, enabled=on), visit.member.username, visit.now)


def refresh_all(visit: Visit) -> int:
    """Have every list refreshed that is on; how many that are."""
    found = [row for row in every_row(visit.session, visit.services, visit.now) if row.refreshable]
    for row in found:
        due.ask(visit.session, visit.services.place, row.source.key, visit.member.username, visit.now)
    return len(found)


def _shared(visit: Visit) -> dict[str, object]:
    return {
        "categories": CATEGORIES,
        "words": words,
        "quarantine": quarantine,
        "may_change": visit.member.role == "it",
    }
