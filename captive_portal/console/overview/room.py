"""The first page: warnings, who is online, figures over time, and how services, lists, copies and certificates stand.

What changes by itself is one template, which the page holds and `/overview/now` answers alone. A script of ours asks
for it every few seconds and draws the charts from the tables, which say the same without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from captive_portal.console.evidence.checkpoints import KINDS
from captive_portal.console.first_steps import first_steps
from captive_portal.console.group_names import GroupNames
from captive_portal.console.look import N_
from captive_portal.console.lookups import REASONS, REFUSED
from captive_portal.console.overview.accepted import AcceptedDays
from captive_portal.console.overview.series import OTHERS, STEPS, Table, bounds_of, by_category
from captive_portal.console.overview.standing import Gatherer
from captive_portal.console.overview.warnings import days_left, warnings
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.visit import Visit
from gateway.clock import MUNICIPAL_ZONE
from gateway.storage import checkpoints, dns_counters, overview
from gateway.storage.overview import Online
from gateway.telemetry import Totals
from policies.categories import CATEGORIES

SERVICES = {
    "enforcer": N_("lets devices through"),
    "portal": N_("shows the guest pages"),
    "sealer": N_("signs the log"),
    "jobs": N_("fetches lists, puts the content filter in force, erases what is old"),
    "dns": N_("answers name lookups"),
}
SECTIONS = {
    "/#services": N_("Services"),
    "/#upstreams": N_("Name servers that DNS asks"),
    "/#certificates": N_("Certificates"),
}
"""Parts of this page that warnings lead to."""
FIRST = frozenset(("no_lists", "no_targets", "unenforced"))
"""Warnings of what the first steps on a new installation say, too."""
PERIODS = {"day": N_("24 hours"), "month": N_("30 days")}


@dataclass(frozen=True)
class OnlineRow:
    """Devices online of a group, and of a course in it; without one: those of the group that are of no course."""

    group: str
    course_id: str | None
    course: str | None
    devices: int


class OverviewPages:
    """The pages, over the compiled policy and what DNS workers reported."""

    def __init__(self, snapshot: SnapshotReader, dns: Totals) -> None:
        self._gatherer = Gatherer(snapshot, dns)
        self._accepted = AcceptedDays()

    def home(self, visit: Visit) -> Response:
        """GET /: the first page of whoever is signed in; a host's is that of their courses."""
        if visit.member.role == "host":
            return visit.go("/courses")
        return self._page(visit, "overview.html")

    def now(self, visit: Visit) -> Response:
        """GET /overview/now: what changes by itself, without the page round it; nobody is to look at it as a page."""
        response = self._page(visit, "overview_now.html")
        response.headers["content-type"] = "text/plain; charset=utf-8"
        return response

    def _page(self, visit: Visit, template: str) -> Response:
        session, owner_id = visit.session, visit.services.place.owner_id
        standing = self._gatherer.gather(visit)
        steps = first_steps(visit) if visit.member.role == "it" else ()
        is_begun = any(not (each.done or each.step.is_wise) for each in steps)  # else those left are folded away
        newest = checkpoints.newest(session, owner_id, below=None, limit=1)
        period = visit.query.get("period", "")
        values: dict[str, Any] = {
            "standing": standing,
            "facts": standing.facts,
            "warned": warnings(standing.facts, visit.member.role, FIRST if is_begun else frozenset()),
            "steps": steps,
            "is_begun": is_begun,
            "accepted": accepted_a_day(visit, self._accepted),
            "newest": newest[0] if newest else None,
            "kinds": KINDS,
            "days_left": days_left,
            "sections": SECTIONS,
        }
        if visit.member.role == "it":
            values |= self._for_it(visit, period if period in STEPS else "day")
        return visit.page(template, **values)

    def _for_it(self, visit: Visit, period: str) -> dict[str, Any]:
        session, owner_id = visit.session, visit.services.place.owner_id
        online = overview.online(session, owner_id, visit.now)
        return {
            "online": _together(online, visit.group_names),
            "devices": sum(each.devices for each in online),
            "refused": refused_by_category(visit, period),
            "period": period,
            "periods": PERIODS,
            "reasons": REASONS | {OTHERS: N_("all others")},
            "categories": CATEGORIES,
            "services": SERVICES,
        }


def accepted_a_day(visit: Visit, known: AcceptedDays) -> Table:
    """How many acceptances there were on each of the last days, of which some are known."""
    days = bounds_of("day", visit.now, MUNICIPAL_ZONE)
    accepted = known.count(visit.session, visit.services.place.owner_id, days, visit.now)
    return Table(("accepted",), tuple(days[:-1]), tuple((count,) for count in accepted))


def refused_by_category(visit: Visit, period: str) -> Table:
    """The name lookups that were refused in each hour or day of a period of `STEPS`, by category."""
    bounds = bounds_of(STEPS[period], visit.now, MUNICIPAL_ZONE)
    counted = dns_counters.answers_in_periods(visit.session, visit.services.place.owner_id, REFUSED, bounds)
    return by_category(counted, bounds[:-1])


def _together(online: Sequence[Online], called: GroupNames) -> list[OnlineRow]:
    """The rows by what groups are called: all guests with an exemption of their own are in groups of one name."""
    counts: dict[tuple[str, str | None, str | None], int] = {}
    for each in online:
        key = called(each.group), each.course_id, each.course
        counts[key] = counts.get(key, 0) + each.devices
    return [OnlineRow(*key, devices) for key, devices in counts.items()]
