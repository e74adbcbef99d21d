"""What to do with a question, before anyone else is asked: answer it ourselves, or forward it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from gateway.dns import wire
from gateway.dns.review import ForbiddenHop, Judge, Objection, Verdict, under
from gateway.dns.wire import Query
from policies.decide import decide
from policies.model import Decision, Group
from policies.names import parents
from policies.snapshot import Snapshot

OWN_TTL_S = 10
PORTAL_TTL_S = 60
_ANY_TTL_S = 3600
_FOREVER_S = 3600.0
_OPEN_TYPES = frozenset((wire.A, wire.AAAA, wire.HTTPS))
_INSISTING = frozenset(("never_blocked", "permitted_by_it"))

CANARIES = frozenset(("use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com", "resolver.arpa"))
"""Names by which programs ask whether they may go round this resolver: no, for every type and all below."""

LOCAL_ZONES = frozenset(
    (
        "invalid", "onion", "local", "test", "home.arpa", "10.in-addr.arpa", "168.192.in-addr.arpa",
        *(f"{second}.172.in-addr.arpa" for second in range(16, 32)),
        *(f"{second}.100.in-addr.arpa" for second in range(64, 128)),
        "0.in-addr.arpa", "127.in-addr.arpa", "254.169.in-addr.arpa", "255.255.255.255.in-addr.arpa",
        ".".join("0" * 32) + ".ip6.arpa", "1." + ".".join("0" * 31) + ".ip6.arpa",
        "c.f.ip6.arpa", "d.f.ip6.arpa", *(f"{nibble}.e.f.ip6.arpa" for nibble in "89abcdef"),
    )
)  # fmt: skip
"""Zones that public servers know nothing of (RFC 6303 §4, RFC 6761 §6, RFC 6762 §22, RFC 7686 §2, RFC 8375 §4)."""


@dataclass(frozen=True, slots=True)
class Site:
    """What this installation answers by itself. Names in normal form, addresses packed."""

    portal_name: str
    portal_v4: tuple[bytes, ...] = ()
    portal_v6: tuple[bytes, ...] = ()
    private_zones: tuple[str, ...] = ()

    @classmethod
    def build(cls, portal_name: str, addresses: tuple[str, ...], private_zones: tuple[str, ...]) -> Site:
        """From text addresses of both families."""
        packed = [ip_address(text).packed for text in addresses]
        return cls(
            portal_name.lower().rstrip("."),
            tuple(each for each in packed if len(each) == 4),
            tuple(each for each in packed if len(each) == 16),
            tuple(zone.lower().strip(".") for zone in private_zones),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, to be given as it is for `keep_s` seconds to the same packet under the same policy (0: once)."""

    wire: bytes
    keep_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Forward:
    """Ask upstream. What comes back is reviewed."""


_FORWARD = Forward()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The asker is in a policy group; `group` and `snapshot` are None until a policy has been published."""

    snapshot: Snapshot | None
    group: Group | None


class NotAccepted:
    """The asker has not accepted the rules yet."""


Asker = Accepted | NotAccepted


def plan(query: Query, asker: Asker, site: Site, now: datetime) -> Answer | Forward:
    """Answer `query` from what we know, or forward it. `now` is aware UTC."""
    qtype = query.qtype
    if query.qclass != wire.IN:  # also version.bind and its like: nobody's business
        return Answer(wire.reply(query, wire.REFUSED))
    if wire.is_meta_type(qtype):
        return Answer(wire.reply(query, wire.FORMERR if qtype in (0, wire.OPT) else wire.NOTIMP))
    # INVARIANT: own names come before policy, so the portal is found whatever the policy, and without one.
    known = _answer_own_names(query, site) or _apply_policy(query, asker, now)
    if known is not None:
        return known
    if not query.flags & wire.RD:  # what others asked for lately is not told (cache snooping)
        return Answer(wire.reply(query, wire.REFUSED))
    if qtype == wire.ANY:  # RFC 8482 §4.2
        hinfo = wire.record(wire.HINFO, _ANY_TTL_S, b"\x07RFC8482\0")
        return Answer(wire.reply(query, wire.NOERROR, (hinfo,)))
    return _FORWARD


def _apply_policy(query: Query, asker: Asker, now: datetime) -> Answer | None:
    if isinstance(asker, NotAccepted):
        if query.qtype in _OPEN_TYPES:
            return None
        return Answer(wire.reply(query, wire.REFUSED, ede=(wire.EDE_PROHIBITED, "not accepted")))
    if asker.snapshot is None or asker.group is None:
        return Answer(wire.reply(query, wire.SERVFAIL, ede=(wire.EDE_NOT_READY, "no policy yet")))
    decision = decide(query.name, asker.group, now, asker.snapshot)
    if decision.permitted:
        return None
    return Answer(refuse(query, decision, asker.snapshot), keep_s(decision, now))


def _answer_own_names(query: Query, site: Site) -> Answer | None:
    name = query.name
    if name == site.portal_name:
        return Answer(_addresses(query, site.portal_v4, site.portal_v6, PORTAL_TTL_S), _FOREVER_S)
    for suffix in parents(name):
        if suffix in CANARIES:
            return Answer(negative(query, wire.NXDOMAIN), _FOREVER_S)
        if suffix == "localhost":  # RFC 6761 §6.3
            return Answer(_addresses(query, (b"\x7f\0\0\1",), (bytes(15) + b"\1",), OWN_TTL_S), _FOREVER_S)
        if suffix in LOCAL_ZONES and not under(name, site.private_zones):
            # The zone itself exists, and is empty (RFC 6303 §3); nothing below it does.
            empty_zone = name == suffix and name.endswith(".arpa")
            return Answer(negative(query, wire.NOERROR if empty_zone else wire.NXDOMAIN), _FOREVER_S)
    return None


def _addresses(query: Query, v4: tuple[bytes, ...], v6: tuple[bytes, ...], ttl_s: int) -> bytes:
    found = {wire.A: v4, wire.AAAA: v6}.get(query.qtype, ())
    records = tuple(wire.record(query.qtype, ttl_s, address) for address in found)
    return wire.reply(query, wire.NOERROR, records, () if records else (wire.soa(ttl_s),), aa=True)


def negative(query: Query, rcode: int, ede: tuple[int, str] | None = None) -> bytes:
    """No such name, or no such type, with an SOA that lets the asker remember it for 10 s."""
    return wire.reply(query, rcode, (), (wire.soa(OWN_TTL_S),), ede, aa=True)


def refuse(query: Query, decision: Decision, snapshot: Snapshot) -> bytes:
    """The answer to a forbidden name: the same for every type (RFC 8020), EDE 15 with the category (RFC 8914 §4.16)."""
    ede = (wire.EDE_BLOCKED, decision.category or "it")
    match snapshot.block_answer:
        case "refused":
            return wire.reply(query, wire.REFUSED, (), (wire.soa(OWN_TTL_S),), ede)
        case "nxdomain":
            return negative(query, wire.NXDOMAIN, ede)
        case "zero" if query.qtype in (wire.A, wire.AAAA):
            address = bytes(4 if query.qtype == wire.A else 16)
            records = (wire.record(query.qtype, OWN_TTL_S, address),)
            return wire.reply(query, wire.NOERROR, records, (wire.soa(OWN_TTL_S),), ede, aa=True)
        case _:
            return negative(query, wire.NOERROR, ede)


def object_to(query: Query, objection: Objection, asker: Asker, now: datetime) -> Answer:
    """The answer in place of an upstream's that review objected to."""
    if isinstance(objection, ForbiddenHop) and isinstance(asker, Accepted) and asker.snapshot and asker.group:
        decision = decide(objection.name, asker.group, now, asker.snapshot)
        return Answer(refuse(query, decision, asker.snapshot), keep_s(decision, now))
    return Answer(negative(query, wire.NOERROR, (wire.EDE_BLOCKED, "private address")), OWN_TTL_S)


def judge_for(asker: Asker, now: datetime) -> Judge | None:
    """How review is to judge names for this asker; None for one that has not accepted."""
    if not isinstance(asker, Accepted) or asker.snapshot is None or asker.group is None:
        return None
    snapshot, group = asker.snapshot, asker.group

    def judge(name: str) -> Verdict:
        decision = decide(name, group, now, snapshot)
        if not decision.permitted:
            return Verdict.REFUSED
        return Verdict.INSISTED if decision.reasons[0].kind in _INSISTING else Verdict.PERMITTED

    return judge


def keep_s(decision: Decision, now: datetime) -> float:
    """How many seconds from `now` the decision stands, at most an hour."""
    if decision.valid_until is None:
        return _FOREVER_S
    return min(_FOREVER_S, max(0.0, (decision.valid_until - now).total_seconds()))


def unreachable(query: Query, code: int, text: str) -> bytes:
    """The answer when no upstream gave one."""
    return wire.reply(query, wire.SERVFAIL, ede=(code, text))
