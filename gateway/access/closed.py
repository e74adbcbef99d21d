"""Whether a name is open for a device at this moment and why not: what DNS decides, as a guest is told it. Pure.

The policy group is found by the DNS workers' own table of marks and networks, and the decision is `policies.decide`
over the snapshot that they serve, so that this and DNS can't disagree. Two things only DNS knows: where a name leads
(an alias of something closed), and whether a name that no list has was asked for before, without which the judge has
not looked at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.dns.plan import LOCAL_ZONES, Accepted
from gateway.dns.review import under
from gateway.lists.explanation import opinions
from policies.canaries import CANARIES
from policies.categories import CATEGORIES
from policies.decide import decide
from policies.model import NEVER_EXEMPT, Decision
from policies.names import parents
from policies.opening import opens_at

Ground = Literal[
    "category",  # a category that is closed for the group
    "judged",  # no list has it, but it looks like a category whose look-alikes are blocked
    "it",  # IT has closed this very name, or one above it, for the group
    "canary",  # always answered with no such name, whoever asks
    "local",  # no public name: nothing on the internet has it
    "exempted",  # closed otherwise, but an exemption is in force
    "never_blocked",  # whatever the lists say
    "open",  # nothing forbids it
]


_PERMITTING: Mapping[str, Ground] = {"exempted": "exempted", "never_blocked": "never_blocked"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a name stands for a group now.

    `categories` are all that close it, the one that decides first; empty where none does. `opens_at` is when the clock
    alone opens it, `closes_at` until when what opens it lasts at most: None where time changes nothing.
    """

    name: str
    permitted: bool
    ground: Ground
    categories: tuple[str, ...] = ()
    opens_at: datetime | None = None
    closes_at: datetime | None = None

    @property
    def can_be_exempted(self) -> bool:
        """Whether an exemption could open it: never what is malware or phishing, nor what IT closed by name."""
        return not self.permitted and self.ground == "category" and NEVER_EXEMPT.isdisjoint(self.categories)


def stand(
    name: str, asker: Accepted, now: datetime, *, portal_name: str, private_zones: tuple[str, ...] = ()
) -> Standing | None:
    """How `name` (normal form) stands for `asker` (as DNS has found it) at the aware moment `now`.

    None as long as there is no policy for the device. The order is that of DNS: own names come before policy.
    Raises: PolicyError when the snapshot was damaged after it was opened.
    """
    own = _own(name, portal_name, private_zones)
    if own is not None or asker.snapshot is None or asker.group is None:
        return own
    judged = opinions(asker.snapshot, name)
    decision = decide(name, asker.group, now, asker.snapshot, judged)
    first = decision.reasons[0]
    if decision.permitted:
        ground = _PERMITTING.get(first.kind, "open")
        return Standing(name, True, ground, closes_at=decision.valid_until)
    if first.kind == "forbidden_by_it":
        return Standing(name, False, "it")
    return Standing(
        name,
        False,
        "judged" if first.kind == "judged_closed" else "category",
        closing(decision),
        opens_at(decision, asker.group, now, asker.snapshot, judged),
    )


def _own(name: str, portal_name: str, private_zones: tuple[str, ...]) -> Standing | None:
    if name == portal_name:
        return Standing(name, True, "never_blocked")
    for suffix in parents(name):
        if suffix in CANARIES:
            return Standing(name, False, "canary")
        if suffix == "localhost" or (suffix in LOCAL_ZONES and not under(name, private_zones)):
            return Standing(name, False, "local")
    return None


def closing(decision: Decision) -> tuple[str, ...]:
    """The categories that forbid a name, in the taxonomy's order; an exemption opens it only if it lifts them all."""
    found = {each.category for each in decision.reasons if each.kind in ("category_closed", "judged_closed")}
    return tuple(key for key in CATEGORIES if key in found)
