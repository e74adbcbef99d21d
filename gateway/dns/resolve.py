"""One question from packet to answer, off the hot path: plan, remembered answer or upstream, review, render."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from gateway.clock import Clock
from gateway.dns import wire
from gateway.dns.cache import FinishedAnswers, Kept, UpstreamAnswers
from gateway.dns.plan import Answer, Site, judge_for, object_to, plan, unreachable
from gateway.dns.reply import Reply, render
from gateway.dns.review import review
from gateway.dns.upstream import NoAnswer, Outcome, Upstreams
from gateway.dns.views import View, Views
from gateway.dns.wire import BadQueryError, Query, error_reply, parse_query

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
    ) -> None:
        self._site = site
        self._views = views
        self._finished = finished
        self._kept = kept
        self._upstreams = upstreams
        self._clock = clock
        self._monotonic = monotonic

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
        log.error("a question could not be answered: %s; please report this", type(fault).__name__)
        return unreachable(query, 0, "internal error")

    def _answer(
        self, packet: bytes, query: Query, mark: int, source: bytes, by_tcp: bool, deliver: Deliver
    ) -> bytes | None:
        key = packet[2:] if not by_tcp and not query.has_options and query.is_lower else None
        view = self._views.find(mark, source)
        planned = plan(query, view.asker, self._site, self._clock())
        if isinstance(planned, Answer):
            if key is not None and planned.keep_s:
                self._finished.offer(view.answers, key, planned.wire, self._monotonic() + planned.keep_s)
            return planned.wire
        shared = (query.lower_question, query.do, bool(query.flags & wire.CD))
        kept = self._kept.get(shared, self._monotonic())
        if kept is not None:
            return self._reviewed(query, kept, view, by_tcp, key)
        self._upstreams.ask(shared, by_tcp, partial(self._arrived, query, mark, source, view, by_tcp, deliver))
        return None

    def _arrived(
        self,
        query: Query,
        mark: int,
        source: bytes,
        asked_under: View,
        by_tcp: bool,
        deliver: Deliver,
        outcome: Outcome,
    ) -> None:
        if isinstance(outcome, NoAnswer):
            deliver(unreachable(query, outcome.code, outcome.text))
            return
        try:
            answer = self._settle(query, mark, source, asked_under, by_tcp, outcome)
        except Exception as fault:
            answer = self._failed(query, fault)
        deliver(answer)

    def _settle(self, query: Query, mark: int, source: bytes, asked_under: View, by_tcp: bool, outcome: Reply) -> bytes:
        shared = (query.lower_question, query.do, bool(query.flags & wire.CD))
        now_s = self._monotonic()
        # Those who waited together keep one answer; a repeat of the same object changes nothing.
        kept = self._kept.get(shared, now_s)
        if kept is None or kept.reply is not outcome:
            kept = self._kept.put(shared, outcome, now_s)
        view = self._views.find(mark, source)
        if view is not asked_under:  # the policy changed while upstream thought
            planned = plan(query, view.asker, self._site, self._clock())
            if isinstance(planned, Answer):
                return planned.wire
        return self._reviewed(query, kept, view, by_tcp, None)

    def _reviewed(self, query: Query, kept: Kept, view: View, by_tcp: bool, key: bytes | None) -> bytes:
        now = self._clock()
        objection = review(query.name, kept.reply, judge_for(view.asker, now), self._site.private_zones)
        now_s = self._monotonic()
        if objection is not None:
            refusal = object_to(query, objection, view.asker, now)
            if key is not None:
                self._finished.offer(view.answers, key, refusal.wire, min(kept.expires_at, now_s + refusal.keep_s))
            return refusal.wire
        limit = _TCP_BYTES if by_tcp else min(query.udp_bytes, wire.MAX_UDP_BYTES)
        age_s = max(0, int(now_s - kept.stored_at))
        answer = render(query, kept.reply, age_s, limit)
        if key is not None:  # TTLs in it are right until the next whole second of its age
            self._finished.offer(view.answers, key, answer, min(kept.expires_at, kept.stored_at + age_s + 1))
        return answer
