"""Name lookups of the last 24 hours: how many were answered and refused, by group and category, and the top names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import Visit
from gateway.collection import top_name_groups
from gateway.dns.counters import NO_POLICY, NOT_ACCEPTED
from gateway.storage import dns_counters
from gateway.storage.dns_counters import Answers, TopName, hour_of
from gateway.storage.keyset import Place, part_of_rows
from policies.categories import CATEGORIES

TABLE = Table("/lookups", (Column("asked", N_("Lookups"), "number"), Column("name", N_("Name"))))
HOURS = 24
REFUSED = frozenset(("refused", "judged_refused", "rebinding"))
GROUPS = {NOT_ACCEPTED: N_("Devices that have not accepted"), NO_POLICY: N_("Before a policy was published")}
REASONS = {"it": N_("Closed by IT by name"), "": N_("Private address")}


@dataclass
class GroupRow:
    """Lookups of one group: all, those refused, and these by category, the most frequent first; and so those of open
    categories that are reported.
    """

    total: int = 0
    refused: int = 0
    categories: list[tuple[str, int]] = field(default_factory=list)
    reported: list[tuple[str, int]] = field(default_factory=list)


def show(visit: Visit) -> Response:
    """GET /lookups"""
    owner_id, end = visit.services.place.owner_id, hour_of(visit.now) + timedelta(hours=1)
    kept = top_name_groups(visit.session, owner_id)
    group = visit.query.get("group", "") if visit.query.get("group") in kept else ""
    asked = TABLE.read(visit.query, {"group": group})
    told = dns_counters.top_names(visit.session, owner_id, visit.now) if kept else ()
    names = [each for each in told if group in ("", each.group)]
    answers = dns_counters.answers_between(visit.session, owner_id, end - timedelta(hours=HOURS), end)
    return visit.page(
        "lookups.html",
        groups=by_group(answers),
        group_words=GROUPS,
        reasons=REASONS,
        categories=CATEGORIES,
        names=asked.shown(part_of_rows(asked.cut, names, _place(asked.cut.by)), _place(asked.cut.by)),
        names_max=dns_counters.NAMES_TOLD if len(told) == dns_counters.NAMES_TOLD else 0,
        names_kept=sorted(kept),
        chosen=group,
    )


def _place(by: str) -> Callable[[TopName], Place]:
    """Where a name stands: by how often it was asked for, or by itself; the four that tell it apart as one number."""

    def place_of(each: TopName) -> Place:
        own = sha256("\0".join((each.group, each.outcome, each.category, each.name)).encode()).hexdigest()[:32]
        return (each.asked if by == "asked" else each.name), own

    return place_of


def by_group(answers: Sequence[Answers]) -> Mapping[str, GroupRow]:
    """The rows of the table, by the group's key."""
    rows: dict[str, GroupRow] = {}
    for each in answers:
        row = rows.setdefault(each.group, GroupRow())
        row.total += each.answers
        if each.outcome in REFUSED:
            row.refused += each.answers
            row.categories = _added(row.categories, each)
        elif each.outcome == "reported":
            row.reported = _added(row.reported, each)
    return dict(sorted(rows.items()))


def _added(so_far: Sequence[tuple[str, int]], each: Answers) -> list[tuple[str, int]]:
    counts = dict(so_far)
    counts[each.category] = counts.get(each.category, 0) + each.answers
    return sorted(counts.items(), key=lambda item: -item[1])
