"""Trying a name: the box at the top of every page of IT's leads here, where the whole explanation stands in words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from captive_portal.api.policy import ExplainAsked, explained
from captive_portal.console import kept_words
from captive_portal.console.look import N_
from captive_portal.console.policy import quarantine
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.visit import Visit
from captive_portal.i18n import Translator
from policies.decide import read_exemption_text
from policies.names import NameError_, PolicyError
from policies.snapshot import Snapshot

NOT_COMPILED = N_("Nothing is compiled yet, so there is nothing to try a name against.")
NOTHING_TYPED = N_("Write a name first, such as example.no, or paste an address from the browser.")
NO_GROUP = N_("There is no such group in the compiled content filter.")
BAD_MOMENT = N_("Write the moment as a date and a time of day.")
BAD_NAME = N_("This is no domain name. Write one such as example.no, or paste an address from the browser.")
ONE_WORD = N_("This is one word, not a whole name. Write its ending too, as in example.no.")
ADDRESS = N_("This is an IP address. The content filter is about names.")

NEVER_BLOCKED = N_("{name} is never blocked ({detail}).")
SERVICES = {
    "connectivity": N_("devices find out by it whether they are online"),
    "certificate_status": N_("devices ask there whether certificates are valid"),
    "time": N_("devices set their clocks by it"),
    "public_service": N_("a public service"),
    "election": N_("elections"),
    "party": N_("a registered party"),
    "sexual_health": N_("sexual health"),
    "help_line": N_("a help line"),
    "it": N_("IT has set it so"),
    "own": N_("the installation’s own"),
}
CANARY = N_("Always answered with no such name: programs ask by it whether they may go round the guest network’s DNS.")
NO_EFFECT = {
    "permit": N_("IT’s rule to permit {name} has no effect here."),
    "forbid": N_("IT’s rule to forbid {name} has no effect here."),
}
IDLE = {
    "permit": N_("Group {group}: the rule to permit {name} has no effect."),
    "forbid": N_("Group {group}: the rule to forbid {name} has no effect."),
}
REASONS = {
    "never_blocked": NEVER_BLOCKED,
    "permitted_by_it": N_("IT has permitted {name} for this group."),
    "forbidden_by_it": N_("IT has forbidden {name} for this group."),
    "exempted": N_("{category}: exemption {exemption} is in force, approved by {by}, until {until}."),
    "category_closed": N_("{category} is closed for this group. The list {source} has {name}."),
    "judged_closed": N_("No list has it, but it looks like {category} ({detail}), and such names are blocked."),
    "judged": N_("No list has it, but it looks like {category} ({detail})."),
    "category_open": N_("{category} is open for this group. The list {source} has {name}."),
    "category_reported": N_("{category} is open for this group and only reported. The list {source} has {name}."),
    "list_exception": N_("{category}: the list {source} excepts {name} itself."),
    "not_forbidden": N_("Nothing forbids it."),
}
BY_SCHEDULE = N_("A schedule decides at this hour: {hours}.")
CHANGES = {
    "permit_name": N_("Permit {name} for the group."),
    "forbid_name": N_("Forbid {name} for the group."),
    "open_categories": N_("Open {categories} for the group."),
    "close_any_category": N_("Close one of these for the group: {categories}."),
    "exempt_categories": N_("Grant the group an exemption for {categories}."),
    "end_exemptions": N_("End the exemptions for {categories}."),
    "judge_off": N_("Have names that look like {categories} only reported."),
}
QUARANTINE = N_("The list {source} has {name} as {category}, but it is held back.")


@dataclass(frozen=True)
class Trial:
    """What was typed, and what came of it: `problem` is a text to translate, `facts` the explanation."""

    name: str = ""
    group: str = "default"
    at: str = ""
    problem: str = ""
    facts: Mapping[str, Any] | None = None
    groups: tuple[str, ...] = field(default=("default",))


def reason(translate: Translator, facts: Mapping[str, Any], called: Callable[[str], str] = str) -> str:
    """A reason of an explanation as a sentence; `called` says what people read for an exemption's id."""
    kind, category = facts["kind"], facts.get("category")
    values: dict[str, object] = {
        "name": facts.get("name") or "",
        "category": category["names"][translate.language] if category else "",
        "source": facts.get("source") or "",
        "detail": facts.get("detail") or "",
    }
    if kind == "never_blocked":
        values["detail"] = service(translate, str(values["detail"]))
    elif kind == "exempted":
        identity, by, until = read_exemption_text(str(values["detail"]))
        values |= {"exemption": called(identity), "by": by, "until": translate.moment(until)}
    elif kind == "category_open" and facts.get("reported"):
        kind = "category_reported"
    return translate(REASONS[kind], **values)


def service(translate: Translator, kind: str) -> str:
    """What a name that is never blocked is for."""
    return translate(SERVICES[kind]) if kind in SERVICES else kind


def overridden(translate: Translator, kind: str, name: str, of: str) -> str:
    """Why a rule has no effect: the sentence about the name that overrides it."""
    return translate(CANARY) if kind == "canary" else translate(NEVER_BLOCKED, name=name, detail=service(translate, of))


def try_name(visit: Visit, snapshot: Snapshot | None) -> Trial:
    """The trial that the query of a visit asks for; an empty one when it names nothing."""
    name, group, at = (visit.query.get(key, "")[:2048] for key in ("name", "group", "at"))
    groups = tuple(snapshot.policy.groups) if snapshot is not None else ("default",)
    typed = Trial(name, group or "default", at, groups=groups)

    def fails(problem: str) -> Trial:
        return Trial(typed.name, typed.group, typed.at, problem, groups=groups)

    if not name.strip():
        return fails(NOTHING_TYPED) if "name" in visit.query else typed
    if snapshot is None:
        return fails(NOT_COMPILED)
    try:
        asked = ExplainAsked.model_validate_strings({"name": name, "group": typed.group} | ({"at": at} if at else {}))
    except ValidationError as error:
        return fails(BAD_MOMENT if error.errors()[0]["loc"] == ("at",) else NO_GROUP)
    facts = explained(visit, snapshot, asked)
    if isinstance(facts, (PolicyError, str)):
        return fails(_refused(facts))
    if "." not in facts["name"]:
        return fails(ONE_WORD)
    return Trial(typed.name, typed.group, typed.at, facts=facts, groups=groups)


def _refused(why: PolicyError | str) -> str:
    if isinstance(why, str):
        return NO_GROUP
    return ADDRESS if isinstance(why, NameError_) and why.reason == "ip_address" else BAD_NAME


class TryPage:
    """The page behind the box; it shares what is known of the compiled snapshot."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def show(self, visit: Visit) -> Response:
        """GET /try"""
        compiled = self._snapshot.read()
        trial = try_name(visit, compiled.snapshot if compiled is not None else None)
        return visit.page("try.html", trial=trial, words=sys.modules[__name__], quarantine=quarantine, kept=kept_words)
