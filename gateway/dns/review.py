"""Whether an upstream's answer may reach the asker: every name it leads to and every address it holds. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from gateway.dns import wire
from gateway.dns.inside import is_private
from gateway.dns.reply import Reply


class Verdict(Enum):
    """What policy says of one name. `INSISTED`: IT or the built-in list names it, so what it leads to passes too."""

    PERMITTED = "permitted"
    INSISTED = "insisted"
    REFUSED = "refused"


Judge = Callable[[str], Verdict]


@dataclass(frozen=True, slots=True)
class ForbiddenHop:
    """The answer leads to a name that policy refuses."""

    name: str


@dataclass(frozen=True, slots=True)
class Rebinding:
    """A public name leads to an address inside: an attack on the network behind the browser."""

    name: str


Objection = ForbiddenHop | Rebinding

_MAX_HOPS = 64


def review(name: str, reply: Reply, judge: Judge | None, private_zones: tuple[str, ...]) -> Objection | None:
    """The first objection to giving `reply` to whoever asked for `name`, or None.

    `judge` None means that no names are judged (a device that has not accepted). Targets of CNAME, DNAME, SVCB
    and HTTPS are judged, and the whole chain after a name that IT permitted passes. Addresses are those of A and
    AAAA and the hints of SVCB and HTTPS; `private_zones` may hold private ones.
    """
    if not reply.leads and not reply.leads_inside:
        return None
    if judge is not None and reply.leads:
        objection = _review_names(name, reply, judge)
        if objection is not None:
            return objection
    for record in reply.records:
        for address in record.addresses:
            if is_private(address) and not under(name, private_zones):
                owner = name if record.owner is None else record.owner
                if not under(owner, private_zones):
                    return Rebinding(owner)
    return None


def _review_names(name: str, reply: Reply, judge: Judge) -> Objection | None:
    led = [
        (name if record.owner is None else record.owner, record.target, record.rtype)
        for record in reply.records
        if record.target is not None
    ]
    if judge(name) is Verdict.INSISTED:
        return None
    verdicts: dict[str, Verdict] = {}
    insisted: set[str] = set()
    for _ in range(min(len(led), _MAX_HOPS)):  # a chain may come in any order: until nothing is added
        before = len(insisted)
        for owner, target, _rtype in led:
            if target not in verdicts:
                verdicts[target] = judge(target)
            if verdicts[target] is Verdict.INSISTED or owner in insisted:
                insisted.add(target)
        if len(insisted) == before:
            break
    for owner, target, rtype in led:
        if rtype == wire.DNAME and target in {parent for covered in insisted for parent in _ancestors(covered)}:
            continue
        if target not in insisted and owner not in insisted and verdicts[target] is Verdict.REFUSED:
            return ForbiddenHop(target)
    return None


def _ancestors(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]


def under(name: str, zones: tuple[str, ...]) -> bool:
    """Whether `name` is one of `zones` or below one."""
    return any(name == zone or name.endswith("." + zone) for zone in zones)
