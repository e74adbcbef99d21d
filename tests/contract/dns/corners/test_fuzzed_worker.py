"""A whole worker under spoilt packets from guests and from upstream: it answers what it should, once, and lives on."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from pathlib import Path

import dns.message
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.dns.wire import BadQueryError, parse_query
from tests.fuzz.packets import SEEDS, kept, spoil
from tests.fuzz.targets import leads_nowhere

from .conftest import Stage, respond

_QUERIES = SEEDS["query"]()
_SETTINGS = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
_SENTINEL = dns.message.make_query("gjest.internal", "A", id=0xFEED).to_wire()
seeds = st.integers(0, 1 << 32)


def largest_bytes(packet: bytes) -> int:
    """The longest datagram that this one may be answered with."""
    try:
        return min(parse_query(packet).udp_bytes, 1232)
    except BadQueryError:
        return max(len(packet), 12) + 11


@_SETTINGS
@given(st.lists(st.tuples(st.sampled_from(_QUERIES), seeds), min_size=1, max_size=20))
def test_guests_that_send_anything(stage: Stage, made: list[tuple[bytes, int]]) -> None:
    """Each datagram gets one answer at most, with its ID, no longer than it allowed; the next question gets its own."""
    packets = [spoil(packet, random.Random(seed), _QUERIES)[:1400] for packet, seed in made]
    packets = [number.to_bytes(2, "big") + packet[2:] for number, packet in enumerate(packets, 1) if len(packet) >= 2]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", stage.worker.port))
        client.settimeout(3)
        for packet in packets:
            client.send(packet)
        client.send(_SENTINEL)
        answers = [client.recv(65535)]
        while answers[-1][:2] != _SENTINEL[:2]:
            answers.append(client.recv(65535))
        client.settimeout(0.005)  # what upstream was asked for
        try:
            while True:
                answers.append(client.recv(65535))
        except TimeoutError:
            pass
    allowed = Counter(packet[:2] for packet in [*packets, _SENTINEL])
    assert not Counter(answer[:2] for answer in answers) - allowed
    by_id = {packet[:2]: packet for packet in [*packets, _SENTINEL]}
    for answer in answers:
        assert answer[2] & 0x80
        assert len(answer) <= largest_bytes(by_id[answer[:2]])


@_SETTINGS
@given(st.lists(st.tuples(st.sampled_from(_QUERIES), seeds), max_size=8), st.integers(0, 5))
def test_connections_that_carry_anything(stage: Stage, made: list[tuple[bytes, int]], cut: int) -> None:
    """A connection ends, or goes on answering; it never hangs, and answers nothing twice."""
    packets = [spoil(packet, random.Random(seed), _QUERIES) for packet, seed in made]
    framed = b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)
    with socket.create_connection(("127.0.0.1", stage.worker.port), timeout=3) as connection:
        connection.sendall(framed[: len(framed) - cut])
        connection.shutdown(socket.SHUT_WR)
        heard = b""
        while piece := connection.recv(65535):
            heard += piece
    count = 0
    while heard:
        size = int.from_bytes(heard[:2], "big")
        assert len(heard) >= 2 + size
        heard, count = heard[2 + size :], count + 1
    assert count <= len(packets)


@_SETTINGS
@given(seeds, st.booleans(), st.sampled_from(["A", "HTTPS"]))
def test_upstreams_that_say_anything(stage: Stage, seed: int, hops: bool, rtype: str) -> None:
    """Spoilt answers, and the true one after them: no way to a forbidden name gets through, nor an address inside."""
    target = "www.game.example." if hops else "ok.example."
    records = (f"@ 60 CNAME {target}", f"{target} 60 {rtype} " + ("192.168.1.1" if rtype == "A" else f"1 {target}"))

    def plays(packet: bytes, by_tcp: bool) -> list[bytes]:
        dice = random.Random(seed)
        asked = str(dns.message.from_wire(packet).question[0].name)
        good = respond(packet, *(each.replace("@", asked) for each in records))
        after = 12 + len(packet[12:].partition(b"\0")[0]) + 5  # faults before it are for other tests
        spoilt = [good[:after] + spoil(good[after:], dice, [good]) for _ in range(3)]
        truth = respond(packet, f"{asked} 60 A 198.51.100.1")
        return [truth] if by_tcp else [*spoilt, spoil(good, dice, [good]), truth]

    stage.plays(plays)
    name = stage.name()
    query = dns.message.make_query(name, rtype, use_edns=0).to_wire()
    for answer in (stage.send(query), stage.send(query)):
        assert answer is not None
        assert (answer[:2], answer[12:].startswith(query[12:-11])) == (query[:2], True)
        if not answer[2] & 4:  # else our own refusal, with 0.0.0.0
            leads_nowhere(answer, name)


@pytest.mark.timeout(60)
def test_the_corpus_over_and_over_leaves_memory_flat(stage: Stage) -> None:
    packets = [path.read_bytes() for target, path in kept() if target == "query"]
    replies = [path.read_bytes() for target, path in kept() if target == "reply"]
    stage.plays(lambda packet, by_tcp: [packet[:2] + random.choice(replies)[2:], respond(packet)])
    sizes_kb = []
    for turn in range(6):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", stage.worker.port))
            client.settimeout(0.001)
            for number in range(1500):
                client.send(packets[number % len(packets)])
                if number % 10 == 0:
                    client.send(dns.message.make_query(f"m{turn}x{number}.fresh.example", "A").to_wire())
                    try:
                        while client.recv(4096):
                            pass
                    except TimeoutError:
                        pass
        time.sleep(0.1)
        status = Path(f"/proc/{stage.worker.process.pid}/status").read_text()
        sizes_kb.append(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")))
    assert stage.ask("gjest.internal").answer
    assert sizes_kb[-1] - sizes_kb[2] < 1500, sizes_kb
