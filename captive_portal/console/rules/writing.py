"""Writing the rules: a draft for each group, seen as guests will see it and beside what is in force, then published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.rules import form as rules_form
from captive_portal.console.rules.form import Typed
from captive_portal.console.visit import Visit
from captive_portal.guest.site import Rules
from captive_portal.i18n import LANGUAGE_NAMES
from gateway.access.exemption_requests import SESSION_PREFIX
from gateway.storage import generations, rules, rules_drafts
from gateway.storage.models import RulesVersion
from gateway.storage.rules_draft_models import RulesDraft
from gateway.terms import drafting
from gateway.terms.compare import Row, compare
from gateway.terms.draft import Draft, begin, hindrances, suggested_label
from gateway.terms.notice import blanks
from gateway.terms.publish import short_texts, starter_texts
from gateway.terms.render import render

EVERYBODY = "-"
"""What stands in addresses for the rules of everybody; no group can be called so."""
CHANGED = N_("The draft has changed since you opened the page. Look at it once more before you publish it.")


@dataclass(frozen=True)
class Room:
    """The rules of one group, or of everybody (`key` ""): what they are in addresses, and what the group is called."""

    key: str
    title: str

    @property
    def path(self) -> str:
        """Where its pages begin."""
        return f"/rules/{self.key or EVERYBODY}"


@dataclass(frozen=True)
class Standing:
    """How the rules of a group stand: the version that its guests are asked for, and the draft."""

    room: Room
    version: RulesVersion | None
    draft: RulesDraft | None


def standings(visit: Visit) -> Sequence[Standing]:
    """Everybody's rules and those of each group."""
    owner_id = visit.services.place.owner_id
    drafts = {draft.group_key: draft for draft in rules_drafts.all_of(visit.session, owner_id)}
    return [
        Standing(room, rules.version_in_force(visit.session, owner_id, room.key), drafts.get(room.key))
        for room in rooms(visit).values()
    ]


def edit(visit: Visit) -> Response:
    """GET /rules/{group}/edit: the draft; else what is in force, or the starter rules, to begin one with."""
    room = _room(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    row = _draft(visit, room)
    draft = drafting.kept(row) if row is not None else begun(visit, room)
    return _form(visit, room, row, rules_form.typed(draft, spoken_here(visit)))


def save(visit: Visit) -> Response:
    """POST /rules/{group}/edit"""
    room = _room(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    draft, typed, problems = rules_form.read(visit.form, spoken_here(visit))
    edition = visit.form.get("edition")
    if problems:
        return _form(visit, room, _draft(visit, room), typed, problems=problems, edition=edition)
    place, by = visit.services.place, visit.member.username
    done = drafting.keep(visit.session, place, room.key, draft, edition, by, visit.now)
    if isinstance(done, drafting.Overtaken):
        return _form(visit, room, done.draft, typed, overtaken=draft)
    return visit.go(f"{room.path}/preview" if visit.form.get("then") == "look" else f"{room.path}/edit?notice=saved")


def preview(visit: Visit) -> Response:
    """GET /rules/{group}/preview: as guests will see it, and beside what is in force."""
    room = _room(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    row = _draft(visit, room)
    if row is None:
        return visit.go(f"{room.path}/edit")
    return _preview(visit, room, row)


def ask(visit: Visit) -> Response:
    """GET /rules/{group}/publish: says what will happen; publishes nothing yet."""
    room = _room(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    row = _draft(visit, room)
    if row is None or hindrances_of(visit, row) or blanks(visit.services.settings.privacy):
        return visit.go(f"{room.path}/preview")
    owner_id, draft = visit.services.place.owner_id, drafting.in_languages(drafting.kept(row), spoken_here(visit))
    return visit.page(
        "rules_publish.html",
        room=room,
        draft=draft,
        edition=row.edition,
        in_force=rules.version_in_force(visit.session, owner_id, room.key),
        online=rules_drafts.count_reached(visit.session, owner_id, room.key, visit.now),
        untranslated=", ".join(
            LANGUAGE_NAMES.get(each, each) for each in spoken_here(visit) if each not in draft.written
        ),
    )


def publish(visit: Visit) -> Response:
    """POST /rules/{group}/publish: in force at once."""
    room = _room(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    if blanks(visit.services.settings.privacy):
        return visit.go(f"{room.path}/preview")
    ask_again = visit.form.get("ask") == "again"
    done = drafting.put_in_force(
        visit.session,
        visit.services.place,
        room.key,
        visit.form.get("edition"),
        languages=spoken_here(visit),
        ask_again=ask_again,
        by=visit.member.username,
        now=visit.now,
    )
    if isinstance(done, drafting.Published):
        return visit.go("/rules?notice=asked" if ask_again else "/rules?notice=published")
    if isinstance(done, drafting.Overtaken):
        if done.draft is None:
            return visit.failed(HTTPStatus.CONFLICT, reason="draft-gone")
        return _preview(visit, room, done.draft, CHANGED)
    return visit.go(f"{room.path}/preview")


def ask_discard(visit: Visit) -> Response:
    """GET /rules/{group}/discard: throws nothing away yet."""
    room = _room(visit)
    row = _draft(visit, room) if room is not None else None
    if room is None or row is None:
        return visit.failed(HTTPStatus.NOT_FOUND, reason="" if room is None else "draft-gone")
    return visit.page("rules_discard.html", room=room, row=row)


def discard(visit: Visit) -> Response:
    """POST /rules/{group}/discard"""
    room = _room(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    overtaken = drafting.drop(visit.session, visit.services.place, room.key, visit.form.get("edition"))
    if overtaken is None:
        return visit.go("/rules?notice=discarded")
    if overtaken.draft is None:
        return visit.failed(HTTPStatus.CONFLICT, reason="draft-gone")
    return _preview(visit, room, overtaken.draft, CHANGED)


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
        tongues=spoken_here(visit),
        notice=visit.query.get("notice", ""),
        in_force=rules.version_in_force(visit.session, visit.services.place.owner_id, room.key),
    )


def _preview(visit: Visit, room: Room, row: RulesDraft, alert: str = "") -> Response:
    languages = spoken_here(visit)
    draft = drafting.in_languages(drafting.kept(row), languages)
    in_force = rules.version_in_force(visit.session, visit.services.place.owner_id, room.key)
    wanted = visit.query.get("text", "")
    language = next((each for each in (wanted, visit.language, draft.binding_language) if each in languages), "nb")
    spoken = language if language in draft.written else draft.binding_language
    old = {text.language: text.markdown for text in in_force.texts} if in_force is not None else {}
    new = draft.written.get(spoken, "")
    begun = rules_drafts.label_of(visit.session, row.begun_from) if row.begun_from is not None else None
    return visit.page(
        "rules_preview.html",
        HTTPStatus.CONFLICT if alert else HTTPStatus.OK,
        room=room,
        row=row,
        draft=draft,
        alert=alert,
        in_force=in_force,
        overtaken=in_force is not None and row.begun_from != in_force.id,
        begun=begun,
        tongues=languages,
        asked=language,
        spoken=spoken,
        rules=Rules(spoken, Markup(render(new))),  # noqa: S704 - cleaned as it is for guests
        rows=compare(old[spoken], new) if new and spoken in old else None,
        same=in_force is not None and draft.written == old,
        problems={name: rules_form.words(name, problem) for name, problem in hindrances_of(visit, row).items()},
        blanks=list(blanks(visit.services.settings.privacy)),
    )


def _differing(theirs: Draft, yours: Draft) -> dict[str, Sequence[Row]]:
    """By language, the paragraphs of two drafts that differ."""
    old, new = theirs.written, yours.written
    rows = {each: compare(old.get(each, ""), new.get(each, "")) for each in sorted(old.keys() | new.keys())}
    found = {each: [row for row in rows[each] if row.differs] for each in rows}
    return {each: differ for each, differ in found.items() if differ}


def hindrances_of(visit: Visit, row: RulesDraft) -> Mapping[str, Any]:
    taken = rules_drafts.labels(visit.session, visit.services.place.owner_id)
    draft = drafting.in_languages(drafting.kept(row), spoken_here(visit))
    return hindrances(draft, taken, drafting.norwegian_day(visit.now))


def begun(visit: Visit, room: Room) -> Draft:
    owner_id, languages = visit.services.place.owner_id, spoken_here(visit)
    taken = rules_drafts.labels(visit.session, owner_id)
    label = suggested_label(taken, room.key, drafting.norwegian_day(visit.now).year)
    version = rules.version_in_force(visit.session, owner_id, room.key)
    if version is None:
        return begin(short_texts() if _asks_no_name(visit, room) else starter_texts(), languages, label)
    texts = {text.language: text.markdown for text in version.texts}
    return begin(texts, languages, label, binding=version.binding_language, adopting_body=version.adopting_body)


def _asks_no_name(visit: Visit, room: Room) -> bool:
    return visit.services.settings.portal.asked(room.key)["name"] == "no"


def _draft(visit: Visit, room: Room) -> RulesDraft | None:
    return rules_drafts.find(visit.session, visit.services.place.owner_id, room.key)


def spoken_here(visit: Visit) -> Sequence[str]:
    return visit.services.settings.portal.languages


def _room(visit: Visit) -> Room | None:
    return rooms(visit).get(visit.params["group"])


def rooms(visit: Visit) -> dict[str, Room]:
    """By what stands in addresses. Groups made for one guest's exemption have no rules of their own."""
    published = generations.in_force(visit.session, visit.services.place.owner_id)
    groups = published.document.get("groups", {}) if published is not None else {}
    return {EVERYBODY: Room("", "")} | {
        key: Room(key, str(group.get("names", {}).get(visit.language, "")))
        for key, group in groups.items()
        if not key.startswith(SESSION_PREFIX)
    }
