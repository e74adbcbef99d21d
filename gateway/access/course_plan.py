"""What a course may be: its period by the municipality's clock, and what is wrong with a wish for one. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from gateway.clock import MUNICIPAL_ZONE

PARTICIPANTS = 25
DEVICES_FOR_PARTICIPANTS = 60  # a phone and a laptop each, and some to spare
MAX_DEVICES = 1000
MAX_CHARS = 120
LONGEST = timedelta(days=400)  # a school year and its holidays, as for admitted devices
OPENS_BEFORE = timedelta(hours=1)  # guests arrive before it begins
MINUTE_FORM = "%Y-%m-%dT%H:%M"

Offer = Literal["code", "title", "hidden"]
OFFERS: tuple[Offer, ...] = ("code", "title", "hidden")
Field = Literal["title", "unit", "starts_at", "ends_at", "group", "max_devices", "offered"]
Problem = Literal["missing", "too_long", "characters", "order", "past", "too_far", "no_group", "count", "no_offer"]
_REFUSED = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a course to be. Moments are aware; None for one that was not understood."""

    title: str
    unit: str
    starts_at: datetime | None
    ends_at: datetime | None
    group: str
    max_devices: int | None
    offered: str = "code"


def problems(wish: Wish, groups: Collection[str], now: datetime) -> dict[Field, Problem]:
    """What is wrong with it, by field in the order of the form; empty when nothing is.

    `groups` are those that whoever wishes may choose.
    """
    found: dict[Field, Problem] = {}
    for name, text in (("title", wish.title), ("unit", wish.unit)):
        if (wrong := _line_problem(text)) is not None:
            found[name] = wrong  # type: ignore[index]  # both are fields
    if wish.starts_at is None:
        found["starts_at"] = "missing"
    elif wish.starts_at > now + LONGEST:
        found["starts_at"] = "too_far"
    if wish.ends_at is None:
        found["ends_at"] = "missing"
    elif wish.ends_at <= now:
        found["ends_at"] = "past"
    elif wish.starts_at is not None and wish.ends_at <= wish.starts_at:
        found["ends_at"] = "order"
    elif wish.starts_at is not None and wish.ends_at - wish.starts_at > LONGEST:
        found["ends_at"] = "too_far"
    if wish.group not in groups:
        found["group"] = "no_group"
    if wish.max_devices is None or not 1 <= wish.max_devices <= MAX_DEVICES:
        found["max_devices"] = "count"
    if wish.offered not in OFFERS:
        found["offered"] = "no_offer"
    return found


def local_moment(text: str) -> datetime | None:
    """`2026-12-01T09:00` by the municipality's clock, as UTC. None for anything else, and for an hour that summer time
    leaves out; of one that comes twice, the first.
    """
    try:
        named = datetime.strptime(text, MINUTE_FORM)  # noqa: DTZ007 - a clock on the wall; its zone comes next
        moment = named.replace(tzinfo=MUNICIPAL_ZONE).astimezone(UTC)
        return moment if moment.astimezone(MUNICIPAL_ZONE).replace(tzinfo=None) == named else None
    except (ValueError, OverflowError):
        return None


def local_text(moment: datetime) -> str:
    """The inverse of `local_moment`, to the minute."""
    return moment.astimezone(MUNICIPAL_ZONE).strftime(MINUTE_FORM)


def same_unit(one: str, other: str) -> bool:
    """Whether two units are the same but for case and spelling of spaces; no unit is the same as none."""
    left, right = (" ".join(unicodedata.normalize("NFC", each).casefold().split()) for each in (one, other))
    return bool(left) and left == right


def _line_problem(text: str) -> Problem | None:
    if any(unicodedata.category(character) in _REFUSED or character in _BIDI for character in text):
        return "characters"
    if len(text) > MAX_CHARS:
        return "too_long"
    return None if any(unicodedata.category(character)[0] in "LN" for character in text) else "missing"
