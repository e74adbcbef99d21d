"""The policy page: categories of the default group, open or closed; saving publishes a generation."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from captive_portal.console import try_name
from captive_portal.console.compiled import SnapshotReader
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.lists import generations as publishing
from gateway.storage import generations
from policies.categories import CATEGORIES
from policies.document import default_document

GROUP = "default"
NOTE_MAX_CHARS = 200
HISTORY = 10

STALE = N_(
    "Somebody else has published since you opened this page. It now shows their policy: look at it, and try again."
)
UNKNOWN = N_("A category in the form is unknown. The page has been loaded again: try once more.")
SAME = N_("Nothing was changed, so nothing was published.")
NOTE_PROBLEMS = {
    "too_long": N_("The note may have at most 200 characters."),
    "characters": N_("The note has characters that can't be used, such as control characters. Write it again."),
}


class PolicyPages:
    """The two halves of the page; they share what is known of the compiled snapshot."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def show(self, visit: Visit) -> Response:
        """GET /policy"""
        return self._page(visit, notice=visit.query.get("notice", ""))

    def publish(self, visit: Visit) -> Response:
        """POST /policy: the ticked categories are closed, all others open."""
        place, session = visit.services.place, visit.session
        wanted = set(visit.form.all("closed"))
        note, problem = clean_line(visit.form.get("note"), NOTE_MAX_CHARS)
        generation = self._generation(visit)
        if visit.form.get("generation") != str(generation):
            return self._page(visit, HTTPStatus.CONFLICT, problem=STALE, note=note)
        if not wanted <= CATEGORIES.keys():
            return self._page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=UNKNOWN, note=note)
        if problem is not None:
            return self._page(
                visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=NOTE_PROBLEMS[problem], note=note, closed=wanted
            )
        if generation and wanted == self._closed(visit):
            return self._page(visit, problem=SAME, note=note)
        changed = wanted ^ self._closed(visit) if generation else None

        def edit(document: dict[str, Any]) -> None:
            group = document["groups"][GROUP]
            # In a draft of others only what is changed here is changed.
            group["closed"] = sorted(wanted if changed is None else (set(group["closed"]) - changed) | changed & wanted)

        publishing.publish_change(session, place, edit, visit.member.username, note, visit.now)
        return visit.go("/policy?notice=published")

    def _page(
        self,
        visit: Visit,
        status: int = HTTPStatus.OK,
        *,
        problem: str = "",
        notice: str = "",
        note: str = "",
        closed: Collection[str] | None = None,
    ) -> Response:
        owner_id = visit.services.place.owner_id
        compiled = self._snapshot.read()
        listed = CATEGORIES.keys() if compiled is None else compiled.categories
        return visit.page(
            "policy.html",
            status,
            covered=[category for key, category in CATEGORIES.items() if key in listed],
            uncovered=[category for key, category in CATEGORIES.items() if key not in listed],
            closed=self._closed(visit) if closed is None else closed,
            generation=self._generation(visit),
            history=generations.history(visit.session, owner_id, HISTORY),
            compiled=compiled,
            problem=problem,
            notice=notice,
            note=note,
            note_max_chars=NOTE_MAX_CHARS,
            trial=try_name.try_name(visit, compiled.snapshot if compiled is not None else None),
            words=try_name,
        )

    def _generation(self, visit: Visit) -> int:
        published = generations.in_force(visit.session, visit.services.place.owner_id)
        return published.generation if published is not None else 0

    def _closed(self, visit: Visit) -> set[str]:
        published = generations.in_force(visit.session, visit.services.place.owner_id)
        document = published.document if published is not None else default_document()
        return set(document["groups"][GROUP]["closed"])
