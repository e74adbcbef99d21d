"""Names over JSON: those that only the judge knows, those that are held back, and the look-ups of the last 24 hours."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.paging import Asked, Page, Paged, answered, part
from captive_portal.api.policy import NOT_COMPILED
from captive_portal.api.policy_draft import ROOM, ROOT
from captive_portal.api.problems import conflict, problem
from captive_portal.console import lookups
from captive_portal.console.policy import judged, quarantine
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.policy.matrix import overruled
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.collection import top_name_groups
from gateway.storage import dns_counters
from gateway.storage.dns_counters import hour_of
from policies.hygiene import read_quarantine

Name = Annotated[str, Field(max_length=253, examples=["game.example"])]


class Judged(BaseModel):
    """A name that many devices asked for and no list has: what the judge holds it for, and how often it was asked."""

    name: str
    group: str
    category: str
    outcome: str
    asked: int


class JudgedNames(Page):
    """Judged names that have no rule in the draft yet."""

    names: list[Judged]


class Settled(Asked):
    """`forbid` confirms what the judge says; `permit` dismisses it. In the draft."""

    name: Name
    group: Annotated[str, Field(max_length=40)]
    rule: Literal["forbid", "permit"]


class Rule(BaseModel):
    """What the draft says of a name for a group now."""

    name: str
    group: str
    rule: str


class HeldName(BaseModel):
    """A listed name that is held back, and why; `overrulable`: whether IT can let the list close it all the same."""

    name: str
    source: str
    category: str
    reason: str
    detail: str
    overrulable: bool


class Quarantine(Page):
    """What was held back when the policy that DNS serves was compiled; `total` in all, of which the first are told."""

    total: int
    names: list[HeldName]


class Overrule(Asked):
    """Which name, and which list may close it."""

    name: Name
    source: Annotated[str, Field(max_length=100, examples=["own-list"])]


class Overruled(BaseModel):
    """The list may close the name from now on: it is published."""

    name: str
    source: str


class Count(BaseModel):
    """Look-ups of one category: "it" by IT's own rule, "" as a private address."""

    category: str
    lookups: int


class GroupLookups(BaseModel):
    """Look-ups of a group in the last 24 hours: all, those refused by category, and those that were only reported."""

    group: str
    total: int
    refused: int
    refused_by_category: list[Count]
    reported_by_category: list[Count]


class TopName(BaseModel):
    """A name that many devices of a group asked for."""

    name: str
    group: str
    outcome: str
    category: str
    asked: int


class Lookups(BaseModel):
    """Look-ups of the last 24 hours; `names` is null unless some group keeps them."""

    groups: list[GroupLookups]
    names: list[TopName] | None


class NamesApi:
    """The calls, over the compiled policy that DNS serves."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def calls(self) -> tuple[Call, ...]:
        """The table of the calls."""
        return (
            Call(
                "GET", f"{ROOT}/judged", "it", self.judged, "read", Paged, JudgedNames,
                "Names that only the judge knows", ROOM,
            ),
            Call(
                "POST", f"{ROOT}/judged", "it", self.settle, "write", Settled, Rule, "Confirm or dismiss a judged name",
                ROOM,
            ),
            Call("GET", f"{ROOT}/quarantine", "it", self.held, "none", Paged, Quarantine, "Names held back", ROOM),
            Call(
                "POST", f"{ROOT}/quarantine", "it", self.overrule, "write", Overrule, Overruled,
                "Let a list close a name that is held back, published at once", ROOM,
            ),
            Call("GET", "/api/v1/lookups", "it", self.lookups, "read", None, Lookups, "Look-ups of 24 hours", ROOM),
        )  # fmt: skip

    def judged(self, visit: Visit) -> Response:
        """GET /api/v1/policy/judged"""
        found = part(judged.unsettled(visit), visit, lambda row: (row.name, row.group), parts=2)
        if isinstance(found, Response):
            return found
        return answered(JudgedNames, {"names": [_facts(row) for row in found[0]], "next": found[1]})

    def settle(self, visit: Visit) -> Response:
        """POST /api/v1/policy/judged"""
        asked = visit.asked
        told = judged.settled(visit, asked.name, asked.group, asked.rule)
        return conflict(told) if told else answered(Rule, asked.model_dump())

    def held(self, visit: Visit) -> Response:
        """GET /api/v1/policy/quarantine"""
        compiled = self._snapshot.read()
        if compiled is None:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_COMPILED, kind="not-compiled")
        totals, entries = read_quarantine(compiled.snapshot.section("quarantine"))
        found = part(entries, visit, lambda row: (row.name, row.source, row.reason), parts=3)
        if isinstance(found, Response):
            return found
        names = ("name", "source", "category", "reason", "detail")
        rows: list[dict[str, Any]] = [
            {name: getattr(row, name) for name in names} | {"overrulable": quarantine.can_be_overruled(row)}
            for row in found[0]
        ]
        return answered(Quarantine, {"total": sum(totals.values()), "names": rows, "next": found[1]})

    def overrule(self, visit: Visit) -> Response:
        """POST /api/v1/policy/quarantine"""
        asked = visit.asked
        told = overruled(visit, self._snapshot, asked.name, asked.source)
        return conflict(told) if told else answered(Overruled, asked.model_dump())

    def lookups(self, visit: Visit) -> Response:
        """GET /api/v1/lookups"""
        owner_id, end = visit.services.place.owner_id, hour_of(visit.now) + timedelta(hours=1)
        answers = dns_counters.answers_between(visit.session, owner_id, end - timedelta(hours=lookups.HOURS), end)
        kept = bool(top_name_groups(visit.session, owner_id))
        groups = [
            {
                "group": key,
                "total": row.total,
                "refused": row.refused,
                "refused_by_category": _counts(row.categories),
                "reported_by_category": _counts(row.reported),
            }
            for key, row in lookups.by_group(answers).items()
        ]
        names = [_facts(row) for row in dns_counters.top_names(visit.session, owner_id, visit.now)] if kept else None
        return answered(Lookups, {"groups": groups, "names": names})


def _counts(rows: list[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"category": category, "lookups": count} for category, count in rows]


def _facts(row: dns_counters.TopName) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("name", "group", "category", "outcome", "asked")}
