"""Whether an upstream's answer may reach the asker: every name it leads to and every address it holds. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv6Address

from gateway.dns import wire
from gateway.dns.inside import is_private
from gateway.dns.reply import Reply
from policies.names import parents


class Verdict(Enum):
    """What policy says of one name. `INSISTED`: IT or the built-in list names it, so what it leads to passes too."""

    PERMITTED = "permitted"
    INSISTED = "insisted"
    REFUSED = "refused"


Judge = Callable[[str], Verdict]


@dataclass(frozen=True, slots=True)
class ForbiddenHop:
    """The answer leads to a name that policy refuses: by an alias, which holds for every type, or by one `service`
    record (SVCB, HTTPS), which says nothing of other types.
    """

    name: str
    by_service: bool = False


@dataclass(frozen=True, slots=True)
class Rebinding:
    """A public name leads to an address inside: an attack on the network behind the browser."""

    name: str


Objection = ForbiddenHop | Rebinding

_SERVICES = (wire.SVCB, wire.HTTPS)
# Windows asks for this name to learn whether it is online, and takes any other answer for none. Nothing is there.
_PUBLISHED = frozenset({("dns.msftncsi.com", IPv6Address("fd3e:4f5a:5b81::1").packed)})


def review(name: str, reply: Reply, judge: Judge | None, private_zones: tuple[str, ...]) -> Objection | None:
    """The first objection to giving `reply` to whoever asked for `name`, or None.

    `judge` None means that no names are judged (a device that has not accepted). Targets of CNAME, DNAME, SVCB
    and HTTPS are judged, and owners; the whole chain after a name that IT permitted passes. Addresses are those of A
    and AAAA and the hints of SVCB and HTTPS; `private_zones` may hold private ones.
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
                if not under(owner, private_zones) and (owner, address) not in _PUBLISHED:
                    return Rebinding(owner)
    return None


def _review_names(name: str, reply: Reply, judge: Judge) -> Objection | None:
    if judge(name) is Verdict.INSISTED:
        return None
    led = [
        (name if record.owner is None else record.owner, record.target, record.rtype)
        for record in reply.records
        if record.target is not None
    ]
    owners = {record.owner for record in reply.records if record.owner is not None and record.rtype != wire.DNAME}
    verdicts = {each: judge(each) for each in {target for _, target, _ in led} | owners - {name}}
    if Verdict.REFUSED not in verdicts.values():
        return None
    insisted = _insisted(name, led, verdicts)
    led.sort(key=lambda each: each[2] in _SERVICES)  # what holds for every type comes first
    moves = any(rtype == wire.DNAME for _, _, rtype in led)
    above = {parent for each in insisted for parent in parents(each)} if moves else set()
    for owner, target, rtype in led:
        # A DNAME moves a whole branch: its CNAME shows where the name in question went.
        passes = target in insisted or owner in insisted or (rtype == wire.DNAME and target in above)
        if not passes and verdicts[target] is Verdict.REFUSED:
            return ForbiddenHop(target, rtype in _SERVICES)
    for owner in sorted(owners - {name} - insisted):
        if verdicts[owner] is Verdict.REFUSED:
            return ForbiddenHop(owner)
    return None


def _insisted(name: str, led: list[tuple[str, str, int]], verdicts: dict[str, Verdict]) -> set[str]:
    """What is reached from `name` by way of a name that IT permitted, in whatever order the records stand."""
    onward: dict[str, set[str]] = {}
    for owner, target, _ in led:
        onward.setdefault(owner, set()).add(target)
    reached: set[tuple[str, bool]] = set()
    waiting = [(name, False)]
    while waiting:
        at, permitted = waiting.pop()
        permitted = permitted or verdicts.get(at) is Verdict.INSISTED
        if (at, permitted) not in reached:
            reached.add((at, permitted))
            waiting += [(target, permitted) for target in onward.get(at, ())]
    return {at for at, permitted in reached if permitted}


def under(name: str, zones: tuple[str, ...]) -> bool:
    """Whether `name` is one of `zones` or below one."""
    return any(name == zone or name.endswith("." + zone) for zone in zones)
