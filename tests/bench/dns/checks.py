"""Waiting until a server answers as it should, and saying what is wrong where it does not."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from tests.bench.dns.peers import NOERROR
from tests.bench.dns.processes import Process
from tests.bench.dns.questions import packet

ADDRESS = "198.51.100.7"
"""What the upstream answers for every name."""
_RECORDS = {"A": ADDRESS, "AAAA": "2001:db8::7", "HTTPS": "1 .", "TXT": None}
_UPSTREAM_LIMIT_S = 10.0
_ANSWER_LIMIT_S = 2.0
_EACH_S = 0.002


class BenchError(Exception):
    """A server that does not answer as it should, or a tool that failed."""


def first_answer(server: Process, port: int, rcode: int, name: str, limit_s: float) -> float:
    """Seconds from now until `name` is answered as blocked; asked each 2 ms. Raises: BenchError."""
    started = time.monotonic()
    asked = packet(name, 1)
    with _asker(port, _EACH_S) as probe:
        while (waited := time.monotonic() - started) < limit_s:
            if server.ended:
                raise BenchError(f"it ended: {server.last_words()}")
            try:
                probe.send(asked)
                if _is_block(probe.recv(4096), rcode):
                    return time.monotonic() - started
            except TimeoutError:
                continue
            except OSError:  # nobody listens yet
                time.sleep(_EACH_S)
    raise BenchError(f"no right answer within {waited:.0f} s: {server.last_words()}")


def all_right(port: int, rcode: int, blocked: list[str], permitted: list[str], limit_s: float) -> float:
    """Seconds until every one of these names gets the answer that it should. Raises: BenchError."""
    started = time.monotonic()
    wrong = ""
    while (waited := time.monotonic() - started) < limit_s:
        wrong = _first_wrong(port, rcode, blocked, permitted)
        if not wrong:
            return waited
        time.sleep(_EACH_S)
    raise BenchError(wrong)


def upstream_right(server: Process, port: int) -> None:
    """The upstream answers every type as a recursive server does, by an independent reading. Raises: BenchError."""
    deadline = time.monotonic() + _UPSTREAM_LIMIT_S
    while not _answers(port):
        if server.ended or time.monotonic() > deadline:
            raise BenchError(f"the upstream does not answer: {server.last_words()}")
    for kind, record in _RECORDS.items():
        for edns in (-1, 0):
            query = dns.message.make_query("wWw.eXample.Com", kind, use_edns=edns)
            answer = dns.query.udp(query, "127.0.0.1", port=port, timeout=_ANSWER_LIMIT_S)
            found = [str(record) for rrset in answer.answer for record in rrset]
            right = (
                answer.rcode() == dns.rcode.NOERROR
                and answer.edns == edns
                and answer.flags & dns.flags.RA
                and str(answer.question[0].name) == "wWw.eXample.Com."
                and found == ([] if record is None else [record])
                and len(answer.authority) == (record is None)
            )
            if not right:
                raise BenchError(f"the upstream is wrong: {answer}")


def _answers(port: int) -> bool:
    with contextlib.suppress(dns.exception.Timeout):
        dns.query.udp(dns.message.make_query("a.example", "A"), "127.0.0.1", port=port, timeout=0.05)
        return True
    return False


def _first_wrong(port: int, rcode: int, blocked: list[str], permitted: list[str]) -> str:
    with _asker(port, _ANSWER_LIMIT_S) as probe:
        for number, name in enumerate((*blocked, *permitted)):
            probe.send(packet(name, number))
            try:
                while (answer := probe.recv(4096))[:2] != number.to_bytes(2, "big"):
                    pass
            except OSError as problem:
                return f"no answer to {name}: {problem}"
            right = _is_block(answer, rcode) if number < len(blocked) else answer.endswith(socket.inet_aton(ADDRESS))
            if not right:
                return f"wrong answer to {name}: {answer.hex()}"
    return ""


@contextlib.contextmanager
def _asker(port: int, limit_s: float) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", port))
        probe.settimeout(limit_s)
        yield probe


def _is_block(answer: bytes, rcode: int) -> bool:
    if answer[3] & 15 != rcode:
        return False
    return rcode != NOERROR or b"\0\4\0\0\0\0" in answer[12:]
