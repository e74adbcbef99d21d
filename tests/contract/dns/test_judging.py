"""The judge of unlisted names in a real worker: the first answer goes out, the next may not."""

import time
from zlib import crc32

import dns.message
import pytest

from gateway.lists.publish import publish
from policies.compiler import NamedList, compile_snapshot
from policies.document import default_document
from policies.lexical import Line, write_model

ROWS = 1 << 12


def ede(message: dns.message.Message) -> list[str]:
    return [option.text for option in message.options]


def put(worker, generation: int, thresholds: dict[str, float], confidence_offset: float = -3.0) -> None:
    table = [sum(128 << 8 * lane for lane in range(8))] * ROWS
    table[crc32(b"ok.e") & ROWS - 1] += 100
    model = write_model([Line("gaming", 1.0, confidence_offset)], (), table, {})
    document = default_document()
    document["groups"]["default"]["judge"] = thresholds
    lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example", f"g{generation}.example"))]
    publish(worker.state, compile_snapshot(document, lists, generation, sections={"judge": model}))
    deadline = time.monotonic() + 3
    while ede(worker.ask(f"g{generation}.example")) != ["gaming"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("tcp", [False, True])
def test_blocks_from_the_second_question_on_where_it_says_so(start, unbound, tcp: bool) -> None:
    worker = start([unbound])
    put(worker, 2, {"gaming": 0.9})
    assert str(worker.ask("ok.example", tcp=tcp).answer[0][0]) == "198.51.100.7"
    time.sleep(0.3)
    for rtype in ("A", "AAAA", "TXT"):
        refused = worker.ask("ok.example", rtype, tcp=tcp)
        assert ede(refused) == ["judged gaming, 100%"]
    assert str(worker.ask("ok.example", tcp=tcp).answer[0][0]) == "0.0.0.0"
    assert worker.stop() == 0
    told = worker.stderr.read_text()
    assert "unlisted names that look like: gaming 1" in told
    assert "ok.example" not in told


def test_reports_only_where_it_says_nothing(start, unbound) -> None:
    worker = start([unbound])
    put(worker, 2, {})
    for _ in range(6):
        assert str(worker.ask("ok.example").answer[0][0]) == "198.51.100.7"
        time.sleep(0.3)
    assert worker.stop() == 0
    assert "gaming 1" in worker.stderr.read_text()


def test_below_the_threshold_nothing_is_blocked(start, unbound) -> None:
    worker = start([unbound])
    put(worker, 2, {"gaming": 0.999}, confidence_offset=-99.0)
    for _ in range(4):
        assert str(worker.ask("ok.example").answer[0][0]) == "198.51.100.7"
        time.sleep(0.2)
    put(worker, 3, {"gaming": 0.5}, confidence_offset=-99.0)  # a new policy: once more from the first question
    assert str(worker.ask("ok.example").answer[0][0]) == "198.51.100.7"
