"""One question from packet to answer, off the hot path: shortcut or plan, then remembered answer or upstream.

What becomes of a question that upstream has to be asked is in `pending`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from gateway.clock import Clock
from gateway.dns import unaccepted
from gateway.dns.cache import Failures, FinishedAnswers, Kept, UpstreamAnswers
from gateway.dns.counters import FAULT, Cell, Counters
from gateway.dns.judging import Judging
from gateway.dns.names_budget import NamesBudget
from gateway.dns.pending import Deliver, Pending
from gateway.dns.plan import Accepted, Answer, NotAccepted, Site, Told, keep_s, plan, unreachable
from gateway.dns.refused_names import RefusedNames
from gateway.dns.review import under
from gateway.dns.shortcut import Own
from gateway.dns.upstreams.exchange import Key, NoAnswer, Outcome
from gateway.dns.upstreams.forwarder import PASSED_ON, Upstreams
from gateway.dns.views import View, Views
from gateway.dns.waiting import Waiting
from gateway.dns.wire import BadQueryError, Query, error_reply, parse_query
from policies.model import Judged
from policies.names import PolicyError
from policies.snapshot import Snapshot

log = logging.getLogger(__name__)


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
        counters: Counters | None = None,
        refused: RefusedNames | None = None,
    ) -> None:
        self.site = site
        self.views = views
        self.finished = finished
        self.kept = kept
        self.failures = Failures()
        self.upstreams = upstreams
        self.clock = clock
        self.monotonic = monotonic
        self.counters = counters or Counters()
        self.refused = refused or RefusedNames(monotonic)
        self._judging = judging
        self.waiting = Waiting()
        self._names = NamesBudget()
        self._latest: Kept | None = None
        self._damaged: Snapshot | None = None
        """The snapshot of which it has been told that it is damaged."""
        self.stale = self.prefetched = 0
        """How many stale answers were given, and how many answers were asked for again before they ended."""
        self.kept_hits = self.misses = 0
        """How many questions found an answer at level 2, and how many found none."""

    def own(self, packet: bytes, view: View, now_s: float) -> bytes | None:
        """The whole answer where it is known to be one of our own from how the name is listed; None: `begin`."""
        shortcut = view.shortcut
        if shortcut is None:
            return None
        try:
            own = shortcut.own(packet, now_s)
        except PolicyError:  # the long way tells
            return None
        if own is None:
            return None
        answer = own.to_plain(packet)
        own.cell.slow += 1
        key = packet[2:]
        if key == key.lower():
            self.finished.offer(view.answers, key, answer, own.until_s, own.cell)
        return answer

    def answer(self, packet: bytes, mark: int, source: bytes, by_tcp: bool, deliver: Deliver) -> bytes | None:
        """The whole answer at once; empty when there is to be none; None when `deliver` will be given it later."""
        begun = self.begin(packet, mark, source, by_tcp)
        return begun.ask(deliver) if isinstance(begun, Pending) else begun

    def begin(self, packet: bytes, mark: int, source: bytes, by_tcp: bool) -> bytes | Pending:
        """The whole answer; empty when there is to be none; or what is pending until upstream has been asked."""
        try:
            query = parse_query(packet)
        except BadQueryError as bad:
            self.counters.add("unusable")
            return b"" if bad.rcode is None else error_reply(packet, bad.rcode)
        try:
            return self._begin(packet, query, mark, source, by_tcp)
        except Exception as fault:  # one question must not cost the rest of its batch their answers
            return self.failed(query, fault)

    def failed(self, query: Query, fault: Exception) -> bytes:
        """The answer when we ourselves are at fault, which is told without the question."""
        # Neither the message nor the traceback: both could hold a name that a person asked for.
        if not isinstance(fault, PolicyError):
            log.error("a question could not be answered: %s; please report this", type(fault).__name__)
        elif self._damaged is not self.views.snapshot:
            self._damaged = self.views.snapshot
            log.error(
                "the compiled policy was damaged after it was opened, and names are not answered: "
                "gjestenett jobs compiles it anew at once where it runs; else start it, or publish the policy again"
            )
        answer = unreachable(query, 0, "internal error")
        self.counters.tally(FAULT).count("failed", "", answer)
        return answer

    def count(self, told: Told, answer: bytes, view: View, source: bytes, query: Query) -> Cell | None:
        """Count an answer. The cell with which it may be kept; None when it may not be kept yet."""
        cell = view.tally.count(told.outcome, told.category, answer)
        if self.refused.addresses and told.name:
            self.refused.saw(source, told.outcome, query.name, told.name, told.category)
        if view.top_names is None or not told.name:
            return cell
        return view.top_names.saw(view.tally.group, *told, source, cell)

    def _begin(self, packet: bytes, query: Query, mark: int, source: bytes, by_tcp: bool) -> bytes | Pending:
        view = self.views.find(mark, source)
        now_s = self.monotonic()  # before the clock is read, so that nothing is kept too long
        key = None if by_tcp or query.has_options or not query.is_lower else packet[2:]
        held = self.held(query)
        shortcut = None if held or source in self.refused.addresses else view.shortcut
        likeness = None if shortcut is None else shortcut.likeness(query)
        said = None if shortcut is None or likeness is None else shortcut.find(likeness, now_s)
        if isinstance(said, Own):
            answer = said.to(query)
            said.cell.slow += 1
            if key is not None:
                self.finished.offer(view.answers, key, answer, said.until_s, said.cell)
            return answer
        planned = said or plan(query, view.asker, self.site, self.clock(), held)
        if isinstance(planned, Answer):
            until_s = now_s + planned.keep_s
            cell = self.count(planned.told, planned.wire, view, source, query)
            if planned.keep_s and cell is not None:
                if key is not None:
                    self.finished.offer(view.answers, key, planned.wire, until_s, cell)
                if shortcut is not None and likeness is not None:
                    shortcut.learn_own(likeness, query, planned.wire, cell, until_s)
            return planned.wire
        if isinstance(view.asker, NotAccepted):
            if self._is_over_budget(query.name, mark or source, now_s):
                answer = unaccepted.refusal(query, "too many names before acceptance")
                self.count(Told("own"), answer, view, source, query)
                return answer
            key = None  # so that every question comes by here
        if said is None and shortcut is not None and likeness is not None:
            shortcut.learn(likeness, planned, now_s + keep_s(planned.valid_until, self.clock(), 0))
        pending = Pending(self, query, planned, mark, source, view, by_tcp)
        kept = self.kept.get(pending.shared, now_s)
        if kept is None:
            self.misses += 1
            return pending
        self.kept_hits += 1
        if kept.is_due(now_s):
            self._prefetch(pending.shared)
        self.answered(query, view)
        return pending.reviewed(kept, key)

    def _is_over_budget(self, name: str, device: int | bytes, now_s: float) -> bool:
        if unaccepted.is_exempt(name) or under(name, self.site.private_zones):
            return False
        return not self._names.admits(device, name, now_s)

    def _prefetch(self, shared: Key) -> None:
        """Have what is in use and about to end asked for again, for nobody."""
        if self.failures.get(shared, self.monotonic()) is None:
            self.prefetched += 1
            self.upstreams.ask(shared, False, partial(self._renewed, shared))

    def _renewed(self, shared: Key, outcome: Outcome) -> None:
        self.arrived(shared, outcome)

    def arrived(self, shared: Key, outcome: Outcome) -> Kept | None:
        """Remember what upstream said, once for all who waited together; None where it is no answer."""
        latest = self._latest
        if latest is not None and latest.reply is outcome:
            return latest
        now_s = self.monotonic()
        if isinstance(outcome, NoAnswer) or outcome.rcode not in PASSED_ON:
            if not (isinstance(outcome, NoAnswer) and outcome.passing):
                self.failures.put(shared, outcome, now_s)
            return None
        self._latest = kept = self.kept.put(shared, outcome, now_s)
        return kept

    def held(self, query: Query) -> Sequence[Judged]:
        """What the judge is known to hold the name for."""
        return self._judging.known(query.owner) if self._judging is not None else ()

    def answered(self, query: Query, view: View) -> None:
        """The judge gets the name only now, and looks at it on a later turn of the loop."""
        if self._judging is not None and isinstance(view.asker, Accepted):
            self._judging.offer(query.owner)
