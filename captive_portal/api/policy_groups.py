"""Groups of the policy over JSON: what each has of its own, with its names and hours. All in the draft."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import line
from captive_portal.api.paging import Asked, Page, Paged, answered, no_content, part
from captive_portal.api.policy_draft import ROOM, ROOT, etag, locked
from captive_portal.api.problems import quoted, refused, unknown
from captive_portal.console.policy.groups import TITLE_MAX_CHARS, added, ruled
from captive_portal.console.policy.hours import ROWS_MAX, Line, rows_of, schedules_of
from captive_portal.console.policy.room import Room, change, open_room
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.lists import draft_edits
from policies import matrix
from policies.categories import CATEGORIES
from policies.document import DEFAULT_GROUP

Clock = Annotated[str, Field(max_length=5, examples=["08:00"])]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Title = Annotated[str, line(TITLE_MAX_CHARS)]


class Titles(Asked):
    """What people call the group, by language; "" for nothing."""

    nb: Title = ""
    nn: Title = ""
    en: Title = ""


class Group(BaseModel):
    """A group, as the draft has it. `judge`: from which confidence names that only the judge knows are blocked, by
    category; `top_names`: whether the names that many devices ask for are kept for a day.
    """

    key: str
    mark: int
    titles: dict[str, str]
    permit: list[str]
    forbid: list[str]
    safe_search: list[str]
    judge: dict[str, float]
    top_names: bool


class Groups(Page):
    """The groups of the draft, by key."""

    groups: list[Group]


class GroupAdded(Asked):
    """A new group: a short key, what people call it, and which group's rules it begins with ("": none)."""

    key: Annotated[str, Field(max_length=40, examples=["course"])]
    title: Title = ""
    like: Annotated[str, Field(max_length=40, examples=["default"])] = DEFAULT_GROUP


class GroupChanged(Asked):
    """What is changed of a group; what is left out stays."""

    titles: Titles | None = None
    safe_search: Annotated[list[Annotated[str, Field(max_length=40)]] | None, Field(examples=[["google"]])] = None
    judge: Annotated[dict[str, float] | None, Field(examples=[{"gambling": 0.9}])] = None
    top_names: bool | None = None


class Ruled(Asked):
    """Whether the name, with all names below it, is permitted or forbidden, whatever the lists say."""

    rule: Literal["permit", "forbid"]


class Hours(Asked):
    """Hours on days of the week: closed or open from one time of day to another; one that ends earlier goes on into
    the next day.
    """

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7, examples=[["mon", "tue"]])]
    from_: Annotated[Clock, Field(alias="from")]
    to: Annotated[Clock, Field(examples=["16:00"])]
    effect: Literal["close", "open"]


class Week(Asked):
    """How a category stands outside the hours, and the hours."""

    base: Literal["open", "closed", "report"]
    hours: Annotated[list[Hours], Field(max_length=ROWS_MAX)]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    root, of_group, gone = f"{ROOT}/groups", f"{ROOT}/groups/{{group}}", HTTPStatus.NO_CONTENT
    name, week = f"{of_group}/names/{{name}}", f"{of_group}/hours/{{category}}"
    return (
        Call("GET", root, "it", every, "read", Paged, Groups, "The groups of the draft", ROOM),
        Call(
            "POST", root, "it", add, "write", GroupAdded, Group, "A new group", ROOM, status=HTTPStatus.CREATED,
            precondition="optional",
        ),
        Call("GET", of_group, "it", one, "read", None, Group, "One group of the draft", ROOM),
        Call(
            "PATCH", of_group, "it", alter, "write", GroupChanged, Group, "Change a group", ROOM,
            precondition="optional",
        ),
        Call(
            "DELETE", of_group, "it", remove, "write", None, None, "Remove a group with its exemptions", ROOM,
            status=gone, precondition="optional",
        ),
        Call(
            "PUT", name, "it", rule, "write", Ruled, Group, "Permit or forbid a name for a group", ROOM,
            precondition="optional",
        ),
        Call(
            "DELETE", name, "it", unrule, "write", None, Group, "Take a name's rule away", ROOM, precondition="optional"
        ),
        Call("GET", week, "it", show_week, "read", None, Week, "The hours of a category in a group", ROOM),
        Call(
            "PUT", week, "it", set_week, "write", Week, Week, "Set the hours of a category in a group", ROOM,
            precondition="optional",
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/policy/groups"""
    room = open_room(visit)
    found = part(draft_edits.ruled_groups(room.document), visit, lambda key: (key,))
    if isinstance(found, Response):
        return found
    rows = [_facts(room, key) for key in found[0]]
    return answered(Groups, {"groups": rows, "next": found[1]}, ETag=quoted(etag(room)))


def one(visit: Visit) -> Response:
    """GET /api/v1/policy/groups/{group}"""
    return _answer(visit, open_room(visit), visit.params["group"])


def add(visit: Visit) -> Response:
    """POST /api/v1/policy/groups"""
    room, asked = locked(visit), visit.asked
    if isinstance(room, Response):
        return room
    problems = added(visit, asked.key, asked.like, asked.title)
    if problems:
        return refused(problems)
    answer = _answer(visit, open_room(visit), asked.key, HTTPStatus.CREATED)
    answer.headers["Location"] = f"{ROOT}/groups/{asked.key}"
    return answer


def alter(visit: Visit) -> Response:
    """PATCH /api/v1/policy/groups/{group}"""
    key, asked = visit.params["group"], visit.asked

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        if asked.titles is not None:
            document = draft_edits.with_titles(document, key, asked.titles.model_dump())
        if asked.safe_search is not None:
            document = draft_edits.with_safe_search(document, key, asked.safe_search)
        if asked.judge is not None:
            document = draft_edits.with_judge(document, key, asked.judge)
        if asked.top_names is not None:
            document = draft_edits.with_top_names(document, key, on=asked.top_names)
        return document

    return _in_group(visit, lambda: change(visit, edit))


def remove(visit: Visit) -> Response:
    """DELETE /api/v1/policy/groups/{group}"""
    key = visit.params["group"]
    if key == DEFAULT_GROUP:
        return refused({"group": "the group default stays: it is for every device that has no other"})
    room = locked(visit)
    if isinstance(room, Response):
        return room
    if key not in draft_edits.ruled_groups(room.document):
        return unknown(visit, f"there is no group {key!r} in the draft")
    told = change(visit, lambda document: draft_edits.without_group(document, key))
    return refused({}, told) if told else no_content()


def rule(visit: Visit) -> Response:
    """PUT /api/v1/policy/groups/{group}/names/{name}"""
    return _in_group(visit, lambda: ruled(visit, visit.params["group"], [visit.params["name"]], visit.asked.rule))


def unrule(visit: Visit) -> Response:
    """DELETE /api/v1/policy/groups/{group}/names/{name}"""
    return _in_group(visit, lambda: ruled(visit, visit.params["group"], [visit.params["name"]], None))


def show_week(visit: Visit) -> Response:
    """GET /api/v1/policy/groups/{group}/hours/{category}"""
    return _week(visit, open_room(visit))


def set_week(visit: Visit) -> Response:
    """PUT /api/v1/policy/groups/{group}/hours/{category}"""
    key, category, asked = visit.params["group"], visit.params["category"], visit.asked
    if category not in CATEGORIES:
        return unknown(visit, f"there is no category {category!r}")
    lines = [Line(frozenset(each.days), each.from_, each.to, each.effect) for each in asked.hours]
    found = schedules_of(lines, category)
    if isinstance(found, str):
        return refused({"hours": found})
    rows = rows_of(found)

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        return draft_edits.with_hours(document, key, category, asked.base, rows)

    done = _in_group(visit, lambda: change(visit, edit))
    return done if done.status_code != HTTPStatus.OK else _week(visit, open_room(visit))


def _in_group(visit: Visit, do: Any) -> Response:
    """Change a group of the draft; the answer is the group as it is then."""
    room, key = locked(visit), visit.params["group"]
    if isinstance(room, Response):
        return room
    if key not in draft_edits.ruled_groups(room.document):
        return unknown(visit, f"there is no group {key!r} in the draft")
    told = do()
    return refused({}, told) if told else _answer(visit, open_room(visit), key)


def _answer(visit: Visit, room: Room, key: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    if key not in draft_edits.ruled_groups(room.document):
        return unknown(visit, f"there is no group {key!r} in the draft")
    return answered(Group, _facts(room, key), status=status, ETag=quoted(etag(room)))


def _week(visit: Visit, room: Room) -> Response:
    key, category = visit.params["group"], visit.params["category"]
    if key not in draft_edits.ruled_groups(room.document) or category not in CATEGORIES:
        return unknown(visit, "there is no such group or category")
    group = room.document["groups"][key]
    facts = {"base": matrix.base(group, category), "hours": matrix.hours(group, category)}
    return answered(Week, facts, ETag=quoted(etag(room)))


def _facts(room: Room, key: str) -> dict[str, Any]:
    group = room.document["groups"][key]
    names = ("mark", "permit", "forbid", "safe_search", "judge", "top_names")
    return {"key": key, "titles": group.get("names", {}), **{name: group[name] for name in names}}
