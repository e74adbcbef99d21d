"""The policy page: categories of a group, open or closed, and the quarantine; each change is a generation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

from starlette.responses import Response

from captive_portal.console import kept_words, try_name
from captive_portal.console import policy_quarantine as quarantine
from captive_portal.console.compiled import SnapshotReader
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.lists import generations as publishing
from gateway.storage import generations
from policies.categories import CATEGORIES
from policies.compiler import never_blocked
from policies.document import DEFAULT_GROUP, default_document, parse_document
from policies.no_effect import idle_rules

NOTE_MAX_CHARS = 200
HISTORY = 10
STALE = N_(
    "Somebody else has published since you opened this page. It now shows their policy: look at it, and try again."
)
UNKNOWN = N_("A category in the form is unknown. The page has been loaded again: try once more.")
NO_GROUP = N_("There is no such group. The page has been loaded again: choose one, and try once more.")
SAME = N_("Nothing was changed, so nothing was published.")
NOTE_PROBLEMS = {
    "too_long": N_("The note may have at most 200 characters."),
    "characters": N_("The note has characters that can't be used, such as control characters. Write it again."),
}


class PolicyPages:
    """What the page shows and does; all of it shares what is known of the compiled snapshot."""

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
        generation, key = self._generation(visit), _asked_group(visit)
        if visit.form.get("generation") != str(generation):
            return self._page(visit, HTTPStatus.CONFLICT, problem=STALE, note=note)
        if key not in self._document(visit)["groups"]:
            return self._page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=NO_GROUP, note=note)
        if not wanted <= CATEGORIES.keys():
            return self._page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=UNKNOWN, note=note)
        if problem is not None:
            return self._page(
                visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=NOTE_PROBLEMS[problem], note=note, closed=wanted
            )
        if generation and wanted == _closed(self._document(visit), key):
            return self._page(visit, problem=SAME, note=note)
        changed = wanted ^ _closed(self._document(visit), key) if generation else None

        def edit(document: dict[str, Any]) -> None:
            group = document["groups"].get(key)
            if group is None:  # a draft of others may be without it
                return
            # In a draft of others only what is changed here is changed.
            group["closed"] = sorted(wanted if changed is None else (set(group["closed"]) - changed) | changed & wanted)

        publishing.publish_change(session, place, edit, visit.member.username, note, visit.now)
        of = "" if key == DEFAULT_GROUP else f"&{urlencode({'group': key})}"
        return visit.go(f"/policy?notice=published{of}")

    def overrule(self, visit: Visit) -> Response:
        """POST /policy/overrule: a list may close a name that is held back."""
        name, source = visit.form.get("name"), visit.form.get("source")
        compiled = self._snapshot.read()
        if compiled is None or not quarantine.is_held(compiled.snapshot, name, source):
            return self._page(visit, HTTPStatus.CONFLICT, problem=quarantine.GONE)
        if quarantine.is_overruled(self._document(visit), name, source):
            return self._page(visit, problem=SAME)
        note = visit.look.translator(visit.language)(quarantine.NOTE, name=name, source=source)[:NOTE_MAX_CHARS]

        def edit(document: dict[str, Any]) -> None:
            quarantine.overrule(document, name, source)

        publishing.publish_change(visit.session, visit.services.place, edit, visit.member.username, note, visit.now)
        return visit.go("/policy?notice=overruled#quarantine")

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
        document = self._document(visit)
        group = _asked_group(visit)
        group = group if group in document["groups"] else DEFAULT_GROUP
        closed = _closed(document, group) if closed is None else closed
        listed = CATEGORIES.keys() if compiled is None else compiled.categories
        others = [category for category in CATEGORIES.values() if not category.required]
        uncovered = [category for category in others if category.key not in listed]
        return visit.page(
            "policy.html",
            status,
            required=[category for category in CATEGORIES.values() if category.required],
            covered=[category for category in others if category.key in listed],
            uncovered=uncovered,
            # Whoever closed one without a list may believe that it is stopped; one that is closed from the start tells
            # nothing new.
            unfold=any(category.key in closed and not category.closed_by_default for category in uncovered),
            listed=listed,
            closed=closed,
            group=group,
            groups={key: _title(each, visit.language) for key, each in document["groups"].items()},
            generation=self._generation(visit),
            draft=self._draft(visit),
            history=generations.history(visit.session, owner_id, HISTORY),
            kept=kept_words,
            idle=list(idle_rules(parse_document(document), self._never(visit, document))),
            compiled=compiled,
            held=quarantine.held_back(compiled.snapshot) if compiled is not None else None,
            quarantine=quarantine,
            document=document,
            categories=CATEGORIES,
            problem=problem,
            notice=notice,
            note=note,
            note_max_chars=NOTE_MAX_CHARS,
            trial=try_name.try_name(visit, compiled.snapshot if compiled is not None else None),
            words=try_name,
        )

    def _never(self, visit: Visit, document: Mapping[str, Any]) -> Mapping[str, str]:
        return never_blocked(parse_document(document), (visit.services.settings.portal.hostname,))

    def _generation(self, visit: Visit) -> int:
        published = generations.in_force(visit.session, visit.services.place.owner_id)
        return published.generation if published is not None else 0

    def _draft(self, visit: Visit) -> Literal["", "stays", "joins"]:
        """What publishing does with the draft that the command line holds: it stays, or, the first time, joins."""
        if self._generation(visit):
            return "stays" if publishing.has_draft(visit.session, visit.services.place) else ""
        return "joins" if generations.draft(visit.session, visit.services.place.owner_id) is not None else ""

    def _document(self, visit: Visit) -> Mapping[str, Any]:
        published = generations.in_force(visit.session, visit.services.place.owner_id)
        return published.document if published is not None else default_document()


def _asked_group(visit: Visit) -> str:
    return visit.form.get("group") or visit.query.get("group") or DEFAULT_GROUP


def _title(group: Mapping[str, Any], language: str) -> str:
    return str(group.get("names", {}).get(language, ""))


def _closed(document: Mapping[str, Any], group: str) -> set[str]:
    return set(document["groups"][group]["closed"])
