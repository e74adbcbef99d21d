"""Rules that are not published yet, as guests will see them and beside those in force: a draft, or a proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.rules import form as rules_form
from captive_portal.console.rules.room import Room, in_force_in, languages
from captive_portal.console.visit import Visit
from captive_portal.guest.site import Rules
from captive_portal.i18n import LANGUAGE_NAMES
from gateway.storage import rules_drafts, rules_proposals
from gateway.storage.models import RulesVersion
from gateway.storage.rules_draft_models import RulesDraft
from gateway.terms import drafting
from gateway.terms.compare import compare
from gateway.terms.draft import Draft, Problem, hindrances
from gateway.terms.notice import blanks
from gateway.terms.render import render

CHANGED = N_("The draft has changed since you opened the page. Look at it once more before you publish it.")


def looked_at(visit: Visit, room: Room, draft: Draft) -> dict[str, Any]:
    """What `rules_shown.html` needs: the text in the language asked for, and what differs from the version in force."""
    tongues, in_force = languages(visit), in_force_in(visit, room)
    wanted = visit.query.get("text", "")
    language = next((each for each in (wanted, visit.language, draft.binding_language) if each in tongues), "nb")
    spoken = language if language in draft.written else draft.binding_language
    old = {text.language: text.markdown for text in in_force.texts} if in_force is not None else {}
    new = draft.written.get(spoken, "")
    return {
        "room": room,
        "draft": draft,
        "in_force": in_force,
        "tongues": tongues,
        "asked": language,
        "spoken": spoken,
        "rules": Rules(spoken, Markup(render(new))),  # noqa: S704 - cleaned as it is for guests
        "rows": compare(old[spoken], new) if new and spoken in old else None,
        "same": in_force is not None and draft.written == old,
        "differing": differing(draft, in_force, tongues),
    }


def differing(draft: Draft, in_force: RulesVersion | None, tongues: Sequence[str]) -> str:
    """The languages in which the text is not that of the version in force, named."""
    old = {text.language: text.markdown for text in in_force.texts} if in_force is not None else {}
    return ", ".join(LANGUAGE_NAMES[each] for each in tongues if draft.written.get(each) != old.get(each))


def show_draft(visit: Visit, room: Room, row: RulesDraft, alert: str = "") -> Response:
    """The draft; `alert` says why what was asked for has not been done."""
    shown = looked_at(visit, room, drafting.in_languages(drafting.kept(row), languages(visit)))
    in_force = shown["in_force"]
    begun = rules_drafts.label_of(visit.session, row.begun_from) if row.begun_from is not None else None
    problems = hindrances_of(visit, shown["draft"])
    proposal = rules_proposals.find(visit.session, visit.services.place.owner_id, room.key)
    return visit.page(
        "rules_preview.html",
        HTTPStatus.CONFLICT if alert else HTTPStatus.OK,
        row=row,
        alert=alert,
        overtaken=in_force is not None and row.begun_from != in_force.id,
        begun=begun,
        problems={name: rules_form.words(name, problem) for name, problem in problems.items()},
        blanks=list(blanks(visit.services.settings.privacy)),
        proposal=proposal,
        as_proposed=proposal is not None and proposal.edition == row.edition,
        two_person=visit.services.settings.rules.two_person,
        **shown,
    )


def hindrances_of(visit: Visit, draft: Draft) -> Mapping[str, Problem]:
    """What hinders that it is published now, by field."""
    taken = rules_drafts.labels(visit.session, visit.services.place.owner_id)
    return hindrances(draft, taken, drafting.norwegian_day(visit.now))
