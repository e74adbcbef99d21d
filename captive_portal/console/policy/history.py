"""What was published: every generation, what differs between two of them in words, and going back to one."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.evidence.periods import read_period
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.policy.in_use import missed
from captive_portal.console.policy.room import NOT_TAKEN, NOTE_MAX_CHARS, NOTE_PROBLEMS, open_room, shared, words
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import Visit
from gateway.errors import UsageError
from gateway.lists import generations as publishing
from gateway.storage import generations, places
from gateway.storage.keyset import Part
from gateway.storage.policy_models import PolicyGeneration
from policies.document import parse_document
from policies.names import PolicyError

TABLE = Table("/policy/history", (Column("published", N_("Published"), "moment"),), own="number", size=30)
NO_GENERATION = N_("There is no such generation. Choose two of those in the history.")
UNREADABLE = N_("One of the two was published by a release that allowed more, and can’t be compared.")
MEANWHILE = N_("Something else was published after you looked. This is what going back would change now.")


def show(visit: Visit) -> Response:
    """GET /policy/history"""
    period = read_period(visit.query.get("first", ""), visit.query.get("last", ""))
    asked = TABLE.read(visit.query, {"first": period.first, "last": period.last})
    part: Part[PolicyGeneration] = Part((), is_first=True, is_last=True)
    if not period.problems:
        owner_id = visit.services.place.owner_id
        part = generations.page_of_generations(visit.session, owner_id, period.since, period.until, asked.cut)
    return visit.page(
        "policy_history.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if period.problems else HTTPStatus.OK,
        shown=asked.shown(part, lambda row: (row.published_at, row.generation)),
        period=period,
        **shared(open_room(visit)),
    )


def compare(visit: Visit) -> Response:
    """GET /policy/compare: from one generation to another."""
    first, second = visit.query.get("from", ""), visit.query.get("to", "")
    problem, told = "", None
    owner_id = visit.services.place.owner_id
    rows = [
        generations.by_number(visit.session, owner_id, int(each)) if _is_number(each) else None
        for each in (first, second)
    ]
    if rows[0] is None or rows[1] is None:
        problem = NO_GENERATION if first or second else ""
    else:
        try:
            told = words(visit, parse_document(rows[0].document), parse_document(rows[1].document))
        except PolicyError:
            problem = UNREADABLE
    return visit.page(
        "policy_compare.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        first=first[:20], second=second[:20], problem=problem, told=told, rows=rows, **shared(open_room(visit)),
    )  # fmt: skip


def ask_rollback(visit: Visit) -> Response:
    """GET /policy/rollback/{generation}: changes nothing yet."""
    return _ask(visit)


def rollback(visit: Visit) -> Response:
    """POST /policy/rollback/{generation}: what it said is in force again, as a new generation."""
    number = visit.params["generation"]
    if not _is_number(number):
        return visit.failed(HTTPStatus.NOT_FOUND)
    note, wrong = clean_line(visit.form.get("note"), NOTE_MAX_CHARS)
    if wrong is not None:
        return _ask(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=NOTE_PROBLEMS[wrong], note=note)
    places.lock_owner(visit.session, visit.services.place.owner_id)
    if visit.form.get("generation") != str(open_room(visit).generation):
        return _ask(visit, HTTPStatus.CONFLICT, problem=MEANWHILE, note=note)
    try:
        publishing.rollback(visit.session, visit.services.place, int(number), visit.member.username, note, visit.now)
    except (UsageError, PolicyError) as error:
        told = visit.look.translator(visit.language)(NOT_TAKEN, reason=str(error))
        return _ask(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=told, note=note)
    return visit.go("/policy?notice=published")


def _ask(visit: Visit, status: int = HTTPStatus.OK, *, problem: str = "", note: str = "") -> Response:
    number, room = visit.params["generation"], open_room(visit)
    row = (
        generations.by_number(visit.session, visit.services.place.owner_id, int(number)) if _is_number(number) else None
    )
    if row is None or room.standing is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    told: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    lacking: Sequence[str] = ()
    try:
        planned = publishing.rolled_back(visit.session, visit.services.place, row.generation)
        after = parse_document(planned.document)
        told = words(visit, parse_document(room.standing.document), after)
        ended = tuple(dict.fromkeys(visit.group_names(each) for each in planned.ended))
        lacking = missed(visit, after)
    except PolicyError:
        problem = problem or UNREADABLE
    return visit.page(
        "policy_rollback.html", status, row=row, told=told, ended=ended, missed=lacking, problem=problem, note=note,
        **shared(room),
    )  # fmt: skip


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
