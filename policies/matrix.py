"""Categories × groups as a table: how a category stands for a group in a policy document, and setting it.

A group here is one of a canonical document (`policies.document.write_document`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

State = Literal["open", "closed", "report", "schedule"]
STATES: tuple[State, ...] = ("open", "closed", "report", "schedule")
Base = Literal["open", "closed", "report"]
BASES: tuple[Base, ...] = ("open", "closed", "report")


def state(group: Mapping[str, Any], category: str) -> State:
    """`schedule` where hours of the week are set for the category; `report`: open, and counted."""
    return "schedule" if hours(group, category) else base(group, category)


def base(group: Mapping[str, Any], category: str) -> Base:
    """How the category stands outside the hours that are set for it."""
    if category in group["closed"]:
        return "closed"
    return "report" if category in group.get("report", ()) else "open"


def hours(group: Mapping[str, Any], category: str) -> list[dict[str, Any]]:
    """The hours set for a category, each with its days, from, to and effect."""
    return [
        {key: each[key] for key in ("days", "from", "to", "effect")}
        for each in group.get("schedules", ())
        if category in each["categories"]
    ]


def set_base(group: dict[str, Any], category: str, wanted: Base) -> None:
    """Have the category stand so outside its hours. Changes `group`."""
    for key in ("closed", "report"):
        kept = set(group.get(key, ())) - {category}
        group[key] = sorted(kept | {category} if key == wanted else kept)


def set_hours(group: dict[str, Any], category: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Have exactly these hours (as `hours` gives them) for the category; other categories keep theirs. Changes
    `group`.
    """
    kept: dict[tuple[Any, ...], set[str]] = {}
    for each in group.get("schedules", ()):
        others = set(each["categories"]) - {category}
        if others:
            kept.setdefault(_when(each), set()).update(others)
    for each in rows:
        kept.setdefault(_when(each), set()).add(category)
    group["schedules"] = [
        {"categories": sorted(categories), "days": list(days), "from": start, "to": end, "effect": effect}
        for (days, start, end, effect), categories in kept.items()
    ]


def set_state(group: dict[str, Any], category: str, wanted: Base) -> None:
    """Have the category stand so at every hour. Changes `group`."""
    set_hours(group, category, ())
    set_base(group, category, wanted)


def _when(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row["days"]), row["from"], row["to"], row["effect"]
