"""A question that upstream has been asked: what arrives is reviewed under the policy then in force, and rendered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from gateway.dns import alias, unaccepted, wire
from gateway.dns.cache import Kept
from gateway.dns.plan import (
    Answer,
    Forward,
    NotAccepted,
    Told,
    earlier,
    judge_for,
    keep_s,
    object_to,
    plan,
    seconds_left,
    unreachable,
)
from gateway.dns.reply import GUEST_TTL_MAX_S, Reply, render
from gateway.dns.review import Objection, review
from gateway.dns.upstreams.exchange import Key, NoAnswer, Outcome
from gateway.dns.views import View
from gateway.dns.wire import Query

if TYPE_CHECKING:
    from gateway.dns.resolve import Resolver

Deliver = Callable[[bytes], None]
_TCP_BYTES = 65535
_HEADER_AND_OPT_BYTES = 12 + 11
_REVIEWS_MAX = 16
_ANSWERED, _FAILED = Told("answered"), Told("failed")
_NO_MATTER = datetime.min.replace(tzinfo=UTC)
STALE_TTL_S = 30
"""How long a guest may keep a stale answer (RFC 8767 §4)."""
_TOO_MANY = NoAnswer(wire.EDE_NETWORK, "too many unanswered")
_PATIENCE_S = 1.8
"""How long an asker waits for upstream where a stale answer is at hand (RFC 8767 §5)."""


class Pending:
    """One question of one asker. `ask` once, or `reviewed` where the answer is at hand."""

    __slots__ = (
        "_asked_at",
        "_deliver",
        "_impatience",
        "_mark",
        "_planned",
        "_resolver",
        "_source",
        "by_tcp",
        "query",
        "shared",
        "view",
    )

    def __init__(
        self, resolver: Resolver, query: Query, planned: Forward, mark: int, source: bytes, view: View, by_tcp: bool
    ) -> None:
        self._resolver = resolver
        self.query = query
        self._planned = planned
        self._mark = mark
        self._source = source
        self.view = view
        self.by_tcp = by_tcp
        self.shared: Key = _shared(query, planned)
        self._asked_at = 0.0
        self._deliver: Deliver | None = None
        self._impatience: asyncio.TimerHandle | None = None

    def ask(self, deliver: Deliver) -> bytes | None:
        """Ask upstream: `deliver` is given the answer later (None). Or the answer, where a failure is remembered."""
        resolver = self._resolver
        now_s = resolver.monotonic()
        failure = resolver.failures.get(self.shared, now_s)
        if failure is not None:
            return self._without(failure)
        if not resolver.waiting.enter(self._mark, self._source):
            return self._without(_TOO_MANY)
        self._deliver = deliver
        self._asked_at = self._asked_at or now_s
        if resolver.kept.stale(self.shared, now_s) is not None:
            self._impatience = asyncio.get_running_loop().call_later(_PATIENCE_S, self._give_stale)
        resolver.upstreams.ask(self.shared, self.by_tcp, partial(self._arrived, self.shared))
        return None

    def _arrived(self, shared: Key, outcome: Outcome) -> None:
        resolver = self._resolver
        resolver.waiting.leave(self._mark, self._source)
        try:
            kept = resolver.arrived(shared, outcome)
            if self._deliver is None or shared != self.shared:  # a stale answer went out, or something else is asked
                return
            answer = self._without(outcome) if kept is None else self._settled(kept)
        except Exception as fault:
            answer = resolver.failed(self.query, fault)
        if answer is not None:
            self._give(answer)

    def _give(self, answer: bytes) -> None:
        deliver, self._deliver = self._deliver, None
        if self._impatience is not None:
            self._impatience.cancel()
        if deliver is not None:
            deliver(answer)
            resolver = self._resolver
            resolver.counters.took(resolver.monotonic() - self._asked_at)
            resolver.answered(self.query, self.view)

    def _give_stale(self) -> None:
        kept = self._resolver.kept.stale(self.shared, self._resolver.monotonic())
        if kept is not None:
            try:
                answer = self._settled(kept, stale=True)
            except Exception as fault:
                answer = self._resolver.failed(self.query, fault)
            if answer is not None:
                self._give(answer)

    def _without(self, outcome: Outcome) -> bytes | None:
        """The answer where upstream gave none: the one that has ended, else the failure."""
        resolver = self._resolver
        kept = resolver.kept.stale(self.shared, resolver.monotonic())
        if kept is not None:
            return self._settled(kept, stale=True)
        if isinstance(outcome, NoAnswer):
            answer = unreachable(self.query, outcome.code, outcome.text)
            resolver.count(_FAILED, answer, self.view, self._source, self.query)
            return answer
        return self.reviewed(Kept(outcome, resolver.monotonic(), 0.0, {}), None)

    def _settled(self, kept: Kept, *, stale: bool = False) -> bytes | None:
        """The answer under the policy of now; None when something else has to be asked first."""
        resolver, query, valid_until = self._resolver, self.query, self._planned.valid_until
        view = resolver.views.find(self._mark, self._source)
        if view is not self.view or (valid_until is not None and valid_until <= resolver.clock()):
            # The policy, or the hour, changed while upstream thought.
            anew = plan(query, view.asker, resolver.site, resolver.clock(), resolver.held(query))
            if isinstance(anew, Answer):
                resolver.count(anew.told, anew.wire, view, self._source, self.query)
                return anew.wire
            asks_another = anew.safe_host != self._planned.safe_host
            self.view, self._planned = view, anew
            if asks_another:
                self.shared = _shared(query, anew)
                deliver = self._deliver
                return self.ask(deliver) if deliver is not None else None
        return self.reviewed(kept, None, stale=stale)

    def reviewed(self, kept: Kept, key: bytes | None, *, stale: bool = False) -> bytes:
        """The answer made of `kept`, or the objection to it; with `key` it is offered to the finished answers."""
        resolver, query, planned = self._resolver, self.query, self._planned
        reply, valid_until = kept.reply, planned.valid_until
        now_s = resolver.monotonic()  # before the clock is read, so that nothing is kept too long
        now = resolver.clock() if valid_until is not None or reply.leads or reply.leads_inside else _NO_MATTER
        if reply.leads or reply.leads_inside:
            if self._is_too_long(reply):  # by TCP it is reviewed
                answer = wire.truncated(query)
                resolver.count(_ANSWERED, answer, self.view, self._source, self.query)
                return answer
            objection, until = self._objection(kept, now)
            valid_until = earlier(valid_until, until)
            if objection is not None:
                refusal = object_to(query, objection, self.view.asker, now, resolver.site)
                cell = resolver.count(refusal.told, refusal.wire, self.view, self._source, self.query)
                if key is not None and cell is not None:
                    until_s = now_s + min(refusal.keep_s, keep_s(valid_until, now))
                    resolver.finished.offer(self.view.answers, key, refusal.wire, min(kept.expires_at, until_s), cell)
                return refusal.wire
        age_s, right_until_s = kept.age(now_s)
        ttl_max_s = (
            GUEST_TTL_MAX_S if valid_until is None else int(min(GUEST_TTL_MAX_S, seconds_left(valid_until, now)))
        )
        if stale:
            resolver.stale += 1
            age_s, ttl_max_s = 0, min(ttl_max_s, STALE_TTL_S)
        answer = self._rendered(reply, age_s, ttl_max_s, stale)
        held = resolver.held(query)
        told = Told("judged", held[0].category, query.name) if held else _ANSWERED
        if planned.reported:
            told = Told("reported", planned.reported)
        cell = resolver.count(told, answer, self.view, self._source, self.query)
        if key is not None and cell is not None:
            until_s = min(kept.expires_at, right_until_s, now_s + keep_s(valid_until, now, ttl_max_s))
            resolver.finished.offer(self.view.answers, key, answer, until_s, cell)
        return answer

    def _objection(self, kept: Kept, now: datetime) -> tuple[Objection | None, datetime | None]:
        """What review objects to, and until when that holds; found once for each policy, since it may take long."""
        token = self.view.token
        known = kept.reviewed.get(token)
        if known is not None and (known[1] is None or now < known[1]):
            return known
        judge = judge_for(self.view.asker, now)
        name = self._planned.safe_host or self.query.name
        objection = review(name, kept.reply, judge, self._resolver.site.private_zones)
        if len(kept.reviewed) >= _REVIEWS_MAX:
            kept.reviewed.clear()
        kept.reviewed[token] = known = objection, judge.valid_until if judge is not None else None
        return known

    def _is_too_long(self, reply: Reply) -> bool:
        query = self.query
        if self.by_tcp or self._planned.safe_host is not None or isinstance(self.view.asker, NotAccepted):
            return False
        return len(query.question) + len(reply.body) + _HEADER_AND_OPT_BYTES > min(query.udp_bytes, wire.MAX_UDP_BYTES)

    def _rendered(self, reply: Reply, age_s: int, ttl_max_s: int, stale: bool) -> bytes:
        query, safe_host = self.query, self._planned.safe_host
        if isinstance(self.view.asker, NotAccepted):
            return unaccepted.render(query, reply, age_s)
        limit_bytes = _TCP_BYTES if self.by_tcp else min(query.udp_bytes, wire.MAX_UDP_BYTES)
        if safe_host is not None:
            return alias.render(query, safe_host, reply, age_s, ttl_max_s, limit_bytes)
        return render(query, reply, age_s, limit_bytes, ttl_max_s, wire.EDE_STALE if stale else None)


def _shared(query: Query, planned: Forward) -> Key:
    """The key under which upstream answers are shared, which is also what upstream is asked."""
    if planned.safe_host is not None:
        return alias.question_for(planned.safe_host, query), False, False
    return query.lower_question, query.do, bool(query.flags & wire.CD)
