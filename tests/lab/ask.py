"""A device that asks as fast as it is told to: `python -m tests.lab.ask PLAN`, PLAN being JSON; prints JSON.

PLAN: `servers`, `name` (with `{}` for a number), `per_s`, `seconds`; `sources` (own addresses to bind, by turns),
`flows` (sockets for each server and source; 0: one for each question), `type`. Told: sent, the answers by rcode, the
seconds that each answer took, and those from the first question to the last.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import dns.message
import dns.rdatatype

PATIENCE_S = 1.5


@dataclass(frozen=True)
class Plan:
    """What to ask, whom and how fast."""

    servers: list[str]
    name: str
    per_s: float
    seconds: float
    sources: list[str] = field(default_factory=list)
    flows: int = 1
    type: str = "A"


def _socket(server: str, source: str | None) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    if source is not None:
        made.bind((source, 0))
    made.connect((server, 53))
    return made


def _pairs(plan: Plan) -> list[tuple[str, str | None]]:
    pairs: list[tuple[str, str | None]] = []
    for server in plan.servers:
        family = [source for source in plan.sources if (":" in source) == (":" in server)]
        pairs += [(server, source) for source in family or [None]]
    return pairs


def run(plan: Plan) -> dict[str, object]:
    """Ask everything, wait a little for the last answers, and tell."""
    pairs = _pairs(plan)
    kept = {(pair, flow): _socket(*pair) for pair in pairs for flow in range(plan.flows)}
    waiting: dict[int, float] = {}
    rcodes: Counter[int] = Counter()
    took: list[float] = []
    poll = select.poll()
    by_fd = {one.fileno(): one for one in kept.values()}
    for one in kept.values():
        poll.register(one, select.POLLIN)
    started = time.monotonic()
    total, sent = int(plan.per_s * plan.seconds), 0

    def take(timeout_ms: float) -> None:
        for fd, _ in poll.poll(timeout_ms):
            while True:
                try:
                    packet = by_fd[fd].recv(4096)
                except OSError:
                    break
                asked_at = waiting.pop(int.from_bytes(packet[:2], "big"), None)
                if asked_at is not None:
                    rcodes[packet[3] & 15] += 1
                    took.append(time.monotonic() - asked_at)

    while sent < total:
        due = started + sent / plan.per_s
        while (left := due - time.monotonic()) > 0:
            take(left * 1000)
        query = dns.message.make_query(plan.name.format(sent), plan.type, id=sent & 0xFFFF, use_edns=0)
        pair = pairs[sent % len(pairs)]
        if plan.flows:
            out = kept[pair, sent // len(pairs) % plan.flows]
        else:
            out = _socket(*pair)
            by_fd[out.fileno()] = out
            poll.register(out, select.POLLIN)
        waiting[sent & 0xFFFF] = time.monotonic()
        with contextlib.suppress(OSError):
            out.send(query.to_wire())
        sent += 1
        if sent % 16 == 0:
            take(0)
    lasted_s = time.monotonic() - started
    end = time.monotonic() + PATIENCE_S
    while waiting and (left := end - time.monotonic()) > 0:
        take(left * 1000)
    return {"sent": sent, "rcodes": rcodes, "took_s": took, "lasted_s": lasted_s}


if __name__ == "__main__":
    print(json.dumps(run(Plan(**json.loads(sys.argv[1])))))
