"""The week of a category in a group: the hours at which it is closed or open, and how it stands outside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from starlette.responses import Response

from captive_portal.console.forms import Form
from captive_portal.console.look import N_
from captive_portal.console.policy.matrix import STATES
from captive_portal.console.policy.room import MEANWHILE, change, digest, open_room, shared, titles
from captive_portal.console.visit import Visit
from gateway.lists import draft_edits
from policies import matrix
from policies.categories import CATEGORIES, Language
from policies.diff_words import hours_in_words
from policies.model import DAY_MINUTES, DAYS, EFFECTS, Schedule
from policies.schedule import overlap, write_minute

ROWS_MAX = 14
BLANK_ROWS = 2
_CLOCK = re.compile(r"(\d{1,2})(?:[:.]?([0-5]\d))?")
BAD_CLOCK = N_("Write times of day such as 08:00 and 16:00; the end of the day is 24:00.")
NO_DAY = N_("Tick at least one day in each line that has hours.")
SAME_TIMES = N_("A line ends when it begins. The whole day is from 00:00 to 24:00.")
OVERLAP = N_("Two lines speak of the same hour. Let each hour stand in one.")
NO_HOURS = N_("Write at least one line of hours, or choose “{state}” for every hour in the table.")
DAY_NAMES = {
    "mon": N_("Mon"), "tue": N_("Tue"), "wed": N_("Wed"), "thu": N_("Thu"), "fri": N_("Fri"), "sat": N_("Sat"),
    "sun": N_("Sun"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line of the form, as typed."""

    days: frozenset[str] = frozenset()
    start: str = ""
    end: str = ""
    effect: str = "close"

    @property
    def is_blank(self) -> bool:
        """Whether nothing was written in it."""
        return not (self.days or self.start or self.end)


def read_lines(form: Form) -> list[Line]:
    """The lines of a posted form, blank ones left out."""
    lines = [
        Line(
            frozenset(day for day in DAYS if form.get(f"{day}-{number}") == "1"),
            form.get(f"from-{number}").strip()[:10],
            form.get(f"to-{number}").strip()[:10],
            form.get(f"effect-{number}") or "close",
        )
        for number in range(ROWS_MAX)
    ]
    return [each for each in lines if not each.is_blank]


def minute_of(text: str) -> int | None:
    """Minutes after midnight of `8`, `08:00`, `8.30` or `0830`; None when it is no time of day up to 24:00."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    minute = int(found[1]) * 60 + int(found[2] or 0)
    return minute if minute <= DAY_MINUTES else None


def schedules_of(lines: Sequence[Line], category: str) -> list[Schedule] | str:
    """The lines as schedules of a category, or what is wrong with them."""
    found: list[Schedule] = []
    for line in lines:
        start, end = minute_of(line.start), minute_of(line.end)
        if start is None or end is None or start == DAY_MINUTES or line.effect not in EFFECTS:
            return BAD_CLOCK
        if not line.days:
            return NO_DAY
        if start == end:
            return SAME_TIMES
        days = frozenset(DAYS.index(day) for day in line.days)
        schedule = Schedule(frozenset({category}), days, start, end, line.effect)
        if any(overlap(schedule, other) for other in found):
            return OVERLAP
        found.append(schedule)
    return found


def week(base: str, schedules: Sequence[Schedule]) -> list[list[str]]:
    """For each day and hour: `closed`, `open`, or `partly` where it changes within the hour."""
    closed = [[base == "closed"] * DAY_MINUTES for _ in DAYS]
    for each in schedules:
        length = (each.end - each.start - 1) % DAY_MINUTES + 1
        for day in each.days:
            for offset in range(length):
                minute = each.start + offset
                closed[(day + minute // DAY_MINUTES) % 7][minute % DAY_MINUTES] = each.effect == "close"
    return [
        [
            "closed" if all(row[60 * hour : 60 * hour + 60]) else "partly" if any(row[60 * hour : 60 * hour + 60])
            else "open"
            for hour in range(24)
        ]
        for row in closed
    ]  # fmt: skip


def show(visit: Visit) -> Response:
    """GET /policy/groups/{key}/hours/{category}"""
    return _page(visit)


def keep(visit: Visit) -> Response:
    """POST /policy/groups/{key}/hours/{category}: exactly these hours, for this category and those ticked beside."""
    key, category = visit.params["key"], visit.params["category"]
    lines, base = read_lines(visit.form), visit.form.get("base")
    also = [each for each in CATEGORIES if each in visit.form.all("also")]
    found = schedules_of(lines, category)
    if not lines:
        translate = visit.look.translator(visit.language)
        found = translate(NO_HOURS, state=translate(STATES.get(base, STATES["open"])))
    if isinstance(found, str) or base not in matrix.BASES:
        problem = found if isinstance(found, str) else BAD_CLOCK
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=problem, typed=(lines, base))
    rows = rows_of(found)
    met: list[bool] = []

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        group = document["groups"].get(key)
        if group is None or visit.form.get("seen") != seen(group, category):
            met.append(group is None)
            return document
        for each in (category, *also):
            document = draft_edits.with_hours(document, key, each, base, rows)
        return document

    problem = change(visit, edit)
    if met:
        if met[0]:
            return visit.failed(HTTPStatus.NOT_FOUND)
        wrote = [hours_in_words(each, cast(Language, visit.language)) for each in found]
        return _page(visit, HTTPStatus.CONFLICT, problem=MEANWHILE, wrote=wrote)
    if problem:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=problem, typed=(lines, base))
    return visit.go(f"/policy/groups/{key}/hours/{category}?notice=kept")


def rows_of(schedules: Sequence[Schedule]) -> list[dict[str, Any]]:
    """Hours as a policy document has them."""
    return [
        {
            "days": [DAYS[day] for day in sorted(each.days)],
            "from": write_minute(each.start),
            "to": write_minute(each.end),
            "effect": each.effect,
        }
        for each in schedules
    ]


def seen(group: Mapping[str, Any], category: str) -> str:
    """How a category stands in a group, as a hash that its form carries."""
    return digest([matrix.base(group, category), matrix.hours(group, category)])


def _page(
    visit: Visit,
    status: int = HTTPStatus.OK,
    *,
    problem: str = "",
    typed: tuple[list[Line], str] | None = None,
    wrote: Sequence[str] = (),
) -> Response:
    room, key, category = open_room(visit), visit.params["key"], visit.params["category"]
    group = room.document["groups"].get(key)
    if group is None or category not in CATEGORIES:
        return visit.failed(HTTPStatus.NOT_FOUND)
    standing = [
        Line(frozenset(each["days"]), each["from"], each["to"], each["effect"])
        for each in matrix.hours(group, category)
    ]
    lines, base = typed if typed is not None else (standing, matrix.base(group, category))
    schedules = schedules_of(lines, category)
    blank = Line(effect="open" if base == "closed" else "close")
    return visit.page(
        "policy_hours.html",
        status,
        key=key,
        category=CATEGORIES[category],
        called=titles(visit, room.policy)[key],
        lines=[*lines, *[blank] * min(BLANK_ROWS, ROWS_MAX - len(lines))],
        base=base,
        bases={each: STATES[each] for each in matrix.BASES},
        states=STATES,
        days=DAY_NAMES,
        week=week(base, schedules if isinstance(schedules, list) else ()),
        seen=seen(group, category),
        problem=problem,
        wrote=wrote,
        notice=visit.query.get("notice", ""),
        **shared(room),
    )
