"""The policy over JSON: why a name is open or closed for a group at a moment, and what each of many names is."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator
from starlette.responses import Response

from captive_portal.api.paging import Asked, answered
from captive_portal.api.problems import problem, unknown
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.lists.classify import Classifier
from gateway.lists.explanation import explanation
from gateway.lists.history import list_since, published
from policies.document_toml import YEARS
from policies.names import PolicyError, from_person
from policies.snapshot import Snapshot

MAX_NAMES = 10_000
NOT_COMPILED = "no policy is compiled yet"


class ExplainAsked(Asked):
    """Which name, for whom, when."""

    name: Annotated[str, Field(max_length=2048, description="A name, or a URL as pasted.")]
    group: Annotated[str, Field(max_length=40, description="Key of the group that asks.")] = "default"
    at: Annotated[datetime | None, Field(description="The moment; local time without an offset; now by default.")] = (
        None
    )

    @field_validator("at")
    @classmethod
    def _tellable(cls, at: datetime | None) -> datetime | None:
        if at is not None and at.year not in YEARS:
            raise ValueError(f"the year is outside {YEARS[0]} to {YEARS[-1]}")
        return at


class Category(BaseModel):
    """A category: its key, and its names by language."""

    key: str
    names: dict[str, str]


class Reason(BaseModel):
    """One thing that speaks for or against the name; the first of all reasons decided. `reported`: the category is open
    for the group, and only reported.
    """

    kind: str
    name: str | None = None
    category: Category | None = None
    source: str | None = None
    detail: str | None = None
    reported: bool | None = None


class Change(BaseModel):
    """One thing that IT can do to turn the decision round."""

    action: str
    name: str | None = None
    replaces_rule: bool | None = None
    categories: list[str] | None = None
    by_schedule: list[str] | None = None


class Since(BaseModel):
    """The generation from which what decided stands."""

    generation: int
    published_at: datetime
    published_by: str
    note: str


class ListedName(BaseModel):
    """A list that has the name or one above it; `names` is how many names the list has, and `since` when it has stood
    with this content here (none for lists that come with the product).
    """

    source: str
    name: str
    category: Category
    exception: bool
    names: int
    sha256: str
    since: datetime | None


class Held(BaseModel):
    """A listed name that hygiene holds back, with the reason."""

    name: str
    source: str
    category: Category
    reason: str
    detail: str


class Obstacle(BaseModel):
    """What overrides a rule: a name that is never blocked as a `service`, or one always answered with no such name."""

    kind: str
    name: str
    service: str


class NoEffect(BaseModel):
    """A rule of IT's that is overridden for the name."""

    rule: str
    name: str
    because: Obstacle


class Judgement(BaseModel):
    """What the judge of unlisted names holds the name for, and the pieces of the name that decided."""

    category: Category
    confidence: float
    pieces: tuple[str, ...]


class Explanation(BaseModel):
    """Who, what, why, which list, since when, and what would change it."""

    name: str
    group: str
    group_names: dict[str, str]
    at: datetime
    permitted: bool
    category: Category | None
    generation: int
    valid_until: datetime | None
    reasons: list[Reason]
    changes: list[Change]
    since: Since | None
    lists: list[ListedName]
    quarantine: list[Held]
    judged: list[Judgement]
    safe_search: str | None
    canary: bool
    no_effect: list[NoEffect]


class ClassifyAsked(Asked):
    """Which names; whether the judge is asked about those that no list has."""

    names: Annotated[list[Annotated[str, Field(max_length=2048)]], Field(max_length=MAX_NAMES)]
    judge: bool = False


class Classified(BaseModel):
    """What a name is, and which list or judge says so; `error` where the text is no name."""

    name: str
    categories: list[str]
    sources: list[str]
    confidence: dict[str, float] | None = None
    error: str | None = None


class Classification(BaseModel):
    """One entry for each name asked, in the same order."""

    generation: int
    names: list[Classified]


class PolicyApi:
    """The calls; they share what is known of the compiled snapshot with the pages."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def calls(self) -> tuple[Call, ...]:
        """The table of the calls."""
        root = "/api/v1/policy"
        return (
            Call(
                "GET", f"{root}/explain", "it", self.explain, "read", ExplainAsked, Explanation,
                "Why a name is open or closed, for a group at a moment", "policy",
            ),
            Call(
                "POST", f"{root}/classify", "it", self.classify, "none", ClassifyAsked, Classification,
                "What many names are", "policy", changes=False,
            ),
        )  # fmt: skip

    def explain(self, visit: Visit) -> Response:
        """GET /api/v1/policy/explain"""
        compiled = self._snapshot.read()
        if compiled is None:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_COMPILED, kind="not-compiled")
        facts = explained(visit, compiled.snapshot, visit.asked)
        if facts == "group":
            return unknown(visit, f"there is no group {visit.asked.group!r}")
        if isinstance(facts, PolicyError):
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(facts), {"name": str(facts)})
        return answered(Explanation, facts)

    def classify(self, visit: Visit) -> Response:
        """POST /api/v1/policy/classify"""
        compiled = self._snapshot.read()
        if compiled is None:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_COMPILED, kind="not-compiled")
        classifier = Classifier(compiled.snapshot, judge=visit.asked.judge)
        if visit.asked.judge and not classifier.has_judge:
            return problem(HTTPStatus.CONFLICT, "there is no judge in the compiled policy")
        names = [classifier.facts(name) for name in visit.asked.names]
        return answered(Classification, {"generation": compiled.generation, "names": names})


def explained(visit: Visit, snapshot: Snapshot, asked: ExplainAsked) -> dict[str, Any] | Literal["group"] | PolicyError:
    """The explanation; else what is wrong with the question: no such group, or no name."""
    group = snapshot.group(asked.group)
    if group is None:
        return "group"
    try:
        name = from_person(asked.name)
    except PolicyError as error:
        return error
    at = visit.now if asked.at is None else asked.at
    at = at if at.tzinfo else at.replace(tzinfo=snapshot.policy.zone)
    place = visit.services.place
    return explanation(name, group, at, snapshot, published(visit.session, place), list_since(visit.session, place))
