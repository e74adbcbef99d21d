"""The entry points: each takes bytes and fails where something happens that never may; dnspython is the witness."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from datetime import UTC, datetime

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdataclass
import dns.rdatatype

from gateway.dns import wire
from gateway.dns.cache import FinishedAnswers, UpstreamAnswers
from gateway.dns.errors import WireError
from gateway.dns.inside import is_private
from gateway.dns.pending import Pending
from gateway.dns.plan import Accepted, Answer, NotAccepted, Site, judge_for, plan
from gateway.dns.reply import Reply, parse_reply, render
from gateway.dns.resolve import Resolver
from gateway.dns.review import review
from gateway.dns.upstreams.exchange import Key, NoAnswer, Outcome
from gateway.dns.views import Views
from gateway.dns.wire import BadQueryError, Query, error_reply, parse_query
from policies.names import from_labels
from policies.snapshot import NamedList, compile_snapshot, open_snapshot

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
GUEST, STRANGER = b"\x0a\0\0\1", b"\x0b\0\0\1"
FORBIDDEN = dns.name.from_text("game.example")
SITE = Site.build("gjest.internal", ("10.9.0.1", "fd00::1"), ())
_DOCUMENT = {"version": 2, "groups": {"default": {"mark": 1, "closed": ["gaming"]}}}
SNAPSHOT = open_snapshot(
    compile_snapshot(_DOCUMENT, [NamedList("fuzz/gaming", "gaming", "0" * 64, ("game.example",))], 1)
)
_GROUP = SNAPSHOT.group("default")
_ACCEPTED = Accepted(SNAPSHOT, _GROUP)
_ASKERS = (_ACCEPTED, NotAccepted(), Accepted(None, None))
_HOPS = frozenset((dns.rdatatype.CNAME, dns.rdatatype.DNAME, dns.rdatatype.SVCB, dns.rdatatype.HTTPS))


def query(data: bytes) -> None:
    """`parse_query`, what is answered to what is no query, and every answer of our own."""
    try:
        read = parse_query(data)
    except BadQueryError as bad:
        if bad.rcode is not None:
            _is_error(data, bad.rcode)
        return
    assert data[12:].startswith(read.question)
    _agrees_with_dnspython(data, read)
    for asker in _ASKERS:
        planned = plan(read, asker, SITE, NOW)
        if isinstance(planned, Answer):
            is_answer_to(read, planned.wire, read.udp_bytes)


def _is_error(data: bytes, rcode: int) -> None:
    answer = error_reply(data, rcode)
    assert len(answer) <= max(len(data), 12) + 11, "larger than what was sent, but for an OPT"
    message = dns.message.from_wire(answer)
    assert (message.id, message.rcode()) == (int.from_bytes(data[:2], "big"), rcode)
    assert message.flags & dns.flags.QR


def _agrees_with_dnspython(data: bytes, read: Query) -> None:
    try:
        seen = dns.message.from_wire(data)
    except (dns.exception.DNSException, ValueError):  # stricter in what options and records hold
        return
    (question,) = seen.question
    assert from_labels(question.name.labels[:-1]) == read.name
    assert (question.rdtype, question.rdclass, seen.id) == (read.qtype, read.qclass, read.id)
    assert (seen.edns == 0, bool(seen.ednsflags & dns.flags.DO)) == (read.edns, read.do)
    assert read.udp_bytes == (max(seen.payload, 512) if read.edns else 512)
    assert seen.opcode() == dns.opcode.QUERY


def is_answer_to(read: Query, answer: bytes, limit_bytes: int) -> None:
    """It is one: ID, question, size, flags, sections."""
    assert len(answer) <= limit_bytes, (len(answer), limit_bytes)
    ident, flags, questions, _, _, additional = struct.unpack_from("!6H", answer)
    assert (ident, questions) == (read.id, 1)
    assert flags & 0xF800 == 0x8000
    assert answer[12:].startswith(read.question)
    assert additional == read.edns
    assert not flags & dns.flags.AD


def reply(data: bytes) -> None:
    """`parse_reply`, `review` and `render`."""
    try:
        read = parse_reply(data)
    except WireError:
        return
    _reads_as_dnspython(data, read)
    asked = read.question
    owner = asked[:-4].lower()
    for edns, udp_bytes in ((False, 512), (True, 512), (True, 4096)):
        as_asked = Query(7, wire.RD, asked, owner, *struct.unpack("!HH", asked[-4:]), edns, udp_bytes)
        is_answer_to(as_asked, render(as_asked, read, 3, min(udp_bytes, 1232)), min(udp_bytes, 1232))
    judge = judge_for(_ACCEPTED, NOW)
    assert judge is not None
    name = wire.name_text(owner)
    if review(name, read, judge, ()) is None and judge(name).value == "permitted":
        leads_nowhere(render(as_asked, read, 0, 65535), name)


def _reads_as_dnspython(data: bytes, read: Reply) -> None:
    """Where both take the message, both see the same names and addresses in it."""
    if read.truncated or read.rcode not in (wire.NOERROR, wire.NXDOMAIN):
        assert (read.records, read.body) == ((), b"")
        return
    try:
        seen = dns.message.from_wire(data, ignore_trailing=True, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError):
        return
    if seen.question[0].rdclass != dns.rdataclass.IN:
        return
    assert (seen.rcode(), len(seen.answer)) == (read.rcode, read.answer_count)
    asked = wire.name_text(read.question[:-4].lower())
    ours = set()
    for each in read.records:
        one_each = each.rtype in (wire.A, wire.AAAA)  # several addresses of one name may be one record
        for addresses in [(address,) for address in each.addresses] if one_each else [each.addresses]:
            ours.add((asked if each.owner is None else each.owner, each.rtype, each.target or None, addresses))
    assert ours == {(text(rrset.name), int(rrset.rdtype), *facts(rrset[0])) for rrset in seen.answer}


def text(name: dns.name.Name) -> str:
    """A name in the normal form of the policies."""
    return from_labels(name.labels[:-1])


def facts(record: dns.rdata.Rdata) -> tuple[str | None, tuple[bytes, ...]]:
    """Target and addresses of a record as dnspython reads it."""
    target = text(record.target) or None if record.rdtype in _HOPS else None
    if record.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
        return target, (record.to_wire() or b"",)
    addresses: list[bytes] = []
    for key, value in sorted(getattr(record, "params", {}).items()):
        if key in (4, 6):
            packed = io.BytesIO()
            value.to_wire(packed)
            width = 4 if key == 4 else 16
            octets = packed.getvalue()
            addresses += [octets[at : at + width] for at in range(0, len(octets), width)]
    return target, tuple(addresses)


def leads_nowhere(answer: bytes, name: str) -> None:
    """Nothing in a permitted answer is of a forbidden name, leads to one, or is an address inside."""
    try:
        seen = dns.message.from_wire(answer, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError):  # a client that reads this does not read it either
        return
    by_permission = any(_insists(rrset) for rrset in seen.answer)
    for rrset in seen.answer:
        record = rrset[0]
        target, addresses = facts(record)
        assert not any(map(is_private, addresses)), "an address inside"
        if by_permission:
            continue
        assert target is None or not record.target.is_subdomain(FORBIDDEN), "a way to a forbidden name"
        if rrset.rdtype != dns.rdatatype.DNAME and text(rrset.name) != name:
            assert not rrset.name.is_subdomain(FORBIDDEN), "a forbidden name's record"


def _insists(rrset: dns.rrset.RRset) -> bool:
    judge = judge_for(_ACCEPTED, NOW)
    assert judge is not None
    names = [text(rrset.name), facts(rrset[0])[0] or ""]
    return any(judge(each).value == "insisted" for each in names)


class Parrot:
    """An upstream that says one thing to whatever it is asked, after the question that it repeats."""

    def __init__(self, said: bytes) -> None:
        self.said = said

    def ask(self, key: Key, by_tcp: bool, callback: Callable[[Outcome], None]) -> None:
        """As `Upstreams.ask`: what is no answer is silence."""
        outcome: Outcome = NoAnswer(wire.EDE_NETWORK, "silent")
        said = self.said[:12] + key[0] + self.said[12:]
        try:
            read = parse_reply(said)
            if not read.truncated:
                outcome = read
        except WireError:
            pass
        callback(outcome)


def resolve(data: bytes) -> None:
    """The resolver as a whole: `data` is the length of a query in two bytes, the query, and what upstream says to it
    (a header, then what follows the question). It is asked three times, so that all caches are met.
    """
    size = int.from_bytes(data[:2], "big")
    packet, said = data[2 : 2 + size], data[2 + size :]
    resolver = _resolver(said)
    for source in (GUEST, STRANGER):
        for by_tcp in (False, True, False):
            delivered: list[bytes] = []
            begun = resolver.begin(packet, 0, source, by_tcp)
            answer = begun.ask(delivered.append) if isinstance(begun, Pending) else begun
            answers = delivered + [answer] * (answer is not None)
            assert len(answers) == 1, "not one answer"
            _is_fit(packet, answers[0], by_tcp, source)


def _resolver(said: bytes) -> Resolver:
    finished = FinishedAnswers()
    views = Views((("10.0.0.0/8", "default"),), finished, SITE)
    views.adopt(SNAPSHOT)
    resolver = Resolver(SITE, views, finished, UpstreamAnswers(), Parrot(said), lambda: NOW, lambda: 1000.0)  # type: ignore[arg-type]
    resolver.failed = _fail  # type: ignore[method-assign]
    return resolver


def _fail(query: Query, fault: Exception) -> bytes:
    raise fault


def _is_fit(packet: bytes, answer: bytes, by_tcp: bool, source: bytes) -> None:
    if not answer:
        return
    assert answer[:2] == packet[:2]
    try:
        read = parse_query(packet)
    except BadQueryError:
        return
    is_answer_to(read, answer, 65535 if by_tcp else min(read.udp_bytes, 1232))
    judge = judge_for(_ACCEPTED, NOW)
    assert judge is not None
    if source == GUEST and answer[3] & 15 in (0, 3) and answer[6:8] != b"\0\0" and not answer[2] & 4:
        verdict = judge(read.name)  # AA is set in answers of our own, which may hold 0.0.0.0 and the portal
        if verdict.value == "permitted":
            leads_nowhere(answer, read.name)
        assert verdict.value != "refused"


def shortcut(data: bytes) -> None:
    """What is answered without taking a packet apart is what is answered when it is taken apart."""
    resolver = _resolver(b"")
    view = resolver.views.find(0, GUEST)
    for rtype in ("A", "AAAA", "HTTPS", "TXT"):
        for name in ("game.example", "x.game.example"):
            known = dns.message.make_query(name, rtype, use_edns=False, id=1).to_wire()
            assert isinstance(resolver.begin(known, 0, GUEST, False), bytes)
    quick = resolver.own(data, view, 1000.0)
    if quick is not None:
        assert quick == resolver.begin(data, 0, GUEST, False)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "query": query,
    "reply": reply,
    "resolve": resolve,
    "shortcut": shortcut,
}
