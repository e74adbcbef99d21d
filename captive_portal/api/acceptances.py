"""Acceptances over JSON: searched as on the page, within what the reader may see, and one with its entry in the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Day, day_text
from captive_portal.api.paging import Page, Paged, answered, no_cursor, read_cursor, shown_after
from captive_portal.api.problems import OUTSIDE, not_shown, problem, refused
from captive_portal.console.evidence import proof, search
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.storage import search as stored
from gateway.storage.models import Acceptance as AcceptanceRow

ROOT, ROOM = "/api/v1/acceptances", "evidence"
Word = Annotated[str, Field(max_length=search.MAX_CHARS)]


class Acceptance(BaseModel):
    """That somebody accepted a version of the rules. Null: withheld from your account; "": erased."""

    id: str
    accepted_at: datetime
    name: str | None
    organisation: str | None
    contact: str | None
    mac: str | None
    receipt: str | None
    version: str
    language: str
    identified_by: Annotated[str, Field(examples=["self_declared"])]


class Acceptances(Page):
    """Acceptances, the newest first."""

    acceptances: list[Acceptance]


class AcceptancesAsked(Paged):
    """As the form of the page: days in Norwegian time, both included; at least three characters of a name, the last
    four of a device's address, a whole receipt code.
    """

    first: Annotated[Day | None, Field(description="The first day.")] = None
    last: Annotated[Day | None, Field(description="The last day.")] = None
    name: Word = ""
    device: Word = ""
    course: Word = ""
    receipt: Word = ""
    version: Word = ""
    site: Word = ""


class SealedAcceptance(Acceptance):
    """An acceptance, with the number of its entry in the log; null while it waits to be sealed."""

    entry: Annotated[int | None, Field(examples=[17])]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    return (
        Call(
            "GET", ROOT, "auditor", acceptances, "read", AcceptancesAsked, Acceptances,
            "Search acceptances", ROOM,
        ),
        Call(
            "GET", f"{ROOT}/{{acceptance}}", "auditor", acceptance, "read", None, SealedAcceptance,
            "One acceptance, and its entry in the log", ROOM,
        ),
    )  # fmt: skip


def acceptances(visit: Visit) -> Response:
    """GET /api/v1/acceptances"""
    after, asked = read_cursor(visit, 1), visit.asked
    if isinstance(after, Response):
        return after
    query = {name: getattr(asked, name) for name in search.NEEDS} | {
        "version": asked.version, "site": asked.site, "first": day_text(asked.first), "last": day_text(asked.last),
        "after": after[0] if after is not None else "",
    }  # fmt: skip
    hidden = [name for name, field in search.NEEDS.items() if query[name] and not visit.member.scope.shows(field)]
    if hidden:
        return refused(dict.fromkeys(hidden, "you can't search for what is withheld"))
    found = search.find(replace(visit, query=query), asked.limit, rewinds=False)
    if found.problems:
        return refused(found.problems)
    if after is not None and found.shown.asked.place is None:
        return no_cursor()
    rows = [_acceptance(visit, row) for row in found.shown.rows]
    more = shown_after(visit, found.shown)
    return answered(Acceptances, {"acceptances": rows, "next": more})


def acceptance(visit: Visit) -> Response:
    """GET /api/v1/acceptances/{acceptance}"""
    found = proof.find_acceptance(visit, visit.params["acceptance"])
    if isinstance(found, HTTPStatus):
        return not_shown(visit, found, "there is no such acceptance")
    row, index = found
    if not visit.member.scope.includes(stored.site_of(visit.session, row), row.accepted_at):
        return problem(HTTPStatus.FORBIDDEN, OUTSIDE)
    return answered(SealedAcceptance, _acceptance(visit, row) | {"entry": index})


def _acceptance(visit: Visit, row: AcceptanceRow) -> dict[str, Any]:
    shows = visit.member.scope.shows
    personal = {
        "name": row.visitor.name,
        "organisation": row.visitor.organisation,
        "contact": row.visitor.contact,
        "mac": row.device.mac,
        "receipt": row.receipt_code,
    }
    return {name: value if shows(name) else None for name, value in personal.items()} | {
        "id": row.id,
        "accepted_at": row.accepted_at,
        "version": row.rules_version.label,
        "language": row.language,
        "identified_by": row.identified_by,
    }
