"""May this name be visited by this group? The rows of the policy's semantics, first that applies decides,
all reasons told.

1. a never-blocked name is permitted; 2. the group's own names, longest matching suffix; 3. an exemption in force
permits, when every closed category of the name is among those it lifts, and never malware or phishing; 4. forbidden
when any category of the name is closed for the group now; 5. a name that no list has, judged to be of a closed
category, is forbidden where IT had such names blocked and the judge is sure enough; 6. otherwise permitted. A list's
own exception silences that list for the name and everything below it, and no other list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from policies.categories import CATEGORIES
from policies.model import Decision, Exemption, Group, Judged, Reason, Schedule
from policies.names import parents
from policies.schedule import Standing, standing, write_hours
from policies.snapshot import Listing, Snapshot

_ORDER = {key: position for position, key in enumerate(CATEGORIES)}


def decide(name: str, group: Group, now: datetime, snapshot: Snapshot, judged: Sequence[Judged] = ()) -> Decision:
    """Decide for `name` in normal form (`policies.names`) at the aware moment `now`; the root is permitted.

    `judged` is what the judge of unlisted names holds the name for; it counts only where no list has the name.
    The reasons come in order of precedence, the one that decided first; remarks (open categories,
    exceptions) last. Among closed categories the one that the taxonomy names first decides.
    """
    verdicts: list[tuple[bool, Reason]] = []
    suffixes = tuple(parents(name))
    never = snapshot.never_blocked
    for suffix in suffixes:
        if suffix in never:
            verdicts.append((True, Reason("never_blocked", suffix, detail=never[suffix])))
    if group.permit or group.forbid:
        # Longest suffix first, so the first match is the one that counts.
        for suffix in suffixes:
            if suffix in group.permit:
                verdicts.append((True, Reason("permitted_by_it", suffix)))
            elif suffix in group.forbid:
                verdicts.append((False, Reason("forbidden_by_it", suffix)))
    standing_now = standing(snapshot.policy, group, now)
    listings = snapshot.lookup(name)
    if listings:
        closed, lifted, remarks, categories = _listed(listings, standing_now)
    else:
        closed, lifted, remarks, categories = _judged(name, judged, standing_now)
    fixed = bool(verdicts)  # rows 1 and 2 stand whatever the hour
    if not closed:  # nothing is left to forbid, so what was lifted is what permits
        verdicts += [(True, reason) for reason in lifted]
    else:
        remarks = [*lifted, *remarks]
        verdicts += [(False, reason) for reason in closed]
    if not verdicts:
        verdicts.append((True, Reason("not_forbidden")))
    permitted, deciding = verdicts[0]
    return Decision(
        name=name,
        group=group.key,
        permitted=permitted,
        category=None if permitted else deciding.category,
        reasons=tuple(reason for _, reason in verdicts) + tuple(remarks),
        generation=snapshot.generation,
        valid_until=None if fixed else _valid_until(categories, standing_now),
    )


def _valid_until(categories: Iterable[str], now: Standing) -> datetime | None:
    return min((now.changes[each] for each in categories if each in now.changes), default=None)


Sorted = tuple[list[Reason], list[Reason], list[Reason], set[str]]
"""Reasons of closed categories, reasons lifted by an exemption, remarks, and all categories that matter."""


def _listed(listings: tuple[Listing, ...], now: Standing) -> Sorted:
    """Each in the taxonomy's order, then longest suffix, then source."""
    silenced = {listing.source_id for listing in listings if listing.exception}
    closed: list[Reason] = []
    lifted: list[Reason] = []
    remarks: list[Reason] = []
    categories: set[str] = set()
    for listing in sorted(listings, key=lambda each: (_ORDER[each.category], -len(each.name), each.source_id)):
        category = listing.category
        if listing.exception:
            remarks.append(Reason("list_exception", listing.name, category, listing.source))
            continue
        if listing.source_id in silenced:
            continue
        categories.add(category)
        hours = _hours(now.by_schedule.get(category))
        if category not in now.closed:
            remarks.append(Reason("category_open", listing.name, category, listing.source, hours))
        elif category in now.lifted:
            told = exemption_text(now.lifted[category])
            lifted.append(Reason("exempted", listing.name, category, listing.source, told))
        else:
            closed.append(Reason("category_closed", listing.name, category, listing.source, hours))
    return closed, lifted, remarks, categories


def _judged(name: str, judged: Sequence[Judged], now: Standing) -> Sorted:
    closed: list[Reason] = []
    lifted: list[Reason] = []
    remarks: list[Reason] = []
    categories: set[str] = set()
    for verdict in sorted(judged, key=lambda each: (_ORDER[each.category], -each.confidence)):
        category = verdict.category
        told = f"{verdict.confidence:.0%}" + (f": {' '.join(verdict.because)}" if verdict.because else "")
        threshold = now.group.judge.get(category)
        sure = threshold is not None and verdict.confidence >= threshold
        if sure:
            categories.add(category)
        if not sure or category not in now.closed:
            remarks.append(Reason("judged", name, category, detail=told))
        elif category in now.lifted:
            lifted.append(Reason("exempted", name, category, detail=exemption_text(now.lifted[category])))
            remarks.append(Reason("judged", name, category, detail=told))
        else:
            closed.append(Reason("judged_closed", name, category, detail=told))
    return closed, lifted, remarks, categories


def _hours(schedule: Schedule | None) -> str | None:
    return None if schedule is None else write_hours(schedule)


_EXEMPTION = re.compile(r"(.*), approved by (.*), until (\S+)", re.DOTALL)


def exemption_text(exemption: Exemption) -> str:
    """`kurs-1, approved by Kari Nordmann, until 2026-12-01T14:00:00+00:00`."""
    return f"{exemption.id}, approved by {exemption.approved_by}, until {exemption.end.isoformat()}"


def read_exemption_text(text: str) -> tuple[str, str, datetime]:
    """(id, who approved, until when) of what `exemption_text` wrote."""
    found = _EXEMPTION.fullmatch(text)
    assert found is not None, "not written by exemption_text"
    return found[1], found[2], datetime.fromisoformat(found[3])
