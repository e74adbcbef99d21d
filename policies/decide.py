"""May this name be visited by this group? The rows of the policy's semantics, first that applies decides,
all reasons told.

1. a never-blocked name is permitted; 2. the group's own names, longest matching suffix; 4. forbidden when
any category of the name is closed for the group; 6. otherwise permitted. (Rows 3 and 5 of the design,
exemptions and the judge of unlisted names, are not built.) A list's own exception silences that list for the
name and everything below it, and no other list.
"""

from __future__ import annotations

from datetime import datetime

from policies.categories import CATEGORIES
from policies.model import Decision, Group, Reason
from policies.names import parents
from policies.snapshot import Listing, Snapshot

_ORDER = {key: position for position, key in enumerate(CATEGORIES)}


def decide(name: str, group: Group, now: datetime, snapshot: Snapshot) -> Decision:
    """Decide for `name` in normal form (`policies.names`) at the aware moment `now`; the root is permitted.

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
    closed, remarks = _listed(snapshot.lookup(name), group)
    verdicts += [(False, reason) for reason in closed]
    if not verdicts:
        verdicts.append((True, Reason("not_forbidden")))
    permitted, deciding = verdicts[0]
    return Decision(
        name=name,
        group=group.key,
        permitted=permitted,
        category=deciding.category,
        reasons=tuple(reason for _, reason in verdicts) + tuple(remarks),
        generation=snapshot.generation,
    )


def _listed(listings: tuple[Listing, ...], group: Group) -> tuple[list[Reason], list[Reason]]:
    """(reasons of closed categories, remarks), each in the taxonomy's order, then longest suffix, then
    source.
    """
    if not listings:
        return [], []
    silenced = {listing.source_id for listing in listings if listing.exception}
    closed: list[Reason] = []
    remarks: list[Reason] = []
    for listing in sorted(listings, key=lambda each: (_ORDER[each.category], -len(each.name), each.source_id)):
        if listing.exception:
            remarks.append(Reason("list_exception", listing.name, listing.category, listing.source))
        elif listing.source_id in silenced:
            continue
        elif listing.category in group.closed:
            closed.append(Reason("category_closed", listing.name, listing.category, listing.source))
        else:
            remarks.append(Reason("category_open", listing.name, listing.category, listing.source))
    return closed, remarks
