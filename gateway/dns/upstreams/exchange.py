"""One question under way: who waits for it, where it has been sent, and until when."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.dns.reply import Reply

if TYPE_CHECKING:
    from gateway.dns.upstreams.upstream import Upstream
    from gateway.dns.upstreams.zones import Group

Key = tuple[bytes, bool, bool]
"""Lower-case question, DO, CD."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why there is no answer: an Extended DNS Error's code and text. `passing`: it says nothing of the name, so that it
    is not to be remembered.
    """

    code: int
    text: str
    passing: bool = False


Outcome = Reply | NoAnswer
Callback = Callable[[Outcome], None]


class Line:
    """A socket or connection to one upstream, with the questions that wait on it by their ID (two bytes).

    `is_single`: it is there for one question, and `abandon` is called when that waits on it no longer.
    """

    __slots__ = ("pending", "upstream")
    is_single = False

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.pending: dict[bytes, Exchange] = {}

    def abandon(self) -> None:
        """End it."""


class Exchange:
    """One question. `asked` is its bytes in the spelling that it goes out with, to whatever server (RFC 5452 §9.3).

    `order` is the servers in the order of trying, `sent` where it waits for an answer. Made for each question that no
    cache answers: so what few exchanges ever need has its default in the class.
    """

    near_misses = 0
    failure: Reply | None = None
    done = False
    retried = False

    def __init__(
        self,
        key: Key,
        asked: bytes,
        by_stream: bool,
        callback: Callback,
        order: tuple[Upstream, ...],
        group: Group,
        table: Table,
        now_s: float,
    ) -> None:
        self.key = key
        self.asked = asked
        self.by_stream = by_stream
        self.callbacks = [callback]
        self.order = order
        self.group = group
        self.table = table
        self.started_at = now_s
        self.due_at = now_s
        self.asked_at = now_s
        self.sent: list[tuple[Line, bytes]] = []
        self.attempts = 0
        self.upstream = order[0]
        """The server that was asked last, at `asked_at`."""

    def wait_on(self, line: Line, ident: bytes) -> None:
        """From now on `line` may bring the answer under this ID."""
        line.pending[ident] = self
        line.upstream.outstanding += 1
        self.sent.append((line, ident))

    def leave(self, line: Line) -> None:
        """Stop waiting on one line."""
        kept = []
        for each in self.sent:
            if each[0] is line:
                del line.pending[each[1]]
                line.upstream.outstanding -= 1
            else:
                kept.append(each)
        self.sent = kept
        if line.is_single:
            line.abandon()


Table = dict[Key, Exchange]
"""The questions under way, oldest first."""

SHORT = "short"
"""The kind of failure that is this machine's: out of descriptors or memory. It says nothing of any server."""
_SHORTAGES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC))


def is_shortage(problem: BaseException | None) -> bool:
    """Whether this error, or what it came of, is a shortage of this machine's own."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in _SHORTAGES:
            return True
        problem = problem.__cause__ or problem.__context__
    return False


class Events(Protocol):
    """What lines tell the forwarder. What raises in there is a fault of one exchange: it is told with `fault`."""

    def replied(self, exchange: Exchange, line: Line, packet: bytes) -> bool:
        """A message that repeats the exchange's question. Returns whether it is a DNS answer at all."""

    def near_miss(self, exchange: Exchange, line: Line, packet: bytes) -> None:
        """A datagram with a waiting ID that does not repeat its question as spelt."""

    def failed(self, exchange: Exchange, upstream: Upstream, kind: str) -> None:
        """The exchange waits on a line no longer, which broke in a way that `Health` counts as `kind`; or `SHORT`."""

    def doubtful(self, exchanges: list[Exchange], upstream: Upstream) -> None:
        """ICMP says that nobody listens there, which a guest may have forged: these still wait."""

    def fault(self, exchange: Exchange, fault: Exception) -> None:
        """We are at fault with this exchange: it ends, and no other."""

    def heard(self, upstream: Upstream, answers: int, rtt_s: float | None) -> None:
        """So many messages that answer something have come, the last after `rtt_s` (None: not measured)."""

    def broken(self, upstream: Upstream, why: str) -> None:
        """Nobody serves there: refused, unreachable, or not who it should be."""
