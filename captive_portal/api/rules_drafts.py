"""Drafts of the rules over JSON: how each group's rules stand, writing a draft, and putting it in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Day, Moment
from captive_portal.api.paging import Asked, answered, no_content
from captive_portal.api.problems import changed, conflict, quoted, refused, unknown
from captive_portal.api.rules_versions import ROOM, ROOT, Texts, Version, version_facts
from captive_portal.console.forms import Form
from captive_portal.console.route import Call
from captive_portal.console.rules import form as rules_form
from captive_portal.console.rules import publishing, writing
from captive_portal.console.rules.looking import hindrances_of
from captive_portal.console.rules.room import EVERYBODY, Room, draft_of, in_force_in, languages, room_of
from captive_portal.console.rules.room import standings as every_standing
from captive_portal.console.visit import Visit
from gateway.storage.rules_draft_models import RulesDraft
from gateway.storage.rules_wait_models import RulesProposal
from gateway.terms import drafting
from gateway.terms.draft import BODY_MAX_CHARS, CASE_MAX_CHARS, LABEL_MAX_CHARS, TEXT_MAX_BYTES, begin_problem
from gateway.terms.drafting import Choice
from gateway.terms.notice import blanks


class WrittenRules(BaseModel):
    """What rules say that are not published yet."""

    texts: Texts
    label: str
    binding_language: str
    adopting_body: str
    adopted_on: date | None
    case_number: str
    next_review_on: date | None


class DraftOfRules(WrittenRules):
    """The draft of a group, or what one would begin with (`begun` false: nothing is kept yet).

    `hindrances` are what has to be put right before it can be published, by field.
    """

    group: str
    begun: bool
    in_force: str | None
    changed_by: str
    changed_at: datetime | None
    hindrances: dict[str, str]


class Standing(BaseModel):
    """How the rules of a group stand: which version is in force, and whether there is a draft."""

    group: str
    title: str
    in_force: str | None
    has_draft: bool


class Standings(BaseModel):
    """Everybody's rules ("-"), and those of each group."""

    groups: list[Standing]


class DraftKept(Asked):
    """The whole draft. `texts` is Markdown by language; the languages are those that guests can choose."""

    texts: Annotated[
        dict[Annotated[str, Field(max_length=10)], Annotated[str, Field(max_length=TEXT_MAX_BYTES)]],
        Field(max_length=20, examples=[{"nb": "# Regler\n\nVær grei mot nettet."}]),
    ]
    label: Annotated[str, Field(max_length=LABEL_MAX_CHARS)]
    binding_language: Annotated[str, Field(max_length=10, examples=["nb"])] = ""
    adopting_body: Annotated[str, Field(max_length=BODY_MAX_CHARS)] = ""
    adopted_on: Day | None = None
    case_number: Annotated[str, Field(max_length=CASE_MAX_CHARS)] = ""
    next_review_on: Annotated[Day | None, Field(examples=["2027-11-12"])] = None


class PublishRules(Asked):
    """When the rules come into force, at once by default; `ask_again`: everybody who is online under earlier rules then
    is asked to accept these before they go on.
    """

    ask_again: bool
    in_force_from: Annotated[Moment | None, Field(examples=[None])] = None


class PublishedRules(BaseModel):
    """The version that was published, and how many devices are asked again; where two people publish, it is `proposed`
    to another one, who approves it.
    """

    version: Version | None
    ended: int
    proposed: bool


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    draft = f"{ROOT}/drafts/{{group}}"
    return (
        Call("GET", f"{ROOT}/drafts", "it", standings, "read", None, Standings, "How each group's rules stand", ROOM),
        Call("GET", draft, "it", show, "read", None, DraftOfRules, "The draft of a group; - is everybody's", ROOM),
        Call(
            "PUT", draft, "it", keep, "write", DraftKept, DraftOfRules,
            "Save the draft of a group; without If-Match as its first edition", ROOM, precondition="optional",
            body_max_bytes=rules_form.FORM_MAX_BYTES,
        ),
        Call(
            "DELETE", draft, "it", discard, "write", None, None, "Throw the draft of a group away", ROOM,
            status=HTTPStatus.NO_CONTENT, precondition="required",
        ),
        Call(
            "POST", f"{draft}/publish", "it", publish, "write", PublishRules, PublishedRules,
            "Put the draft of a group in force", ROOM, precondition="required",
        ),
    )  # fmt: skip


def standings(visit: Visit) -> Response:
    """GET /api/v1/rules/drafts"""
    rows = [
        {
            "group": each.room.key or EVERYBODY,
            "title": each.room.title,
            "in_force": each.version.label if each.version is not None else None,
            "has_draft": each.draft is not None,
        }
        for each in every_standing(visit)
    ]
    return answered(Standings, {"groups": rows})


def show(visit: Visit) -> Response:
    """GET /api/v1/rules/drafts/{group}"""
    room = room_of(visit)
    return no_group(visit) if room is None else _draft(visit, room)


def keep(visit: Visit) -> Response:
    """PUT /api/v1/rules/drafts/{group}"""
    room, asked, tongues = room_of(visit), visit.asked, languages(visit)
    if room is None:
        return no_group(visit)
    strange = sorted(asked.texts.keys() - set(tongues))
    if strange:
        return refused({"texts": f"guests can't choose {', '.join(strange)}; they can choose {', '.join(tongues)}"})
    texts = {f"text_{language}": text for language, text in asked.texts.items()}
    lines = asked.model_dump(mode="json", exclude={"texts"})
    form = Form({name: [value or ""] for name, value in {**lines, **texts}.items()})
    draft, _, problems = rules_form.read(form, tongues)
    if problems:
        return refused(problems)
    done = drafting.keep(
        visit.session, visit.services.place, room.key, draft, visit.if_match, visit.member.username, visit.now
    )
    return _overtaken(done) if isinstance(done, drafting.Overtaken) else _draft(visit, room)


def discard(visit: Visit) -> Response:
    """DELETE /api/v1/rules/drafts/{group}"""
    room = room_of(visit)
    if room is None:
        return no_group(visit)
    overtaken = drafting.drop(visit.session, visit.services.place, room.key, visit.if_match)
    return no_content() if overtaken is None else _overtaken(overtaken)


def publish(visit: Visit) -> Response:  # noqa: PLR0911 - a line for each way it can end
    """POST /api/v1/rules/drafts/{group}/publish"""
    room = room_of(visit)
    if room is None:
        return no_group(visit)
    if (missing := lacking(visit)) is not None:
        return missing
    begins = visit.asked.in_force_from
    problem = begin_problem(begins, visit.now) if begins is not None else None
    if problem is not None:
        return refused({"in_force_from": publishing.PAST if problem == "past" else publishing.FAR})
    done = publishing.put_forward(visit, room, visit.if_match, Choice(begins, ask_again=visit.asked.ask_again))
    if isinstance(done, drafting.Published):
        return answered(
            PublishedRules, {"version": version_facts(visit, done.version), "ended": done.ended, "proposed": False}
        )
    if isinstance(done, RulesProposal):
        return answered(PublishedRules, {"version": None, "ended": 0, "proposed": True})
    if isinstance(done, drafting.Overtaken):
        return _overtaken(done)
    row = draft_of(visit, room)
    return refused(_hindrances(visit, row) if row is not None else {}, "the draft is not ready")


def lacking(visit: Visit) -> Response | None:
    """409: no rules are published while the notice to guests lacks settings; None where it has all."""
    missing = blanks(visit.services.settings.privacy)
    told = "; ".join(f"privacy.{key}: {words}" for key, words in missing.items())
    return conflict(f"settings that the notice to guests needs are blank: {told}") if missing else None


def no_group(visit: Visit) -> Response:
    """404: the rules have no such group."""
    return unknown(visit, f"there is no group {visit.params['group']!r}; - is everybody")


def _overtaken(done: drafting.Overtaken) -> Response:
    if done.draft is None:
        return changed("there is no draft any more: it was published or thrown away")
    return changed("somebody has saved the draft meanwhile", done.draft.edition)


def _hindrances(visit: Visit, row: RulesDraft) -> Mapping[str, str]:
    draft = drafting.in_languages(drafting.kept(row), languages(visit))
    return {field: rules_form.words(field, problem) for field, problem in hindrances_of(visit, draft).items()}


def _draft(visit: Visit, room: Room) -> Response:
    row = draft_of(visit, room)
    draft = drafting.kept(row) if row is not None else writing.begun(visit, room)
    in_force = in_force_in(visit, room)
    facts: dict[str, Any] = {name: getattr(draft, name) for name in WrittenRules.model_fields} | {
        "group": room.key or EVERYBODY,
        "begun": row is not None,
        "in_force": in_force.label if in_force is not None else None,
        "changed_by": row.changed_by if row is not None else "",
        "changed_at": row.changed_at if row is not None else None,
        "hindrances": _hindrances(visit, row) if row is not None else {},
    }
    answer = answered(DraftOfRules, facts)
    if row is not None:
        answer.headers["ETag"] = quoted(row.edition)
    return answer
