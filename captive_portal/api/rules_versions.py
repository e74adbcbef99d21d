"""Versions of the rules over JSON: what was published, two side by side, and those that come into force later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.paging import Asked, Page, Paged, answered, following, moment_place, read_cursor
from captive_portal.api.problems import conflict, refused, unknown
from captive_portal.console.route import Call
from captive_portal.console.rules import versions as pages
from captive_portal.console.visit import Visit
from gateway.storage import rules
from gateway.storage.keyset import Cut
from gateway.storage.models import RulesVersion
from gateway.terms import coming
from gateway.terms.compare import Piece, compare

ROOT, ROOM = "/api/v1/rules", "rules"
NO_VERSION = "there is no such version"
NOT_COMING = "it is in force, or has been withdrawn"
Texts = Annotated[dict[str, str], Field(examples=[{"nb": "# Regler\n\nVær grei mot nettet."}])]
Id = Annotated[str, Field(max_length=32, examples=["019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3"])]


class Version(BaseModel):
    """A published version; `group` is "" for everybody's. `languages` are those it has a text in; `in_force_from` is
    null where it was in force at once, and `withdrawn` says that it never came into force.
    """

    id: str
    label: str
    group: str
    published_at: datetime
    adopting_body: str
    adopted_on: date | None
    case_number: str
    binding_language: str
    next_review_on: date | None
    languages: list[str]
    in_force_from: datetime | None
    ask_again: Annotated[bool, Field(examples=[False])]
    withdrawn: Annotated[bool, Field(examples=[False])]


class VersionText(Version):
    """A version with its texts, as Markdown."""

    texts: Texts


class Versions(Page):
    """Versions, the newest first."""

    versions: list[Version]


class Coming(BaseModel):
    """Versions that come into force later, the next first."""

    versions: list[Version]


class CompareRulesAsked(Asked):
    """Two versions by their ids, and in which language; by default the binding one of the newer, where both have it."""

    old: Id
    new: Id
    language: Annotated[str, Field(max_length=10, examples=["nb"])] = ""


class Words(BaseModel):
    """A run of text on one side."""

    kind: Literal["same", "removed", "added"]
    text: Annotated[str, Field(examples=["Vær grei mot nettet."])]


class Paragraphs(BaseModel):
    """A paragraph of each version; empty where it has none."""

    old: list[Words]
    new: list[Words]


class ComparedRules(BaseModel):
    """Two versions side by side in a language."""

    language: str
    paragraphs: list[Paragraphs]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    one_path = f"{ROOT}/versions/{{version}}"
    return (
        Call("GET", ROOT, "auditor", versions, "read", Paged, Versions, "Versions of the rules", ROOM),
        Call("GET", one_path, "auditor", one, "read", None, VersionText, "A version with its texts", ROOM),
        Call("GET", f"{ROOT}/coming", "auditor", to_come, "read", None, Coming, "Rules to come", ROOM),
        Call(
            "POST", f"{one_path}/withdraw", "it", withdraw, "write", None, Version,
            "Withdraw a version before it is in force", ROOM,
        ),
        Call(
            "GET", f"{ROOT}/compare", "auditor", side_by_side, "read", CompareRulesAsked, ComparedRules,
            "Two versions side by side", ROOM,
        ),
    )  # fmt: skip


def versions(visit: Visit) -> Response:
    """GET /api/v1/rules"""
    place = moment_place(read_cursor(visit, 2))
    if isinstance(place, Response):
        return place
    cut = Cut("published", descending=True, limit=visit.asked.limit, place=place, rewinds=False)
    found = rules.page_of_versions(visit.session, visit.services.place.owner_id, None, cut)
    more = following(visit, found, lambda row: (row.published_at, row.id))
    return answered(Versions, {"versions": _all_facts(visit, found.rows), "next": more})


def one(visit: Visit) -> Response:
    """GET /api/v1/rules/versions/{version}"""
    row = _row(visit, visit.params["version"])
    if row is None:
        return unknown(visit, NO_VERSION)
    texts = {text.language: text.markdown for text in row.texts}
    return answered(VersionText, version_facts(visit, row) | {"texts": texts})


def to_come(visit: Visit) -> Response:
    """GET /api/v1/rules/coming"""
    waiting = rules.waiting(visit.session, visit.services.place.owner_id)
    rows = [row for row in waiting if row.in_force_from is not None and row.in_force_from > visit.now]
    return answered(Coming, {"versions": _all_facts(visit, rows)})


def withdraw(visit: Visit) -> Response:
    """POST /api/v1/rules/versions/{version}/withdraw"""
    row = _row(visit, visit.params["version"])
    if row is None:
        return unknown(visit, NO_VERSION)
    done = coming.withdraw(visit.session, visit.services.place, row.label, visit.member.username, visit.now)
    return answered(Version, version_facts(visit, row)) if done == "done" else conflict(NOT_COMING)


def side_by_side(visit: Visit) -> Response:
    """GET /api/v1/rules/compare"""
    asked = visit.asked
    old, new = _row(visit, asked.old), _row(visit, asked.new)
    if old is None or new is None:
        return unknown(visit, NO_VERSION)
    common = pages.common(old, new)
    wanted = asked.language or next((each for each in (new.binding_language, *common) if each in common), "")
    if wanted not in common:
        return refused({"language": f"both have a text in: {', '.join(common) or 'no language'}"})
    found = compare(pages.text_of(old, wanted).markdown, pages.text_of(new, wanted).markdown)
    rows = [{"old": _words(row.old), "new": _words(row.new)} for row in found]
    return answered(ComparedRules, {"language": wanted, "paragraphs": rows})


def version_facts(visit: Visit, row: RulesVersion) -> dict[str, Any]:
    """What is told of a version."""
    return _all_facts(visit, [row])[0]


def _all_facts(visit: Visit, rows: Sequence[RulesVersion]) -> list[dict[str, Any]]:
    outcomes = rules.outcomes(visit.session, visit.services.place.owner_id)
    names = (
        "id", "label", "published_at", "adopting_body", "adopted_on", "case_number", "binding_language",
        "next_review_on", "in_force_from", "ask_again",
    )  # fmt: skip
    return [
        {name: getattr(row, name) for name in names}
        | {
            "group": row.group_key,
            "languages": sorted(text.language for text in row.texts),
            "withdrawn": outcomes.get(row.id) == "withdrawn",
        }
        for row in rows
    ]


def _row(visit: Visit, wanted: str) -> RulesVersion | None:
    usable = len(wanted) <= 32 and wanted.isascii() and wanted.isalnum()
    return rules.version(visit.session, visit.services.place.owner_id, wanted) if usable else None


def _words(pieces: Sequence[Piece]) -> list[dict[str, str]]:
    return [{"kind": each.kind, "text": each.text} for each in pieces]
