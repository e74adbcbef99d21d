"""The page of the content filter: categories × groups in one table, kept in the draft; and the quarantine.

Each cell tells how it stood when the page was made, so that two people who edit at once change only what they meant to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.policy import quarantine, try_name
from captive_portal.console.policy.compiled import Compiled, SnapshotReader
from captive_portal.console.policy.room import NOTE_MAX_CHARS, UNKNOWN, change, never, open_room, shared, titles
from captive_portal.console.visit import Visit
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from policies import matrix
from policies.categories import CATEGORIES
from policies.no_effect import idle_rules

CELLS_MAX_FIELDS = 1500
STATES = {
    "open": N_("Open"),
    "closed": N_("Closed"),
    "report": N_("Report only"),
    "schedule": N_("By schedule"),
}
SAME = N_("Nothing was changed.")
MET = N_("{category}, {group}: you chose “{wanted}”, but it has become “{now}” since you opened the page. It stays so.")
GONE = N_("A group that you changed is gone from the draft.")


@dataclass
class Asked:
    """What a posted table asks for, against the draft of now."""

    cells: dict[tuple[str, str], matrix.Base] = field(default_factory=dict)
    by_schedule: list[tuple[str, str]] = field(default_factory=list)
    met: list[tuple[str, str, matrix.State, matrix.State]] = field(default_factory=list)
    gone: bool = False
    unknown: bool = False


def read_cells(fields: Mapping[str, Sequence[str]], document: Mapping[str, Any]) -> Asked:
    """What the cells of a form change: each is called `MARK.CATEGORY` and says `SEEN>WANTED`.

    A cell that has become something else since it was seen is not changed, but told of (`met`).
    """
    asked = Asked()
    by_mark = {str(document["groups"][key]["mark"]): key for key in draft_edits.ruled_groups(document)}
    for name, values in fields.items():
        mark, dot, category = name.partition(".")
        if not dot:
            continue
        seen, _, wanted = values[0].partition(">")
        if category not in CATEGORIES or seen not in matrix.STATES or wanted not in matrix.STATES:
            asked.unknown = True
        elif seen == wanted:
            continue
        elif (key := by_mark.get(mark)) is None:
            asked.gone = True
        else:
            now = matrix.state(document["groups"][key], category)
            if now == wanted:
                continue
            if now != seen:
                asked.met.append((key, category, wanted, now))
            elif wanted == "schedule":
                asked.by_schedule.append((key, category))
            else:
                asked.cells[key, category] = wanted
    return asked


class PolicyPages:
    """What the page shows and does; all of it shares what is known of the compiled snapshot."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def show(self, visit: Visit) -> Response:
        """GET /policy"""
        return self._page(visit)

    def keep(self, visit: Visit) -> Response:
        """POST /policy: the cells that were changed go into the draft."""
        found: list[Asked] = []

        def edit(document: dict[str, Any]) -> dict[str, Any]:
            asked = read_cells(visit.form.fields, document)
            found.append(asked)
            return document if asked.unknown else draft_edits.with_cells(document, asked.cells)

        problem = change(visit, edit)
        if problem:
            return self._page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems=[problem])
        [asked] = found
        if asked.unknown:
            return self._page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems=[UNKNOWN])
        if asked.met or asked.gone:
            return self._page(visit, HTTPStatus.CONFLICT, problems=self._met(visit, asked))
        if asked.by_schedule:
            key, category = asked.by_schedule[0]
            return visit.go(f"/policy/groups/{key}/hours/{category}")
        if visit.form.get("then") == "publish":
            return visit.go("/policy/draft")
        return visit.go(f"/policy?notice={'kept' if asked.cells else 'same'}")

    def overrule(self, visit: Visit) -> Response:
        """POST /policy/overrule: a list may close a name that is held back; published at once."""
        problem = overruled(visit, self._snapshot, visit.form.get("name"), visit.form.get("source"))
        if problem:
            status = HTTPStatus.CONFLICT if problem == quarantine.GONE else HTTPStatus.OK
            return self._page(visit, status, problems=[problem])
        return visit.go("/policy?notice=overruled#quarantine")

    def _met(self, visit: Visit, asked: Asked) -> list[str]:
        translate = visit.look.translator(visit.language)
        room = open_room(visit)
        called = titles(visit, room.policy)
        told = [
            translate(
                MET,
                category=CATEGORIES[category].names[translate.language],
                group=called.get(key, key),
                wanted=translate(STATES[wanted]),
                now=translate(STATES[now]),
            )
            for key, category, wanted, now in asked.met
        ]
        return told + ([translate(GONE)] if asked.gone else [])

    def _page(self, visit: Visit, status: int = HTTPStatus.OK, *, problems: Sequence[str] = ()) -> Response:
        compiled, room = self._snapshot.read(), open_room(visit)
        in_force = room.standing.document["groups"] if room.standing is not None else {}
        return visit.page(
            "policy.html",
            status,
            parts_of=[
                (True, [each for each in CATEGORIES.values() if each.required]),
                (False, [each for each in CATEGORIES.values() if not each.required]),
            ],
            listed=listed_names(compiled),
            titles=titles(visit, room.policy),
            groups={key: room.document["groups"][key] for key in draft_edits.ruled_groups(room.document)},
            state=matrix.state,
            states=STATES,
            in_force=in_force,
            idle=list(idle_rules(room.policy, never(visit, room.policy))),
            compiled=compiled,
            held=quarantine.held_back(compiled.snapshot) if compiled is not None else None,
            quarantine=quarantine,
            standing_document=room.standing.document if room.standing is not None else room.document,
            problems=problems,
            notice=visit.query.get("notice", ""),
            words=try_name,
            **shared(room),
        )


def listed_names(compiled: Compiled | None) -> dict[str, tuple[int, int]] | None:
    """How many names in how many lists a category has in what is compiled; None when nothing is."""
    if compiled is None:
        return None
    names: Counter[str] = Counter()
    lists: Counter[str] = Counter()
    for source in compiled.snapshot.sources:
        names[source.category] += source.entries
        lists[source.category] += 1
    return {key: (names[key], lists[key]) for key in lists}


def overruled(visit: Visit, snapshot: SnapshotReader, name: str, source: str) -> str:
    """Let a list close a name that is held back, published at once; "" when it is done."""
    compiled = snapshot.read()
    if compiled is None or not quarantine.is_held(compiled.snapshot, name, source):
        return quarantine.GONE
    room = open_room(visit)
    if room.standing is not None and quarantine.is_overruled(room.standing.document, name, source):
        return SAME
    note = visit.look.translator(visit.language)(quarantine.NOTE, name=name, source=source)[:NOTE_MAX_CHARS]

    def edit(document: dict[str, Any]) -> None:
        quarantine.overrule(document, name, source)

    publishing.publish_change(visit.session, visit.services.place, edit, visit.member.username, note, visit.now)
    return ""
