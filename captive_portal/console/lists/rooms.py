"""The pages of lists: every source with what is in force of it, and, for IT, switching, refreshing and removing it.

Nothing is fetched or read here: what is asked for goes into the database, and the jobs service does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.lists import words
from captive_portal.console.lists.overlap import Overlap, Overlaps
from captive_portal.console.lists.view import Row, every_row, one_row
from captive_portal.console.policy import quarantine
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.visit import Visit
from gateway.lists import due, sources
from gateway.lists.source import KEY
from gateway.storage import lists as stored
from policies.categories import CATEGORIES
from policies.hygiene import Quarantined, read_quarantine
from policies.names import PolicyError

HISTORY = 20
HELD_SHOWN = 20
EVERY_S, EVERY_WHEN_SLOW_S = 2, 15


class ListPages:
    """What the pages show and do; the quarantine is read from the compiled snapshot."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot
        self._overlaps = Overlaps()

    def overview(self, visit: Visit) -> Response:
        """GET /lists"""
        rows = every_row(visit.session, visit.services, visit.now)
        on = [row for row in rows if row.source.enabled]
        off: Mapping[str, list[Row]] = {key: [] for key in CATEGORIES}
        for row in rows:
            if not row.source.enabled:
                off[row.source.category].append(row)
        moving = sum(row.state in ("busy", "waiting") for row in on)
        response = visit.page(
            "lists.html",
            on=on,
            off={key: found for key, found in off.items() if found},
            names=sum(row.facts.entries for row in on if row.facts is not None),
            moving=moving,
            notice=visit.query.get("notice", ""),
            **_shared(visit),
        )
        if moving and visit.query.get("notice") == "asked":
            response.headers["Refresh"] = f"{EVERY_S}; url=/lists?notice=asked"
        return response

    def show(self, visit: Visit) -> Response:
        """GET /lists/source/{key}: it comes again by itself while a refresh is under way."""
        row = self._row(visit)
        if row is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        before = visit.query.get("before", "")
        place = visit.services.place
        tries = stored.history(
            visit.session, place.owner_id, place.gateway_id, row.source.key, HISTORY + 1,
            int(before) if before.isdigit() and len(before) < 19 else None,
        )  # fmt: skip
        held, held_total = self._held(row.source.key)
        response = visit.page(
            "list.html",
            row=row,
            tries=tries[:HISTORY],
            older=tries[HISTORY - 1].id if len(tries) > HISTORY else None,
            held=held,
            held_total=held_total,
            overlap=self._overlap(row.source.key),
            next_due=due.next_due(visit.session, place, row.source) if row.configured else None,
            notice=visit.query.get("notice", ""),
            **_shared(visit),
        )
        if row.state in ("busy", "waiting") and not before:
            seconds = EVERY_WHEN_SLOW_S if row.is_slow(visit.now) else EVERY_S
            response.headers["Refresh"] = f"{seconds}; url=/lists/source/{row.source.key}"
        return response

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

    def _overlap(self, key: str) -> Overlap | None:
        try:
            return self._overlaps.of(self._snapshot.read(), key)
        except PolicyError:  # damaged since: the page of the content filter says so
            return None

    def _held(self, key: str) -> tuple[Sequence[Quarantined], int]:
        """What the compiled snapshot holds back of a source: the first of them, and how many are told of in all."""
        compiled = self._snapshot.read()
        if compiled is None:
            return (), 0
        _, entries = read_quarantine(compiled.snapshot.section("quarantine"))
        own = [each for each in entries if each.source.partition("!")[0] == key]
        return own[:HELD_SHOWN], len(own)


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
