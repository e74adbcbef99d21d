"""The outage switch of a guest network: all closed, or everybody let through without accepting, until a set time.

`closed` is for faults, attacks and holidays: nothing is forwarded, grants stay and go on when it is over. `rules_only`
is for emergencies in which nobody may be held up by a form: everybody is let through under the network's own policy,
is shown the rules, and nothing is recorded of anybody. ADR 0033 says why. The caller commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.storage import generations, outages, places
from gateway.storage.engine import Session
from gateway.storage.outages import Mode
from gateway.storage.places import Place

LONGEST: Mapping[Mode, timedelta] = {"closed": timedelta(days=60), "rules_only": timedelta(hours=72)}
"""A summer holiday; a long weekend. Then somebody looks at it again."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a network is to be switched to, why, until when, and what its guests are told, by language."""

    mode: Mode
    reason: str
    until: datetime
    notices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotSwitched:
    """Why nothing was written. `no_policy`: the network's group is not in the policy in force."""

    reason: Literal["no_network", "past", "too_long", "no_policy"]


def switch(
    session: Session, place: Place, network_id: str, wish: Wish, *, by: str, now: datetime
) -> NotSwitched | None:
    """Switch one of the owner's guest networks on behalf of staff member `by`, as a leaf of the log; None: done."""
    places.lock_owner(session, place.owner_id)  # two who switch at once take turns
    network = _network(session, place, network_id, now)
    if network is None:
        return NotSwitched("no_network")
    if wish.until <= now:
        return NotSwitched("past")
    if wish.until - now > LONGEST[wish.mode]:
        return NotSwitched("too_long")
    if wish.mode == "rules_only" and generations.mark_of(session, place.owner_id, network.group_key) is None:
        return NotSwitched("no_policy")
    values = {
        "mode": wish.mode,
        "reason": wish.reason,
        "notices": dict(wish.notices),
        "began_at": now,
        "ends_at": wish.until,
        "set_by": by,
    }
    outages.put(session, network.id, values)
    note = "\n".join(f"{language}: {text}" for language, text in wish.notices.items() if text)
    fields = {"network": network.interface, "mode": wish.mode, "until": format_utc(wish.until)}
    record(session, place, "network_switched", fields, {"by": by, "reason": wish.reason, "note": note}, now)
    return None


def restore(session: Session, place: Place, network_id: str, *, by: str, now: datetime) -> bool:
    """Have a guest network as usual again, before its time. False when it is."""
    places.lock_owner(session, place.owner_id)
    network = _network(session, place, network_id, now)
    if network is None or network.outage is None:
        return False
    outages.clear(session, network.id)
    fields = {"network": network.interface, "mode": "normal", "until": format_utc(now)}
    record(session, place, "network_switched", fields, {"by": by}, now)
    return True


def _network(session: Session, place: Place, network_id: str, now: datetime) -> outages.NetworkRow | None:
    rows = outages.networks(session, place.owner_id, now)
    return next((row for row in rows if row.id == network_id), None)
