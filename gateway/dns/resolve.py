"""One question from packet to answer, off the hot path: plan, remembered answer or upstream, review, render."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from gateway.clock import Clock
from gateway.dns import alias, wire
from gateway.dns.cache import FinishedAnswers, Kept, UpstreamAnswers
from gateway.dns.judging import Judging
from gateway.dns.plan import (
    Accepted,
    Answer,
    Forward,
    Site,
    earlier,
    judge_for,
    keep_s,
    object_to,
    plan,
    seconds_left,
    unreachable,
)
from gateway.dns.reply import GUEST_TTL_MAX_S, Reply, render
from gateway.dns.review import review
from gateway.dns.upstreams.exchange import NoAnswer, Outcome
from gateway.dns.upstreams.forwarder import Upstreams
from gateway.dns.views import View, Views
from gateway.dns.wire import BadQueryError, Query, error_reply, parse_query
from policies.model import Judged
from policies.names import PolicyError
from policies.snapshot import Snapshot

log = logging.getLogger(__name__)

Deliver = Callable[[bytes], None]
_TCP_BYTES = 65535


class Resolver:
    """Answers packets. `views`, `finished` and `kept` are shared with the sockets' hot path of the same worker."""

    def __init__(
        self,
        site: Site,
        views: Views,
        finished: FinishedAnswers,
        kept: UpstreamAnswers,
        upstreams: Upstreams,
        clock: Clock,
        monotonic: Callable[[], float],
        judging: Judging | None = None,
    ) -> None:
        self._site = site
        self._views = views
        self._finished = finished
        self._kept = kept
        self._upstreams = upstreams
        self._clock = clock
        self._monotonic = monotonic
        self._judging = judging
        self._damaged: Snapshot | None = None
        """The snapshot of which it has been told that it is damaged."""

    def answer(self, packet: bytes, mark: int, source: bytes, by_tcp: bool, deliver: Deliver) -> bytes | None:
        """The whole answer at once; empty when there is to be none; None when `deliver` will be given it later."""
        try:
            query = parse_query(packet)
        except BadQueryError as bad:
            return b"" if bad.rcode is None else error_reply(packet, bad.rcode)
        try:
            return self._answer(packet, query, mark, source, by_tcp, deliver)
        except Exception as fault:  # one question must not cost the rest of its batch their answers
            return self._failed(query, fault)

    def _failed(self, query: Query, fault: Exception) -> bytes:
        # Neither the message nor the traceback: both could hold a name that a person asked for.
        if not isinstance(fault, PolicyError):
            log.error("a question could not be answered: %s; please report this", type(fault).__name__)
        elif self._damaged is not self._views.snapshot:
            self._damaged = self._views.snapshot
            log.error(
                "the compiled policy was damaged after it was opened, and names are not answered: "
                "gjestenett jobs compiles it anew at once where it runs; else start it, or publish the policy again"
            )
        return unreachable(query, 0, "internal error")

    def _answer(
        self, packet: bytes, query: Query, mark: int, source: bytes, by_tcp: bool, deliver: Deliver
    ) -> bytes | None:
        key = packet[2:] if not by_tcp and not query.has_options and query.is_lower else None
        view = self._views.find(mark, source)
        now_s = self._monotonic()  # before the clock is read, so that nothing is kept too long
        planned = plan(query, view.asker, self._site, self._clock(), self._held(query))
        if isinstance(planned, Answer):
            if key is not None and planned.keep_s:
                self._finished.offer(view.answers, key, planned.wire, now_s + planned.keep_s)
            return planned.wire
        return self._forward(query, planned, mark, source, view, by_tcp, deliver, key)

    def _forward(
        self,
        query: Query,
        planned: Forward,
        mark: int,
        source: bytes,
        view: View,
        by_tcp: bool,
        deliver: Deliver,
        key: bytes | None,
    ) -> bytes | None:
        shared = _shared(query, planned)
        kept = self._kept.get(shared, self._monotonic())
        if kept is not None:
            self._answered(query, view)
            return self._reviewed(query, planned, kept, view, by_tcp, key)
        self._upstreams.ask(shared, by_tcp, partial(self._arrived, query, planned, mark, source, view, by_tcp, deliver))
        return None

    def _held(self, query: Query) -> Sequence[Judged]:
        """What the judge is known to hold the name for."""
        return self._judging.known(query.name) if self._judging is not None else ()

    def _answered(self, query: Query, view: View) -> None:
        """The judge gets the name only now, and looks at it on a later turn of the loop."""
        if self._judging is not None and isinstance(view.asker, Accepted):
            self._judging.offer(query.name)

    def _arrived(
        self,
        query: Query,
        planned: Forward,
        mark: int,
        source: bytes,
        asked_under: View,
        by_tcp: bool,
        deliver: Deliver,
        outcome: Outcome,
    ) -> None:
        answer: bytes | None
        if isinstance(outcome, NoAnswer):
            deliver(unreachable(query, outcome.code, outcome.text))
            return
        try:
            answer = self._settle(query, planned, mark, source, asked_under, by_tcp, deliver, outcome)
        except Exception as fault:
            answer = self._failed(query, fault)
        if answer is not None:
            deliver(answer)
            self._answered(query, asked_under)

    def _settle(
        self,
        query: Query,
        planned: Forward,
        mark: int,
        source: bytes,
        asked_under: View,
        by_tcp: bool,
        deliver: Deliver,
        outcome: Reply,
    ) -> bytes | None:
        shared = _shared(query, planned)
        now_s = self._monotonic()
        # Those who waited together keep one answer; a repeat of the same object changes nothing.
        kept = self._kept.get(shared, now_s)
        if kept is None or kept.reply is not outcome:
            kept = self._kept.put(shared, outcome, now_s)
        view = self._views.find(mark, source)
        now = self._clock()
        if view is not asked_under or (planned.valid_until is not None and planned.valid_until <= now):
            # The policy, or the hour, changed while upstream thought.
            anew = plan(query, view.asker, self._site, now, self._held(query))
            if isinstance(anew, Answer):
                return anew.wire
            if anew.safe_host != planned.safe_host:
                return self._forward(query, anew, mark, source, view, by_tcp, deliver, None)
            planned = anew
        return self._reviewed(query, planned, kept, view, by_tcp, None)

    def _reviewed(
        self, query: Query, planned: Forward, kept: Kept, view: View, by_tcp: bool, key: bytes | None
    ) -> bytes:
        now_s = self._monotonic()  # before the clock is read, so that nothing is kept too long
        now = self._clock()
        judge = judge_for(view.asker, now)
        objection = review(planned.safe_host or query.name, kept.reply, judge, self._site.private_zones)
        valid_until = earlier(planned.valid_until, judge.valid_until if judge else None)
        if objection is not None:
            refusal = object_to(query, objection, view.asker, now)
            if key is not None:
                keep = min(refusal.keep_s, keep_s(valid_until, now))
                self._finished.offer(view.answers, key, refusal.wire, min(kept.expires_at, now_s + keep))
            return refusal.wire
        limit = _TCP_BYTES if by_tcp else min(query.udp_bytes, wire.MAX_UDP_BYTES)
        age_s = max(0, int(now_s - kept.stored_at))
        ttl_max_s = int(min(GUEST_TTL_MAX_S, seconds_left(valid_until, now)))
        if planned.safe_host is None:
            answer = render(query, kept.reply, age_s, limit, ttl_max_s)
        else:
            answer = alias.render(query, planned.safe_host, kept.reply, age_s, ttl_max_s, limit)
        if key is not None:  # TTLs in it are right until the next whole second of its age
            until_s = min(kept.expires_at, kept.stored_at + age_s + 1, now_s + keep_s(valid_until, now, ttl_max_s))
            self._finished.offer(view.answers, key, answer, until_s)
        return answer


def _shared(query: Query, planned: Forward) -> tuple[bytes, bool, bool]:
    """The key under which upstream answers are shared, which is also what upstream is asked."""
    if planned.safe_host is not None:
        return alias.question_for(planned.safe_host, query), False, False
    return query.lower_question, query.do, bool(query.flags & wire.CD)
