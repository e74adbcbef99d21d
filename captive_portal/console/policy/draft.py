"""The draft: what it would change in words, publishing it with a note, and forgetting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.policy import try_name
from captive_portal.console.policy.in_use import missed
from captive_portal.console.policy.room import (
    MEANWHILE,
    NOT_TAKEN,
    NOTE_MAX_CHARS,
    NOTE_PROBLEMS,
    names,
    never,
    open_room,
    shared,
    words,
)
from captive_portal.console.visit import Visit
from gateway.access.course_openings import stranded
from gateway.errors import UsageError
from gateway.lists import generations as publishing
from gateway.storage import generations, places
from policies.document import parse_document
from policies.no_effect import idle_rules

OTHER_DRAFT = N_("The draft was changed after you looked at it. This is what it says now: look, and publish it then.")
OTHER_GENERATION = N_(
    "Generation {generation} was published by {by} after you looked. Look at what differs from it now."
)
SEEN = N_("Tick that you have seen what would be taken back.")
SAME = N_("Nothing was changed, so nothing was published.")


def show(visit: Visit) -> Response:
    """GET /policy/draft"""
    return _page(visit)


@dataclass(frozen=True)
class NotPublished:
    """Why nothing was published, by field in the reader's language, and whether something was changed meanwhile."""

    problems: dict[str, str]
    status: HTTPStatus


def publish(visit: Visit) -> Response:
    """POST /policy/draft/publish: what was looked at, and nothing else."""
    form = visit.form
    note, wrong = clean_line(form.get("note"), NOTE_MAX_CHARS)
    problems = {"note": NOTE_PROBLEMS[wrong]} if wrong is not None else {}
    done = put_in_force(
        visit, form.get("generation"), form.get("draft"), note, seen=form.get("seen") == "1", problems=problems
    )
    if isinstance(done, NotPublished):
        return _page(visit, done.status, problems=done.problems, note=note)
    return visit.go("/policy?notice=published")


def put_in_force(
    visit: Visit, generation: str, draft: str, note: str, *, seen: bool, problems: Mapping[str, str] | None = None
) -> int | NotPublished:
    """Publish the draft that says what the hash `draft` is of, over `generation`; the number of what is in force then.

    `seen`: that it takes back what was published after it was begun. `problems` are those found already.
    """
    translate = visit.look.translator(visit.language)
    places.lock_owner(visit.session, visit.services.place.owner_id)
    room, found = open_room(visit), dict(problems or {})
    if generation != str(room.generation):
        by = room.standing.published_by if room.standing is not None else ""
        return NotPublished({"": translate(OTHER_GENERATION, generation=room.generation, by=by)}, HTTPStatus.CONFLICT)
    if draft != room.etag:
        return NotPublished({"": translate(OTHER_DRAFT)}, HTTPStatus.CONFLICT)
    if room.stale and not seen:
        found["seen"] = SEEN
    if found:
        return NotPublished(found, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        return publishing.publish(
            visit.session, visit.services.place, visit.member.username, note, visit.now, over=room.stale
        )
    except publishing.NothingChangedError:
        return NotPublished({"": translate(SAME)}, HTTPStatus.OK)
    except UsageError as error:
        return NotPublished({"": translate(NOT_TAKEN, reason=str(error))}, HTTPStatus.UNPROCESSABLE_ENTITY)


def ask_discard(visit: Visit) -> Response:
    """GET /policy/draft/discard: forgets nothing yet."""
    room = open_room(visit)
    return visit.page("policy_discard.html", **shared(room))


def discard(visit: Visit) -> Response:
    """POST /policy/draft/discard"""
    if not discarded(visit, visit.form.get("draft")):
        return _page(visit, HTTPStatus.CONFLICT, problems={"": MEANWHILE})
    return visit.go("/policy?notice=discarded")


def discarded(visit: Visit, draft: str) -> bool:
    """Forget the draft that says what the hash `draft` is of; False when it says something else."""
    places.lock_owner(visit.session, visit.services.place.owner_id)
    if draft != open_room(visit).etag:
        return False
    publishing.discard_draft(visit.session, visit.services.place)
    return True


def _page(
    visit: Visit, status: int = HTTPStatus.OK, *, problems: dict[str, str] | None = None, note: str = ""
) -> Response:
    room = open_room(visit)
    since = []
    if room.stale and room.base is not None:
        since = [
            each
            for each in generations.history(visit.session, visit.services.place.owner_id, 20)
            if each.generation > room.base
        ]
    taken_back: tuple[str, ...] = ()
    base = generations.by_number(visit.session, visit.services.place.owner_id, room.base or 0) if since else None
    if base is not None and room.standing is not None:
        taken_back = words(visit, parse_document(base.document), parse_document(room.standing.document))
    return visit.page(
        "policy_draft.html",
        status,
        problems=problems or {},
        note=note,
        since=since,
        taken_back=taken_back,
        stranded=stranded(visit.session, visit.services.place, room.policy, visit.now),
        idle=list(idle_rules(room.policy, never(visit, room.policy))),
        words=try_name,
        called=names(visit, room.policy),
        missed=missed(visit, room.policy),
        **shared(room),
    )
