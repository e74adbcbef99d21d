"""Values of a policy document, each checked and read; what is wrong is collected, not raised one at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, tzinfo
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policies.categories import CATEGORIES
from policies.document_problems import DocumentError, Path, Problem, place_text
from policies.model import DAY_MINUTES, DAYS, EFFECTS, NEVER_EXEMPT, Effect, Exemption, Schedule
from policies.names import NameError_, listable
from policies.schedule import overlap

Table = Mapping[str, Any]
MAX_TEXT_CHARS = 200
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_KEY = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,39}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reader:
    """Reads values and keeps what is wrong with them. A value that can't be read becomes an empty one."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def problem(self, path: Path, text: str, at: Path | None = None) -> None:
        """Keep a problem with the value at `path`; `at` is where to look when that is somewhere else."""
        self._found.append(Problem(at or path, f"{place_text(path)}: {text}"))

    def finish(self) -> None:
        """Raises: DocumentError when anything was wrong."""
        if self._found:
            raise DocumentError(self._found)

    def table(self, value: object, path: Path, needed: set[str], more: AbstractSet[str] = frozenset()) -> Table:
        """A table with all `needed` keys and none but those and `more`."""
        if not isinstance(value, Mapping):
            self.problem(path, f"must be a table with the keys {', '.join(sorted(needed | more))}")
            return {}
        for key in value:
            if key not in needed and key not in more:
                self.problem(path, f"unknown key {key!r}", (*path, str(key)))
        for key in sorted(needed):
            if key not in value:
                self.problem(path, f"{key!r} is missing")
        return value

    def mapping(self, value: object, path: Path, what: str) -> Table:
        """A table with any keys."""
        if isinstance(value, Mapping):
            return value
        self.problem(path, f"must be a table of {what}")
        return {}

    def items(self, value: object, path: Path) -> Sequence[object]:
        """A list of anything."""
        if isinstance(value, list | tuple):
            return value
        self.problem(path, "must be a list")
        return ()

    def texts(self, value: object, path: Path) -> list[str]:
        """A list of texts."""
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            self.problem(path, "must be a list of texts")
            return []
        return list(value)

    def line(self, value: object, path: Path) -> str:
        """One line of text that says something."""
        if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT_CHARS or not value.isprintable():
            self.problem(path, f"must be one line of text, at most {MAX_TEXT_CHARS} characters")
            return ""
        return value.strip()

    def keys(self, value: object, path: Path, known: Collection[str], what: str) -> frozenset[str]:
        """A list of different keys out of `known`."""
        found: set[str] = set()
        for number, key in enumerate(self.texts(value, path)):
            if key not in known:
                self.problem(path, f"unknown {what} {key!r}", (*path, number))
            elif key in found:
                self.problem(path, f"{key!r} stands there twice", (*path, number))
            found.add(key)
        return frozenset(found)

    def categories(self, value: object, path: Path) -> frozenset[str]:
        """A list of different categories."""
        return self.keys(value, path, CATEGORIES, "category")

    def name(self, value: object, path: Path, shown: Path | None = None) -> str:
        """A domain name that may stand in a list, in normal form; "" when it is none."""
        try:
            if isinstance(value, str):
                return listable(value)
            self.problem(shown or path, f"{value!r} is not a name", path)
        except NameError_ as problem:
            self.problem(shown or path, str(problem), path)
        return ""

    def names(self, value: object, path: Path) -> frozenset[str]:
        """A list of different domain names, in normal form."""
        names: set[str] = set()
        for number, text in enumerate(self.texts(value, path)):
            name = self.name(text, (*path, number), path)
            if name and name in names:
                self.problem(path, f"{name} stands there twice", (*path, number))
            names.add(name)
        return frozenset(names - {""})

    def place_of_name(self, value: object, path: Path, name: str) -> Path:
        """Where in a list of names this one stands, however it is written."""
        quiet = Reader()
        for number, text in enumerate(quiet.texts(value, path)):
            if quiet.name(text, path) == name:
                return (*path, number)
        return path

    def minute(self, value: object, path: Path) -> int:
        """`16:00` as minutes after midnight; `24:00` is the end of the day."""
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        minute = int(match[1]) * 60 + int(match[2]) if match else -1
        if not 0 <= minute <= DAY_MINUTES:
            self.problem(path, f"{value!r} is not a time of day such as 08:00 or 24:00")
            return -1
        return minute

    def moment(self, value: object, path: Path, zone: tzinfo) -> datetime | None:
        """An aware moment in UTC; without an offset it is taken as local time in `zone`."""
        found = value
        if isinstance(value, str):
            try:
                found = datetime.fromisoformat(value)
            except ValueError:
                found = None
        if not isinstance(found, datetime):
            self.problem(path, f"{value!r} is not a moment such as 2026-12-01T08:00 or 2026-12-01T08:00+01:00")
            return None
        try:
            if found.tzinfo is None:
                local = found.replace(tzinfo=zone, fold=0)
                if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != found:
                    self.problem(path, f"{found.isoformat()} does not occur: the clock is set forward over it")
                    return None
                found = local
            return found.astimezone(UTC).replace(microsecond=0)
        except (OverflowError, ValueError):
            self.problem(path, f"{value!r} is out of range")
            return None


def read_zone(read: Reader, value: object) -> tuple[str, tzinfo]:
    """The key of a time zone and the zone."""
    try:
        if isinstance(value, str) and value:
            return value, ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    read.problem(("time_zone",), f"{value!r} is not a time zone, write one such as Europe/Oslo")
    return "UTC", UTC


def read_schedules(read: Reader, value: object, path: Path) -> tuple[Schedule, ...]:
    """The schedules of a group, sorted; two that speak of one category at one time are a problem."""
    found: list[Schedule] = []
    for number, item in enumerate(read.items(value, path)):
        before = len(found)
        schedule = _schedule(read, item, (*path, number))
        if schedule is None:
            continue
        for other_number, other in enumerate(found[:before]):
            shared = schedule.categories & other.categories
            if shared and overlap(schedule, other):
                text = f"overlaps schedule {other_number + 1} of this group for {', '.join(sorted(shared))}"
                read.problem((*path, number), f"{text}: let each hour stand in one")
        found.append(schedule)
    return tuple(
        sorted(found, key=lambda each: (sorted(each.categories), sorted(each.days), each.start, each.end, each.effect))
    )


def _schedule(read: Reader, item: object, path: Path) -> Schedule | None:
    table = read.table(item, path, {"categories", "days", "from", "to", "effect"})
    if len(table) < 5:
        return None
    categories = read.categories(table.get("categories"), (*path, "categories"))
    days = read.keys(table.get("days"), (*path, "days"), DAYS, "day")
    start, end = read.minute(table.get("from"), (*path, "from")), read.minute(table.get("to"), (*path, "to"))
    if not categories:
        read.problem((*path, "categories"), "names no category")
    if not days:
        read.problem((*path, "days"), f"names no day: write some of {', '.join(DAYS)}")
    if start == DAY_MINUTES:
        read.problem((*path, "from"), "24:00 is the end of a day: write 00:00 and the day after")
    if start == end >= 0:
        read.problem((*path, "to"), "is the same as from: write 00:00 and 24:00 for whole days")
    if table.get("effect") not in EFFECTS:
        read.problem((*path, "effect"), f"{table.get('effect')!r} is not one of {', '.join(EFFECTS)}")
        return None
    if min(start, end) < 0 or start in (end, DAY_MINUTES) or not days <= set(DAYS):
        return None
    effect = cast(Effect, table["effect"])
    return Schedule(categories, frozenset(DAYS.index(day) for day in days), start, end, effect)


def read_exemption(read: Reader, item: object, path: Path, zone: tzinfo, groups: Collection[str]) -> Exemption:
    """One exemption; `groups` are the keys that exist."""
    needed = {"id", "group", "categories", "from", "until", "approved_by", "reason"}
    table = read.table(item, path, needed)
    found: dict[str, Any] = {key: table[key] for key in needed if key in table}
    identity, group = found.get("id"), found.get("group")
    if "id" in found and not (isinstance(identity, str) and _KEY.fullmatch(identity)):
        read.problem((*path, "id"), f"{identity!r} is not a usable id: at most 40 letters, digits, - and _")
        identity = None
    if "group" in found and (not isinstance(group, str) or group not in groups):
        read.problem((*path, "group"), f"there is no group {group!r}")
    categories = read.categories(found.get("categories", []), (*path, "categories"))
    if "categories" in found and not categories:
        read.problem((*path, "categories"), "names no category")
    for category in sorted(categories & NEVER_EXEMPT):
        read.problem((*path, "categories"), f"{category} is never exempted")
    start = read.moment(found["from"], (*path, "from"), zone) if "from" in found else None
    end = read.moment(found["until"], (*path, "until"), zone) if "until" in found else None
    if start is not None and end is not None and end <= start:
        read.problem((*path, "until"), "is not after from")
    approved_by = read.line(found["approved_by"], (*path, "approved_by")) if "approved_by" in found else ""
    reason = read.line(found["reason"], (*path, "reason")) if "reason" in found else ""
    return Exemption(str(identity or ""), str(group), categories, start or _EPOCH, end or _EPOCH, approved_by, reason)


def write_moment(moment: datetime, zone: tzinfo) -> str:
    """RFC 3339 text in whole seconds with the offset of `zone`."""
    return moment.astimezone(zone).isoformat(timespec="seconds")
