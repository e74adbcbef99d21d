"""Writing the rules: a draft for each group, kept, looked at and thrown away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.rules import form as rules_form
from captive_portal.console.rules.form import Typed
from captive_portal.console.rules.looking import CHANGED, show_draft
from captive_portal.console.rules.room import Room, draft_of, in_force_in, languages, room_of
from captive_portal.console.visit import Visit
from gateway.storage import rules_drafts
from gateway.storage.rules_draft_models import RulesDraft
from gateway.terms import drafting
from gateway.terms.compare import Row, compare
from gateway.terms.draft import Draft, begin, suggested_label
from gateway.terms.publish import short_texts, starter_texts


def edit(visit: Visit) -> Response:
    """GET /rules/{group}/edit: the draft; else what is in force, or the starter rules, to begin one with."""
    room = room_of(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    row = draft_of(visit, room)
    draft = drafting.kept(row) if row is not None else begun(visit, room)
    return _form(visit, room, row, rules_form.typed(draft, languages(visit)))


def save(visit: Visit) -> Response:
    """POST /rules/{group}/edit"""
    room = room_of(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    draft, typed, problems = rules_form.read(visit.form, languages(visit))
    edition = visit.form.get("edition")
    if problems:
        return _form(visit, room, draft_of(visit, room), typed, problems=problems, edition=edition)
    place, by = visit.services.place, visit.member.username
    done = drafting.keep(visit.session, place, room.key, draft, edition, by, visit.now)
    if isinstance(done, drafting.Overtaken):
        return _form(visit, room, done.draft, typed, overtaken=draft)
    return visit.go(f"{room.path}/preview" if visit.form.get("then") == "look" else f"{room.path}/edit?notice=saved")


def preview(visit: Visit) -> Response:
    """GET /rules/{group}/preview: as guests will see it, and beside what is in force."""
    room = room_of(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    row = draft_of(visit, room)
    if row is None:
        return visit.go(f"{room.path}/edit")
    return show_draft(visit, room, row)


def ask_discard(visit: Visit) -> Response:
    """GET /rules/{group}/discard: throws nothing away yet."""
    room = room_of(visit)
    row = draft_of(visit, room) if room is not None else None
    if room is None or row is None:
        return visit.failed(HTTPStatus.NOT_FOUND, reason="" if room is None else "draft-gone")
    return visit.page("rules_discard.html", room=room, row=row)


def discard(visit: Visit) -> Response:
    """POST /rules/{group}/discard"""
    room = room_of(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    overtaken = drafting.drop(visit.session, visit.services.place, room.key, visit.form.get("edition"))
    if overtaken is None:
        return visit.go("/rules?notice=discarded")
    if overtaken.draft is None:
        return visit.failed(HTTPStatus.CONFLICT, reason="draft-gone")
    return show_draft(visit, room, overtaken.draft, CHANGED)


def _form(
    visit: Visit,
    room: Room,
    row: RulesDraft | None,
    typed: Typed,
    *,
    problems: Mapping[str, str] | None = None,
    edition: str | None = None,
    overtaken: Draft | None = None,
) -> Response:
    alert = "" if overtaken is None else "gone" if row is None else "taken"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.CONFLICT if alert else HTTPStatus.OK
    return visit.page(
        "rules_edit.html",
        status,
        room=room,
        row=row,
        typed=typed,
        edition=edition if edition is not None else row.edition if row is not None else "",
        problems=problems or {},
        alert=alert,
        differing=_differing(drafting.kept(row), overtaken) if row is not None and overtaken is not None else {},
        tongues=languages(visit),
        notice=visit.query.get("notice", ""),
        in_force=in_force_in(visit, room),
    )


def _differing(theirs: Draft, yours: Draft) -> dict[str, Sequence[Row]]:
    """By language, the paragraphs of two drafts that differ."""
    old, new = theirs.written, yours.written
    rows = {each: compare(old.get(each, ""), new.get(each, "")) for each in sorted(old.keys() | new.keys())}
    found = {each: [row for row in rows[each] if row.differs] for each in rows}
    return {each: differ for each, differ in found.items() if differ}


def begun(visit: Visit, room: Room) -> Draft:
    tongues, version = languages(visit), in_force_in(visit, room)
    taken = rules_drafts.labels(visit.session, visit.services.place.owner_id)
    label = suggested_label(taken, room.key, drafting.norwegian_day(visit.now).year)
    if version is None:
        asks_no_name = visit.services.settings.portal.asked(room.key)["name"] == "no"
        return begin(short_texts() if asks_no_name else starter_texts(), tongues, label)
    texts = {text.language: text.markdown for text in version.texts}
    return begin(texts, tongues, label, binding=version.binding_language, adopting_body=version.adopting_body)
