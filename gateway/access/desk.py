"""The help desk: which stage a device has reached, from what is known anyway; nothing is recorded to answer it.

Whether a guest has opened a page is not among it: the portal keeps no record of visits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.link.heard import Heard
from gateway.link.neighbours import Address
from gateway.storage import blocks, desk, outages
from gateway.storage.desk import Access, Where
from gateway.storage.engine import Session
from gateway.storage.outages import Mode
from gateway.storage.places import Place

LATELY = timedelta(minutes=10)
MOST = 200
_PRIVATE = 0x02  # of the first octet: made up by the device itself (IEEE 802, locally administered)

Stage = Literal[
    "absent",
    "joined",
    "address",
    "asking",
    "ended",
    "waiting",
    "recorded",
    "asleep",
    "online",
    "blocked",
    "closed",
    "open",
]


@dataclass(frozen=True, slots=True)
class Caller:
    """A device as the help desk sees it. `interface` is "" where it is on no network; `ago` since it was heard."""

    mac: str
    interface: str
    stage: Stage
    addresses: tuple[Address, ...] = ()
    ago: timedelta | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def has_private_address(self) -> bool:
        """Whether the device has made its link-layer address up, as phones do for each Wi-Fi."""
        return bool(int(self.mac[:2], 16) & _PRIVATE)


def stage(
    *,
    addresses: Sequence[Address],
    is_heard: bool,
    access: Access | None,
    is_asking: bool,
    was_in: bool,
    enforced: bool,
) -> Stage:
    """How far a device has come. `is_heard` is lately; `was_in` says that it has had access that is over."""
    if access is not None:
        if not access.applied:
            return "waiting" if enforced else "recorded"
        return "online" if is_heard else "asleep"
    if is_asking:
        return "asking"
    if not is_heard:
        return "absent"
    if all(address.is_link_local for address in addresses):
        return "joined"
    return "ended" if was_in else "address"


def find(
    session: Session, place: Place, heard: Iterable[Heard], digits: str, *, enforced: bool, now: datetime
) -> list[Caller]:
    """The devices whose link-layer address ends in `digits` (hexadecimal, at least 4), or, with "", all that were heard
    lately; those heard last come first, at most `MOST`.
    """
    by_where: dict[Where, list[Heard]] = {}
    for each in heard:
        if each.device.mac.replace(":", "").endswith(digits) and (digits or each.ago <= LATELY):
            by_where.setdefault((each.device.interface, each.device.mac), []).append(each)
    known = desk.macs_ending(session, place.owner_id, digits, MOST) if digits else ()
    macs = dict.fromkeys([*(mac for _, mac in by_where), *known])
    access = desk.access(session, place.owner_id, macs, now)
    asking = desk.asking(session, place.owner_id, macs, now)
    ended = desk.ended(session, place.owner_id, macs, now)
    blocked = blocks.among(session, place.owner_id, macs, now)
    switched = {row[1]: row[2] for row in outages.of_gateway(session, place.gateway_id, now)}
    wheres = dict.fromkeys([*by_where, *(access if digits else ()), *(asking if digits else ())])
    placed = {mac for _, mac in wheres}
    wheres |= dict.fromkeys(("", mac) for mac in known if mac not in placed)
    callers = []
    for where in wheres:
        entries = by_where.get(where, [])
        ago = min((each.ago for each in entries), default=None)
        addresses = tuple(sorted({each.address for each in entries}, key=lambda one: (one.version, one.packed)))
        reached = stage(
            addresses=addresses,
            is_heard=ago is not None and ago <= LATELY,
            access=access.get(where),
            is_asking=where in asking,
            was_in=where[1] in ended,
            enforced=enforced,
        )
        reached = _withheld(reached, is_blocked=where[1] in blocked, switched=switched.get(where[0]))
        ends_at = access[where].ends_at if where in access else None
        callers.append(Caller(where[1], where[0], reached, addresses, ago, ends_at, ended.get(where[1])))
    callers.sort(key=lambda each: (each.ago is None, each.ago or timedelta(), each.mac, each.interface))
    return callers[:MOST]


def _withheld(reached: Stage, *, is_blocked: bool, switched: Mode | None) -> Stage:
    """What comes before how far a device has come: a block, and what its network is switched to."""
    if is_blocked or switched == "closed":
        return "blocked" if is_blocked else "closed"
    return "open" if switched == "rules_only" and reached in ("address", "asking", "ended") else reached
