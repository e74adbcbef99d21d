"""What to do with a question, before anyone else is asked: answer it ourselves, or forward it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import NamedTuple

from gateway.dns import alias, unaccepted, wire
from gateway.dns.reply import GUEST_TTL_MAX_S
from gateway.dns.review import ForbiddenHop, Objection, Verdict, under
from gateway.dns.wire import Query
from policies.canaries import CANARIES
from policies.decide import decide
from policies.model import BlockAnswer, Decision, Group, Judged
from policies.names import parents
from policies.safe_search import safe_host
from policies.snapshot import Snapshot

OWN_TTL_S = 10
PORTAL_TTL_S = 60
_ANY_TTL_S = 3600
_FOREVER_S = 3600.0
_TIMED_S = 60.0  # decisions that end with time are looked at again soon, in case the clock is set
_VERSION_NAMES = frozenset(("version.bind", "version.server"))  # RFC 4892 §2
_INSISTING = frozenset(("never_blocked", "permitted_by_it"))

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
    version: str = ""
    """What `version.bind` is answered with; nothing: it is refused."""

    @classmethod
    def build(
        cls, portal_name: str, addresses: tuple[str, ...], private_zones: tuple[str, ...], version: str = ""
    ) -> Site:
        """From text addresses of both families."""
        packed = [ip_address(text).packed for text in addresses]
        return cls(
            portal_name.lower().rstrip("."),
            tuple(each for each in packed if len(each) == 4),
            tuple(each for each in packed if len(each) == 16),
            tuple(zone.lower().strip(".") for zone in private_zones),
            version,
        )


class Told(NamedTuple):
    """How an answer is counted (`gateway.dns.counters.OUTCOMES`); `name` is the listed name that refused it."""

    outcome: str
    category: str = ""
    name: str = ""


_OWN = Told("own")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, to be given as it is for `keep_s` seconds to the same packet under the same policy (0: once)."""

    wire: bytes
    keep_s: float = 0.0
    told: Told = _OWN


@dataclass(frozen=True, slots=True)
class Forward:
    """Ask upstream. What comes back is reviewed, and stands until `valid_until` at most (None: no matter).

    `safe_host`: ask for the addresses of this host instead, and answer with an alias to it. `reported`: the open
    category that the answer is counted under; empty: none.
    """

    safe_host: str | None = None
    valid_until: datetime | None = None
    reported: str = ""


_FORWARD = Forward()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The asker is in a policy group; `group` and `snapshot` are None until a policy has been published."""

    snapshot: Snapshot | None
    group: Group | None


class NotAccepted:
    """The asker has not accepted the rules yet."""


Asker = Accepted | NotAccepted


def spoken_of(site: Site, snapshot: Snapshot, group: Group) -> Iterator[str]:
    """Every name that `plan` treats by itself, with all below it: how it is listed does not tell what is answered."""
    yield from (site.portal_name, "localhost", *CANARIES, *LOCAL_ZONES)
    yield from snapshot.never_blocked
    yield from group.permit
    yield from group.forbid


def plan(query: Query, asker: Asker, site: Site, now: datetime, judged: Sequence[Judged] = ()) -> Answer | Forward:
    """Answer `query` from what we know, or forward it. `now` is aware UTC; `judged` is as in `policies.decide`."""
    qtype = query.qtype
    if query.qclass != wire.IN:
        if query.qclass == wire.CH and query.qtype == wire.TXT and site.version and query.name in _VERSION_NAMES:
            return Answer(wire.reply(query, wire.NOERROR, (wire.text(wire.CH, site.version),), aa=True))
        return Answer(wire.reply(query, wire.REFUSED))
    if wire.is_meta_type(qtype):
        return Answer(wire.reply(query, wire.FORMERR if qtype in (0, wire.OPT) else wire.NOTIMP))
    # INVARIANT: own names come before policy, so the portal is found whatever the policy, and without one.
    known = _answer_own_names(query, site) or _apply_policy(query, asker, now, judged, site)
    return known if isinstance(known, Answer) else _go_on(query, known, now)


def _go_on(query: Query, permitted: Forward, now: datetime) -> Answer | Forward:
    """What becomes of a permitted question: a few are not forwarded all the same."""
    if not query.flags & wire.RD:  # what others asked for lately is not told (cache snooping)
        return Answer(wire.reply(query, wire.REFUSED))
    if query.qtype == wire.ANY:  # RFC 8482 §4.2
        hinfo = wire.record(wire.HINFO, _ANY_TTL_S, b"\x07RFC8482\0")
        return Answer(wire.reply(query, wire.NOERROR, (hinfo,)))
    if permitted.safe_host is not None and query.qtype not in (wire.A, wire.AAAA):
        ttl_s = int(min(GUEST_TTL_MAX_S, seconds_left(permitted.valid_until, now)))
        answer = alias.without_addresses(query, permitted.safe_host, ttl_s)
        return Answer(answer, keep_s(permitted.valid_until, now, ttl_s))
    return permitted


def _apply_policy(query: Query, asker: Asker, now: datetime, judged: Sequence[Judged], site: Site) -> Answer | Forward:
    if isinstance(asker, NotAccepted):
        why = unaccepted.objection(query)
        return _FORWARD if why is None else Answer(unaccepted.refusal(query, why))
    if asker.snapshot is None or asker.group is None:
        return Answer(wire.reply(query, wire.SERVFAIL, ede=(wire.EDE_NOT_READY, "no policy yet")))
    name = query.name
    decision = decide(name, asker.group, now, asker.snapshot, judged)
    if not decision.permitted:
        return _refused(query, decision, asker.snapshot, now, site)
    safe = safe_host(name, asker.group.safe_search)
    reported = _reported(decision, asker.group) if asker.group.report else ""
    return Forward(safe, decision.valid_until, reported) if safe or decision.valid_until or reported else _FORWARD


def _reported(decision: Decision, group: Group) -> str:
    """The first open category of the name that IT wants reported for the group."""
    for reason in decision.reasons:
        if reason.kind in ("category_open", "exempted") and reason.category in group.report:
            return reason.category or ""
    return ""


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


def negative(query: Query, rcode: int, ede: tuple[int, str] | None = None, ttl_s: int = OWN_TTL_S) -> bytes:
    """No such name, or no such type, with an SOA that lets the asker remember it for `ttl_s`."""
    return wire.reply(query, rcode, (), (wire.soa(ttl_s),), ede, aa=True)


def refuse(query: Query, decision: Decision, form: BlockAnswer, now: datetime, portal: tuple[bytes, ...] = ()) -> bytes:
    """The answer to a forbidden name: the same for every type (RFC 8020), EDE 15 with the category (RFC 8914 §4.16).

    It may be kept for 10 s, or until the decision ends with time. `portal` are the addresses of the explanation page of
    the type that is asked for; where the answer is to be those and there are none, there is no data.
    """
    ede = (wire.EDE_BLOCKED, _told(decision))
    ttl_s = int(min(OWN_TTL_S, seconds_left(decision.valid_until, now)))
    match form:
        case "refused":
            return wire.reply(query, wire.REFUSED, (), (wire.soa(ttl_s),), ede)
        case "nxdomain":
            return negative(query, wire.NXDOMAIN, ede, ttl_s)
        case "zero" if query.qtype in (wire.A, wire.AAAA):
            address = bytes(4 if query.qtype == wire.A else 16)
            records = (wire.record(query.qtype, ttl_s, address),)
            return wire.reply(query, wire.NOERROR, records, (wire.soa(ttl_s),), ede, aa=True)
        case "portal" if portal:
            found = tuple(wire.record(query.qtype, ttl_s, address) for address in portal)
            return wire.reply(query, wire.NOERROR, found, (wire.soa(ttl_s),), ede, aa=True)
        case _:
            return negative(query, wire.NOERROR, ede, ttl_s)


def _told(decision: Decision) -> str:
    """`gambling`; `judged gambling, 97%` where no list says so; `it` for IT's own rule. Never a name."""
    first = decision.reasons[0]
    if first.kind != "judged_closed":
        return decision.category or "it"
    return f"judged {first.category}, {(first.detail or '').partition(':')[0]}"


def object_to(query: Query, objection: Objection, asker: Asker, now: datetime, site: Site) -> Answer:
    """The answer in place of an upstream's that review objected to."""
    if isinstance(objection, ForbiddenHop) and isinstance(asker, Accepted) and asker.snapshot and asker.group:
        decision = decide(objection.name, asker.group, now, asker.snapshot)
        return _refused(query, decision, asker.snapshot, now, site, by_service=objection.by_service)
    refusal = negative(query, wire.NOERROR, (wire.EDE_BLOCKED, "private address"))
    return Answer(refusal, OWN_TTL_S, Told("rebinding"))


def _refused(
    query: Query, decision: Decision, snapshot: Snapshot, now: datetime, site: Site, *, by_service: bool = False
) -> Answer:
    first = decision.reasons[0]
    outcome = "judged_refused" if first.kind == "judged_closed" else "refused"
    told = Told(outcome, first.category or "it", first.name)
    # By a service record alone, the name itself has other types, whatever refusals look like (RFC 8020).
    form = "nodata" if by_service else snapshot.block_answer
    portal = {wire.A: site.portal_v4, wire.AAAA: site.portal_v6}.get(query.qtype, ())
    return Answer(refuse(query, decision, form, now, portal), keep_s(decision.valid_until, now), told)


class PolicyJudge:
    """Judges the names that an answer leads to, for one asker at one moment.

    `valid_until` is the first moment at which time alone could change what was said of any of them.
    """

    def __init__(self, snapshot: Snapshot, group: Group, now: datetime) -> None:
        self._snapshot = snapshot
        self._group = group
        self._now = now
        self.valid_until: datetime | None = None

    def __call__(self, name: str) -> Verdict:
        """What policy says of `name`."""
        decision = decide(name, self._group, self._now, self._snapshot)
        self.valid_until = earlier(self.valid_until, decision.valid_until)
        if not decision.permitted:
            return Verdict.REFUSED
        return Verdict.INSISTED if decision.reasons[0].kind in _INSISTING else Verdict.PERMITTED


def judge_for(asker: Asker, now: datetime) -> PolicyJudge | None:
    """How review is to judge names for this asker; None for one that has not accepted."""
    if not isinstance(asker, Accepted) or asker.snapshot is None or asker.group is None:
        return None
    return PolicyJudge(asker.snapshot, asker.group, now)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two moments; None is never."""
    return min(one, other) if one is not None and other is not None else one or other


def seconds_left(valid_until: datetime | None, now: datetime) -> float:
    """How many seconds from `now` a decision stands, at most an hour."""
    if valid_until is None:
        return _FOREVER_S
    return min(_FOREVER_S, max(0.0, (valid_until - now).total_seconds()))


def keep_s(valid_until: datetime | None, now: datetime, ttl_s: float = OWN_TTL_S) -> float:
    """How many seconds from `now` an answer under that decision may be kept here, so that a device that is given it
    in the last of them, and keeps it for `ttl_s`, has let go of it when the decision ends.
    """
    left_s = seconds_left(valid_until, now)
    return left_s if valid_until is None else min(_TIMED_S, left_s - min(ttl_s, int(left_s)))


def unreachable(query: Query, code: int, text: str) -> bytes:
    """The answer when no upstream gave one."""
    return wire.reply(query, wire.SERVFAIL, ede=(code, text))
