"""Exemptions: categories lifted for a group for a while. Made and ended in the draft, and published with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from captive_portal.console.evidence.periods import read_moment
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.policy.room import LINE_PROBLEMS, NO_GROUP, change, open_room, shared, titles
from captive_portal.console.visit import Visit
from gateway.lists import draft_edits
from policies.categories import CATEGORIES
from policies.document import parse_document
from policies.model import NEVER_EXEMPT
from policies.names import PolicyError

LINE_MAX_CHARS = 200
ENDED_SHOWN = 50
BAD_MOMENT = N_("Write a day and a time of day.")
ORDER = N_("The exemption ends before it begins.")
PAST = N_("That has passed already.")
NO_CATEGORY = N_("Tick at least one category.")
GONE = N_("That exemption is not in the draft any more.")


def show(visit: Visit) -> Response:
    """GET /policy/exemptions"""
    return _page(visit)


def add(visit: Visit) -> Response:
    """POST /policy/exemptions"""
    form = visit.form
    lines, problems = dict[str, str](), dict[str, str]()
    for name in ("approved_by", "reason"):
        lines[name], wrong = clean_line(form.get(name), LINE_MAX_CHARS, required=True)
        if wrong is not None:
            problems[name] = LINE_PROBLEMS[wrong]
    chosen = form.all("category")
    start = read_moment(form.get("from")) if form.get("from") else visit.now
    problems = begun(visit, form.get("group"), chosen, start, read_moment(form.get("until")), lines, problems)
    if not problems:
        return visit.go("/policy/exemptions?notice=kept")
    typed = {name: form.get(name)[:LINE_MAX_CHARS] for name in ("group", "from", "until")} | lines
    return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems=problems, typed=typed | {"category": chosen})


def begun(
    visit: Visit,
    group: str,
    categories: Sequence[str],
    start: datetime | None,
    end: datetime | None,
    lines: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """An exemption in the draft, with who approved it and why in `lines`; {} when it is done, else what stands in the
    way, by field, with the `problems` found already.
    """
    found = dict(problems or {})
    chosen = [key for key in CATEGORIES if key in categories and key not in NEVER_EXEMPT]
    if group not in draft_edits.ruled_groups(open_room(visit).document):
        found["group"] = NO_GROUP
    if not chosen:
        found["category"] = NO_CATEGORY
    if start is None:
        found["from"] = BAD_MOMENT
    if end is None:
        found["until"] = BAD_MOMENT
    elif end <= visit.now:
        found["until"] = PAST
    elif start is not None and end <= start:
        found["until"] = ORDER
    if found or start is None or end is None:
        return found

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        return draft_edits.with_exemption(
            document, group, chosen, start, end, approved_by=lines["approved_by"], reason=lines["reason"]
        )[0]

    told = change(visit, edit)
    return {"": told} if told else {}


def end(visit: Visit) -> Response:
    """POST /policy/exemptions/{id}/end: it is taken out of the draft, and ends when that is published."""
    identity = visit.params["id"]
    if identity not in {each.id for each in open_room(visit).policy.exemptions}:
        return _page(visit, HTTPStatus.CONFLICT, problems={"": GONE})
    problem = change(visit, lambda document: draft_edits.without_exemption(document, identity))
    if problem:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems={"": problem})
    return visit.go("/policy/exemptions?notice=ended")


def _page(
    visit: Visit,
    status: int = HTTPStatus.OK,
    *,
    problems: Mapping[str, str] | None = None,
    typed: Mapping[str, Any] | None = None,
) -> Response:
    room = open_room(visit)
    in_force = set()
    if room.standing is not None:
        try:
            in_force = {each.id for each in parse_document(room.standing.document).exemptions}
        except PolicyError:
            in_force = set()
    ended = [each for each in room.policy.exemptions if each.end <= visit.now]
    return visit.page(
        "policy_exemptions.html",
        status,
        standing=[each for each in room.policy.exemptions if each.end > visit.now],
        ended=ended[::-1][:ENDED_SHOWN],
        in_force=in_force,
        titles=titles(visit, room.policy),
        choices=[each for each in CATEGORIES.values() if each.key not in NEVER_EXEMPT],
        problems=problems or {},
        typed=typed or {},
        notice=visit.query.get("notice", ""),
        now=visit.now,
        **shared(room),
    )
