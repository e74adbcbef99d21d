"""Publishing a draft of the rules: when, whether everybody is asked again; by two people, proposing it to the other."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.rules.looking import CHANGED, differing, hindrances_of, show_draft
from captive_portal.console.rules.room import Room, draft_of, in_force_in, languages, room_of
from captive_portal.console.visit import Visit
from captive_portal.i18n import LANGUAGE_NAMES
from gateway.access.course_plan import local_moment
from gateway.storage import rules, rules_drafts, rules_proposals
from gateway.storage.rules_draft_models import RulesDraft
from gateway.storage.rules_wait_models import RulesProposal
from gateway.terms import drafting, proposing
from gateway.terms.draft import begin_problem
from gateway.terms.drafting import Choice
from gateway.terms.notice import blanks

WHEN = "in_force_from"
NOT_CHOSEN = N_("A day is written, but the rules would come into force at once. Choose that day, or empty it.")
NOT_A_MOMENT = N_("Write the day and the time when the rules come into force")
PAST = N_("That moment has passed; choose one that lies ahead, or let the rules come into force at once")
FAR = N_("The rules may come into force at most two years from now")
REVIEW_BEFORE = N_("The next review comes before the rules are in force; change its day in the draft first")
_MOMENT_CHARS = 40


def ask(visit: Visit) -> Response:
    """GET /rules/{group}/publish: says what will happen; publishes nothing yet."""
    room = room_of(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    row = draft_of(visit, room)
    if row is None or _hindered(visit, row):
        return visit.go(f"{room.path}/preview")
    return _form(visit, room, row)


def publish(visit: Visit) -> Response:
    """POST /rules/{group}/publish: in force at once or from a moment; where two people publish, it is proposed."""
    room = room_of(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    if blanks(visit.services.settings.privacy):
        return visit.go(f"{room.path}/preview")
    begins, problem = _begin(visit)
    if problem:
        return _again(visit, room, visit.form.get("edition"), problem)
    choice = Choice(begins, ask_again=visit.form.get("ask") == "again")
    done = put_forward(visit, room, visit.form.get("edition"), choice)
    if isinstance(done, drafting.Overtaken):
        return _overtaken(visit, room, done.draft)
    if isinstance(done, drafting.NotPublished):
        return _not_published(visit, room, done, choice)
    return visit.go(f"/rules?notice={'proposed' if isinstance(done, RulesProposal) else published(choice)}")


def published(choice: Choice) -> str:
    """The notice on the page of rules after publishing."""
    if choice.in_force_from is not None:
        return "coming"
    return "asked" if choice.ask_again else "published"


def put_forward(
    visit: Visit, room: Room, edition: str, choice: Choice
) -> drafting.Published | RulesProposal | drafting.NotPublished | drafting.Overtaken:
    """Publish this edition of the draft; where two people publish, propose it to the other."""
    spoken, place = languages(visit), visit.services.place
    if visit.services.settings.rules.two_person:
        by = proposing.Person(visit.member.staff_id, visit.member.username)
        return proposing.propose(
            visit.session, place, room.key, edition, languages=spoken, choice=choice, by=by, now=visit.now
        )
    by_name = visit.member.username
    return drafting.put_in_force(
        visit.session, place, room.key, edition, languages=spoken, choice=choice, by=by_name, now=visit.now
    )


def _not_published(visit: Visit, room: Room, why: drafting.NotPublished, choice: Choice) -> Response:
    row = draft_of(visit, room)
    if why.reason == "no_group" or choice.in_force_from is None or row is None or _hindered(visit, row):
        return visit.go(f"{room.path}/preview")
    return _form(visit, room, row, PAST if why.reason == "past" else REVIEW_BEFORE)


def _begin(visit: Visit) -> tuple[datetime | None, str]:
    """When the rules are to be in force (None: at once), and what is wrong with that, if anything."""
    written = visit.form.get(WHEN).strip()
    if visit.form.get("when") != "later":
        return None, NOT_CHOSEN if written else ""
    moment = local_moment(written)
    if moment is None:
        return None, NOT_A_MOMENT
    problem = begin_problem(moment, visit.now)
    return moment, {"past": PAST, "far": FAR, None: ""}[problem]


def _again(visit: Visit, room: Room, edition: str, problem: str) -> Response:
    row = draft_of(visit, room)
    if row is None or row.edition != edition:
        return _overtaken(visit, room, row)
    return _form(visit, room, row, problem)


def _overtaken(visit: Visit, room: Room, row: RulesDraft | None) -> Response:
    if row is None:
        return visit.failed(HTTPStatus.CONFLICT, reason="draft-gone")
    return show_draft(visit, room, row, CHANGED)


def _form(visit: Visit, room: Room, row: RulesDraft, problem: str = "") -> Response:
    owner_id, draft = visit.services.place.owner_id, drafting.in_languages(drafting.kept(row), languages(visit))
    form, in_force = visit.form, in_force_in(visit, room)
    return visit.page(
        "rules_publish.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        room=room,
        draft=draft,
        edition=row.edition,
        in_force=in_force,
        differing=differing(draft, in_force, languages(visit)),
        online=rules_drafts.count_reached(visit.session, owner_id, room.key, visit.now),
        untranslated=", ".join(
            LANGUAGE_NAMES.get(each, each) for each in languages(visit) if each not in draft.written
        ),
        coming=rules.coming(visit.session, owner_id, room.key, now=visit.now),
        proposal=rules_proposals.find(visit.session, owner_id, room.key),
        two_person=visit.services.settings.rules.two_person,
        days=proposing.LASTS.days,
        problems={WHEN: problem} if problem else {},
        typed={
            "when": "later" if form.get("when") == "later" else "now",
            "ask": "again" if form.get("ask") == "again" else "later",
            WHEN: "".join(each for each in form.get(WHEN)[:_MOMENT_CHARS] if each.isprintable()),
        },
    )


def _hindered(visit: Visit, row: RulesDraft) -> bool:
    draft = drafting.in_languages(drafting.kept(row), languages(visit))
    return bool(hindrances_of(visit, draft) or blanks(visit.services.settings.privacy))
