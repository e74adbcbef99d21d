"""What is closed for a group and why: the policy in force in the guest's words, each category with its guideline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from captive_portal.guest.guideline_words import REASONS
from captive_portal.i18n import Translator
from gateway.lists.explanation import closable
from policies.categories import CATEGORIES, Category, Language
from policies.names import PolicyError
from policies.schedule import standing
from policies.snapshot import Snapshot


@dataclass(frozen=True)
class Closed:
    """One category as a page shows it. `opens_at`: when the clock opens it again; None: it stays closed."""

    name: str
    description: str
    opens_at: datetime | None


@dataclass(frozen=True)
class Point:
    """Categories that are closed for the same reason."""

    reason: str
    closed: tuple[Closed, ...]


@dataclass(frozen=True)
class Overview:
    """What is closed now by reason; what the clock closes later, as (name, when); what an exemption has open."""

    points: tuple[Point, ...]
    later: tuple[tuple[str, datetime], ...]
    lifted: tuple[tuple[str, datetime], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The closed categories, in the order of the taxonomy's reasons."""
        return tuple(each.name for point in self.points for each in point.closed)


NOTHING = Overview((), (), ())


def overview(snapshot: Snapshot | None, group_key: str, t: Translator, now: datetime) -> Overview:
    """What is closed for a group; nothing where there is no policy yet, or no such group. A category that no name is
    known of closes nothing, and is not told.
    """
    group = snapshot.group(group_key) if snapshot is not None else None
    if snapshot is None or group is None:
        return NOTHING
    try:
        told: Collection[str] = closable(snapshot, group)
    except PolicyError:  # damaged after it was opened; jobs mends it
        told = snapshot.categories
    stands = standing(snapshot.policy, group, now)
    closed = stands.closed.intersection(told) - stands.lifted.keys()
    points = [
        Point(
            t(reason),
            tuple(
                Closed(name_of(each, t), described(each, t), stands.changes.get(key))
                for key, each in CATEGORIES.items()
                if key in closed and each.guideline == guideline
            ),
        )
        for guideline, reason in REASONS.items()
    ]
    later = [
        (name_of(CATEGORIES[key], t), moment)
        for key, moment in stands.changes.items()
        if key in told and key not in stands.closed
    ]
    lifted = [(name_of(CATEGORIES[key], t), each.end) for key, each in stands.lifted.items() if key in told]
    return Overview(tuple(point for point in points if point.closed), tuple(later), tuple(lifted))


def name_of(category: Category, t: Translator) -> str:
    """What a category is called: in the taxonomy's own languages as it says, in others as the catalogue does."""
    return category.names[cast(Language, t.language)] if t.language in category.names else t(category.names["en"])


def described(category: Category, t: Translator) -> str:
    """What a category is, in a sentence: as `name_of`."""
    texts = category.descriptions
    return texts[cast(Language, t.language)] if t.language in texts else t(texts["en"])
