"""Attacks that have brought down or deceived resolvers: what each is to a forwarder, and why it fails here."""

from __future__ import annotations

import socket
import struct
import threading
import time
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from .conftest import Stage, codes, respond

ENOUGH_S = 1.0
"""Far more than any answer takes, far less than the attacks cost those that they were found in."""


def question_of(packet: bytes) -> str:
    return str(dns.message.from_wire(packet).question[0].name)


def cpu_s(stage: Stage) -> float:
    fields = Path(f"/proc/{stage.worker.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def rss_kb(stage: Stage) -> int:
    status = Path(f"/proc/{stage.worker.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def is_well(stage: Stage) -> bool:
    """Whether the worker answers at once, also a question for upstream."""
    stage.tells("@ 60 A 198.51.100.1")
    started = time.monotonic()
    message = stage.ask(stage.name())
    return str(message.answer[0][0]) == "198.51.100.1" and time.monotonic() - started < ENOUGH_S


@pytest.mark.parametrize("junk", [b"", b"\0", bytes(12), b"\xff" * 40], ids=["empty", "short", "zeros", "ones"])
@pytest.mark.parametrize("true_by", ["udp", "tcp"])
def test_a_bad_packet_does_not_end_the_wait(stage: Stage, junk: bytes, true_by: str) -> None:
    """CVE-2023-29483: one malformed datagram ended dnspython's wait; its first mending broke the fall-back to TCP."""

    def plays(packet: bytes, by_tcp: bool) -> list[bytes]:
        truth = respond(packet, f"{question_of(packet)} 60 A 198.51.100.1")
        if by_tcp:
            return [truth]
        cut = truth[:2] + b"\x83\x80" + truth[4:-5]
        return [junk, packet[:2] + junk, packet[:2] + b"\x81\x80" + junk, truth if true_by == "udp" else cut]

    stage.plays(plays)
    started = time.monotonic()
    assert str(stage.ask(stage.name()).answer[0][0]) == "198.51.100.1"
    assert time.monotonic() - started < ENOUGH_S


def test_keys_and_signatures_without_end_are_only_carried(stage: Stage) -> None:
    """KeyTrap, CVE-2023-50387, and the proofs of CVE-2023-50868 (NSEC3 with many iterations) cost those who validate.

    A forwarder does not: it must carry such an answer in no more time than another of its size.
    """
    keys = tuple(f"@ 60 DNSKEY 257 3 8 {'A' * 40}{number:04d}" for number in range(300))
    name = stage.name()
    stage.tells(*keys)
    before = cpu_s(stage)
    assert len(stage.ask(name, "DNSKEY", tcp=True, want_dnssec=True).answer[0]) == 300
    proof = f"{'0' * 32}.fresh.example. 60 NSEC3 1 0 65535 aabbccdd {'1' * 32} A RRSIG"
    stage.tells(authority=("example. 60 SOA a. b. 1 2 3 4 5", proof), rcode=dns.rcode.NXDOMAIN)
    message = stage.ask(stage.name(), want_dnssec=True)
    assert (message.rcode(), len(message.authority)) == (dns.rcode.NXDOMAIN, 2)
    assert cpu_s(stage) - before < 0.3


def test_a_referral_is_not_followed(stage: Stage) -> None:
    """NXNSAttack, CVE-2020-12662: a delegation to many names makes an iterating resolver ask for each of them."""
    servers = tuple(f"fresh.example. 60 NS ns{number}.victim{number}.example." for number in range(200))
    stage.tells(authority=servers)
    message = stage.ask(stage.name(), tcp=True)
    assert (message.rcode(), message.answer) == (dns.rcode.NOERROR, [])
    assert len(stage.upstream.asked) == 1


def test_waiting_questions_do_not_pile_up_without_end(stage: Stage) -> None:
    """DNSBomb, CVE-2024-33655: questions (with a forged source) are collected behind a slow upstream, whose one answer
    is then let off at all of them in one pulse.

    256 of one source can wait, the rest are told so at once; and no answer is longer than its asker's own size.
    """

    def slowly(packet: bytes, by_tcp: bool) -> list[bytes]:
        time.sleep(0.8)
        return [respond(packet, *(f"{question_of(packet)} 60 TXT {'x' * 100}{number}" for number in range(9)))]

    stage.plays(slowly)
    query = dns.message.make_query(stage.name(), "TXT", use_edns=False).to_wire()
    answers, sent = [], 3000
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        client.connect(("127.0.0.1", stage.worker.port))
        client.settimeout(2)
        for number in range(sent):
            client.send(number.to_bytes(2, "big") + query[2:])
        for _ in range(sent):
            answers.append(client.recv(4096))
    assert len({answer[:2] for answer in answers}) == sent
    assert max(map(len, answers)) <= 512
    pulse = [answer for answer in answers if answer[3] & 15 == dns.rcode.NOERROR]
    assert 0 < len(pulse) <= 256
    assert all(answer[3] & 15 == dns.rcode.SERVFAIL for answer in answers if answer not in pulse)
    assert len(stage.upstream.asked) < 10  # one question, asked again a few times, whatever was collected


def test_a_question_with_a_subnet_shares_the_exchange(stage: Stage) -> None:
    """RebirthDay, CVE-2025-5994: questions that differ in their client subnet (RFC 7871) go out beside each other, and
    so many open questions for one name make a guessed answer likely.

    Here no subnet goes out, and all of them are one question.
    """

    def slowly(packet: bytes, by_tcp: bool) -> list[bytes]:
        time.sleep(0.05)
        return [respond(packet, f"{question_of(packet)} 60 A 198.51.100.1")]

    stage.plays(slowly)
    name = stage.name()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", stage.worker.port))
        client.settimeout(3)
        for number in range(64):
            subnet = dns.edns.ECSOption(f"10.{number}.0.0", 16)
            client.send(dns.message.make_query(name, "A", id=number, options=[subnet]).to_wire())
        answers = {client.recv(1500)[:2] for _ in range(64)}
    assert len(answers) == 64
    assert len(stage.upstream.asked) <= 3  # one each 20 ms of patience at most
    assert all(not dns.message.from_wire(packet).options for packet, _ in stage.upstream.asked)


def crafted(packet: bytes) -> list[bytes]:
    """Answers that have crashed forwarders."""
    asked = question_of(packet)
    truth = respond(packet, f"{asked} 60 A 198.51.100.1")
    head, question = truth[:12], truth[12 : 12 + len(asked) + 5]
    record = struct.Struct("!HHIH").pack
    owner = b"\xc0\x0c"

    def made(answers: int, body: bytes, flags: int = 0x8180) -> bytes:
        return packet[:2] + struct.pack("!5H", flags, 1, answers, 0, 0) + question + body

    return [
        made(1, owner + record(5, 1, 60, 2) + owner),  # an alias to itself
        made(1, owner + record(5, 3, 60, 2) + owner),  # of another class: CVE-2017-15120
        made(1, owner + record(39, 1, 60, 1) + b"\0"),  # DNAME to the root
        made(1, owner + record(5, 1, 60, 0)),
        made(1, owner + record(5, 1, 60, 65535) + b"\0"),
        made(65535, b""),
        made(1, struct.pack("!H", 0xC000 | len(truth)) + record(1, 1, 60, 4) + bytes(4)),  # forwards
        made(1, struct.pack("!H", 0xC000 | (12 + len(question))) + record(1, 1, 60, 4) + bytes(4)),  # to itself
        made(1, owner + record(65, 1, 60, 3) + b"\0\0\0"),
        made(1, owner + record(65, 1, 60, 9) + b"\0\1\0\0\4\0\2\1\2"),
        made(1, owner + record(41, 1, 60, 0)),
        made(1, owner + record(46, 1, 60, 18) + bytes(18)),  # RRSIG of nothing
        made(1, owner + record(6, 1, 60, 22) + bytes(22)),
        made(0, b"", 0x8183),
        made(0, b"", 0x8186),  # YXDOMAIN
        made(0, b"", 0x818F),
        made(0, b"", 0xFFFF),
        head + question + truth[len(head) + len(question) :] + bytes(600),
    ]  # fmt: skip


def test_a_crafted_answer_harms_nothing(stage: Stage) -> None:
    """CVE-2024-25583: an answer made for it ended the PowerDNS recursor where it forwards."""
    for number in range(18):
        stage.plays(lambda packet, by_tcp, number=number: [crafted(packet)[number]])
        query = dns.message.make_query(stage.name(), "A").to_wire()
        for answer in (stage.send(query), stage.send_by_tcp(query)):
            assert answer is not None
            assert (answer[:2], answer[12 : len(query)]) == (query[:2], query[12:])
    assert is_well(stage)


def service(target: bytes) -> bytes:
    return b"\xc0\x0c" + struct.pack("!HHIH", 65, 1, 60, 2 + len(target)) + b"\0\x01" + target


def test_names_that_cost_much_to_read_or_write_cost_little(stage: Stage) -> None:
    """CVE-2024-8508 and CVE-2026-44390: very large RRsets, which unbound compressed for long (with and without a common
    suffix); RFC 9267 §2: chained pointers, each of them short enough, all together not.

    We never compress, and a message with more than 100 different names, or 32 KB of them, is a SERVFAIL.
    """

    def unlike(packet: bytes, by_tcp: bool) -> list[bytes]:
        end = packet.index(b"\0", 12) + 5
        records = [service(b"\x01\xff" * 20 + struct.pack("!BH", 2, number) + b"\0") for number in range(999)]
        if b"chained" in packet.lower():
            long = b"\x01\xff" * 120 + b"\0"
            at = end + 14
            records = [service(long)] + [
                service(bytes((1, number & 255)) + struct.pack("!H", 0xC000 | at + 2 * (number >> 4)))
                for number in range(900)
            ]
        return [packet[:2] + struct.pack("!5H", 0x8180, 1, len(records), 0, 0) + packet[12:end] + b"".join(records)]

    stage.plays(unlike)
    before = cpu_s(stage)
    for number in range(5):
        for kind in ("unlike", "chained"):
            message = stage.ask(f"{kind}{number}.fresh.example", "HTTPS", tcp=True)
            assert message.rcode() == dns.rcode.SERVFAIL
    assert cpu_s(stage) - before < 0.5
    assert is_well(stage)


def test_large_answers_are_carried_as_they_came(stage: Stage) -> None:
    """The honest side of the same: 999 records by TCP, in the octets that upstream chose."""
    stage.tells(*(f"@ 60 MX {number} m{number}.unlike{number}." for number in range(999)))
    name = stage.name()
    before = cpu_s(stage)
    for _ in range(3):
        assert len(stage.ask(name, "MX", tcp=True).answer[0]) == 999
    assert cpu_s(stage) - before < 0.5


def test_options_without_end_cost_little(stage: Stage) -> None:
    """CVE-2026-41292: 16,000 options in one question held unbound's threads while it listed them."""
    options = b"\xff\xf0\0\0" * 16_000
    question = b"\x04many\x05fresh\x07example\0\0\x01\0\x01"
    packet = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 1) + question + struct.pack("!BHHIH", 0, 41, 1232, 0, len(options))
    before = cpu_s(stage)
    for _ in range(50):
        answer = stage.send_by_tcp(packet + options)
        assert dns.message.from_wire(answer).rcode() == dns.rcode.FORMERR
    assert cpu_s(stage) - before < 0.5
    assert stage.upstream.asked == []


def test_what_was_found_bogus_is_not_made_presentable(stage: Stage) -> None:
    """CVE-2026-50243: where policy rewrote an answer that had not validated, it was given as a good one.

    Upstream's SERVFAIL stays one, without the records that came along, whatever policy says of the names in them.
    """
    for target in ("www.game.example.", "ok.example."):
        stage.tells(f"@ 60 CNAME {target}", f"{target} 60 A 198.51.100.9", rcode=dns.rcode.SERVFAIL, flags=dns.flags.AD)
        for options in ({}, {"want_dnssec": True}, {"flags": dns.flags.from_text("RD CD")}):
            message = stage.ask(stage.name(), **options)
            assert (message.rcode(), message.answer) == (dns.rcode.SERVFAIL, [])
            assert not message.flags & dns.flags.AD
    assert codes(stage.ask("www.game.example")) == [15]  # what is refused before anyone is asked, is refused


def test_records_that_nobody_asked_for_are_not_kept(stage: Stage) -> None:
    """CVE-2025-40778: BIND kept unsolicited records of an answer section, and gave them to others.

    Answers are kept by their question, as a whole; no record of one ever answers another.
    """
    victim, name = stage.name(), stage.name()
    forged = f"{victim}. 3600 A 203.0.113.66"
    stage.tells("@ 60 A 198.51.100.1", forged, authority=(f"{victim}. 60 NS evil.example.",), additional=(forged,))
    for _ in range(3):
        stage.ask(name)
    stage.tells("@ 60 A 198.51.100.2")
    assert [str(each) for each in stage.ask(victim).answer[0]] == ["198.51.100.2"]


def test_a_flood_of_forgeries_that_miss_does_not_get_in(stage: Stage) -> None:
    """RFC 5452 §9: 300 guesses at the ID before the truth, all with another spelling or ID, and none is believed."""

    def floods(packet: bytes, by_tcp: bool) -> list[bytes]:
        truth = respond(packet, f"{question_of(packet)} 60 A 198.51.100.1")
        if by_tcp:
            return [truth]
        forged = respond(packet, f"{question_of(packet)} 60 A 203.0.113.66")
        here = int.from_bytes(packet[:2], "big")
        guesses = [(here + number & 0xFFFF).to_bytes(2, "big") + forged[2:] for number in range(1, 300)]
        return [*guesses, forged[:12] + forged[12:30].swapcase() + forged[30:], truth]

    stage.plays(floods)
    for _ in range(10):
        assert str(stage.ask(stage.name()).answer[0][0]) == "198.51.100.1"


def test_a_flood_of_random_names_leaves_memory_as_it_was(stage: Stage) -> None:
    """A water-torture flood: names that do not exist, each asked for once. What is kept of them is bounded."""
    stage.tells(rcode=dns.rcode.NXDOMAIN, authority=("example. 600 SOA a. b. 1 2 3 4 60",))
    port = stage.worker.port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        client.settimeout(2)
        for start in range(0, 6000, 50):
            for number in range(start, start + 50):
                name = f"r{number}x{'y' * 30}.fresh.example"
                client.send(dns.message.make_query(name, "A", id=number & 0xFFFF).to_wire())
            for _ in range(50):
                client.recv(1500)
    assert rss_kb(stage) < 60_000
    assert is_well(stage)


def test_connections_that_say_nothing_leave_room_for_others(stage: Stage) -> None:
    """Slow readers and idle connections from one address do not keep out the next question (RFC 7766 §6.2.3)."""
    idle = [socket.create_connection(("127.0.0.1", stage.worker.port), timeout=3) for _ in range(40)]
    try:
        for each in idle[:10]:
            each.send(b"\0")
        assert is_well(stage)
        with socket.create_connection(("::1", stage.worker.port), timeout=3) as other:
            query = dns.message.make_query("gjest.internal", "A").to_wire()
            other.sendall(len(query).to_bytes(2, "big") + query)
            assert other.recv(2)
    finally:
        for each in idle:
            each.close()


def test_pulses_from_many_threads_are_each_answered_once(stage: Stage) -> None:
    """No answer comes twice, and none goes to another question, with eight askers at once."""
    stage.tells("@ 1 A 198.51.100.1")
    wrong: list[str] = []

    def asks(number: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", stage.worker.port))
            client.settimeout(2)
            for turn in range(100):
                query = dns.message.make_query(f"p{turn % 7}.fresh.example", "A", id=number * 1000 + turn).to_wire()
                client.send(query)
                answer = client.recv(1500)
                if answer[:2] != query[:2] or answer[12:30] != query[12:30]:
                    wrong.append(f"{number} {turn}")
            client.settimeout(0.2)
            try:
                client.recv(1500)
                wrong.append(f"{number}: one too many")
            except TimeoutError:
                pass

    threads = [threading.Thread(target=asks, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
