"""Names that no list has and that the judge holds for a category: IT confirms one, which forbids it, or dismisses it,
which permits it. Only names that many devices asked for are ever seen here, and for a day at most.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.policy.room import change, open_room, shared, titles
from captive_portal.console.visit import Visit
from gateway.collection import top_name_groups
from gateway.dns.judging import SECTION
from gateway.lists import draft_edits
from gateway.lists.judge_examples import FEWEST_SITES
from gateway.storage import dns_counters
from policies.names import parents

LOOKED_AT = 500
OUTCOMES = ("judged", "judged_refused")
GONE = N_("That name is not among the judged ones any more.")


class JudgedPages:
    """What the page shows and does."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def show(self, visit: Visit) -> Response:
        """GET /policy/judged"""
        return self._page(visit)

    def settle(self, visit: Visit) -> Response:
        """POST /policy/judged: `rule` is `forbid` (confirmed) or `permit` (dismissed)."""
        name, group, wanted = visit.form.get("name"), visit.form.get("group"), visit.form.get("rule")
        problem = settled(visit, name, group, wanted)
        if problem:
            status = HTTPStatus.CONFLICT if problem == GONE else HTTPStatus.UNPROCESSABLE_ENTITY
            return self._page(visit, status, problem=problem)
        return visit.go("/policy/judged?notice=kept")

    def _page(self, visit: Visit, status: int = HTTPStatus.OK, *, problem: str = "") -> Response:
        compiled, room = self._snapshot.read(), open_room(visit)
        return visit.page(
            "policy_judged.html",
            status,
            has_judge=compiled is not None and compiled.snapshot.section(SECTION) is not None,
            names_kept=bool(top_name_groups(visit.session, visit.services.place.owner_id)),
            names=unsettled(visit),
            fewest=FEWEST_SITES,
            titles=titles(visit, room.policy),
            problem=problem,
            notice=visit.query.get("notice", ""),
            **shared(room),
        )


def unsettled(visit: Visit) -> list[dns_counters.TopName]:
    """The judged names that have no rule in the draft yet."""
    groups = open_room(visit).policy.groups
    names = dns_counters.top_names(visit.session, visit.services.place.owner_id, visit.now, LOOKED_AT)
    return [
        each
        for each in names
        if each.outcome in OUTCOMES
        and (group := groups.get(each.group)) is not None
        and not any(suffix in group.permit or suffix in group.forbid for suffix in parents(each.name))
    ]


def settled(visit: Visit, name: str, group: str, rule: str) -> str:
    """Give a judged name a rule in the draft; "" when it is done, else what stands in the way."""
    among = any((each.name, each.group) == (name, group) for each in unsettled(visit))
    if rule not in ("permit", "forbid") or not among:
        return GONE
    return change(visit, lambda document: draft_edits.with_name(document, group, name, rule)[0])
