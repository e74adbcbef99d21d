"""The worker as guests meet it, with a real resolver behind it."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from gateway.dns.config import DnsConfig
from gateway.lists.publish import publish
from gateway.readiness import VARIABLE
from policies.snapshot import NamedList, compile_snapshot
from tests.contract.dns.certificate import make_certificate


def ede(message: dns.message.Message) -> list[tuple[int, str]]:
    return [(int(option.code), option.text) for option in message.options]


def first(message: dns.message.Message) -> str:
    return str(message.answer[0][0])


@pytest.mark.parametrize("tcp", [False, True])
def test_forwards_and_refuses(start, unbound, tcp: bool) -> None:
    worker = start([unbound])
    for _ in range(4):  # cold, second sight, finished, finished
        assert first(worker.ask("oK.example", tcp=tcp)) == "198.51.100.7"
        assert first(worker.ask("ok.example", "AAAA", tcp=tcp)) == "2001:db8::7"
        refused = worker.ask("www.GAME.example", tcp=tcp)
        assert (first(refused), ede(refused)) == ("0.0.0.0", [(15, "gaming")])
        assert worker.ask("no.example", tcp=tcp).rcode() == dns.rcode.NXDOMAIN
        assert not worker.ask("ok.example", "MX", tcp=tcp).answer
        assert first(worker.ask("gjest.internal", tcp=tcp)) == "10.9.0.1"
        assert first(worker.ask("zero.example", tcp=tcp)) == "198.51.100.8"
    assert worker.stop() == 0


def test_a_second_instance_on_the_same_address_is_refused(start, unbound) -> None:
    first_one = start([unbound])
    second = subprocess.run(
        [sys.executable, "-P", "-m", "gateway.dns.worker", first_one.config],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert "cannot listen" in second.stderr
    assert first(first_one.ask("ok.example")) == "198.51.100.7"


def test_reviews_replies(start, unbound) -> None:
    worker = start([unbound])
    for _ in range(4):
        for name, rtype in (("hop.example", "A"), ("alias.example", "HTTPS")):
            assert ede(worker.ask(name, rtype)) == [(15, "gaming")]
        for name, rtype in (("inside.example", "A"), ("hint.example", "HTTPS")):
            message = worker.ask(name, rtype)
            assert ede(message) == [(15, "private address")]
            assert not message.answer


def test_not_accepted_by_ipv6_without_source(start, unbound) -> None:
    worker = start([unbound])
    for tcp in (False, True):
        message = worker.ask("ok.example", "TXT", host="::1", tcp=tcp)
        assert (message.rcode(), [code for code, _ in ede(message)]) == (dns.rcode.REFUSED, [18])
        assert first(worker.ask("www.game.example", "A", host="::1", tcp=tcp)) == "198.51.100.9"
        assert first(worker.ask("gjest.internal", "A", host="::1", tcp=tcp)) == "10.9.0.1"


def test_a_device_that_has_not_accepted_gets_addresses_and_few_names(start, unbound) -> None:
    worker = start([unbound])
    for _ in range(3):  # never from the finished answers of others
        told = worker.ask("www.game.example", host="::1")
        assert [rrset.to_text() for rrset in told.answer] == ["www.game.example. 10 IN A 198.51.100.9"]
    assert not worker.ask("hop.example", host="::1").answer  # an alias alone, which could carry anything
    outcomes = [worker.ask(f"n{number}.tunnel.example", host="::1") for number in range(14)]
    assert [message.rcode() for message in outcomes] == [dns.rcode.NXDOMAIN] * 10 + [dns.rcode.REFUSED] * 4
    assert ede(outcomes[-1]) == [(18, "too many names before acceptance")]
    assert worker.ask("n0.tunnel.example", "AAAA", host="::1").rcode() == dns.rcode.NXDOMAIN  # the name is known
    assert first(worker.ask("ok.example", host="::1")) == "198.51.100.7"  # another domain
    for number in range(14):  # an accepted device has no such limit, and a check for connectivity none either
        assert worker.ask(f"n{number}.tunnel.example").rcode() == dns.rcode.NXDOMAIN
        assert worker.ask(f"n{number}.captive.apple.com", host="::1").rcode() == dns.rcode.NXDOMAIN


def test_a_device_that_has_not_accepted_asks_once_a_connection(start, unbound) -> None:
    """The firewall counts packets, and one packet can hold many questions."""
    worker = start([unbound])
    for host, answered in (("::1", 1), ("127.0.0.1", 8)):
        with socket.create_connection((host, worker.port), timeout=3) as connection:
            packets = [dns.message.make_query("ok.example", "A", id=number).to_wire() for number in range(1, 9)]
            connection.sendall(b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets))
            if host == "127.0.0.1":
                connection.shutdown(socket.SHUT_WR)
            got = b""
            try:
                while more := connection.recv(65536):
                    got += more
            except ConnectionResetError:
                pass  # there were questions left that nobody read
        count = 0
        while got:
            size = int.from_bytes(got[:2], "big")
            assert dns.message.from_wire(got[2 : 2 + size]).rcode() == 0
            got, count = got[2 + size :], count + 1
        assert count == answered


def test_long_answers_by_tcp(start, unbound) -> None:
    worker = start([unbound])
    for _ in range(3):
        by_udp = worker.ask("many.example", "TXT")
        assert by_udp.flags & dns.flags.TC
        assert not by_udp.answer
        assert len(worker.ask("many.example", "TXT", tcp=True).answer[0]) == 20


def test_ttl_counts_down_and_is_capped(start, unbound) -> None:
    worker = start([unbound])
    ttls = []
    for _ in range(12):
        ttls.append(worker.ask("ok.example").answer[0].ttl)
        time.sleep(0.25)
    assert ttls[0] == 120
    assert 116 <= ttls[-1] <= 118
    assert ttls == sorted(ttls, reverse=True)


def test_reload_takes_effect_within_a_second(start, unbound) -> None:
    worker = start([unbound], policy=False)
    assert ede(worker.ask("ok.example"))[0][0] == 14
    for generation, closed, expected in (
        (1, ("gaming",), "0.0.0.0"),
        (2, (), "198.51.100.9"),
        (3, ("gaming",), "0.0.0.0"),
    ):
        worker.publish(generation, closed)
        published = time.monotonic()
        while True:
            message = worker.ask("www.game.example")
            if message.answer and first(message) == expected:
                break
            assert time.monotonic() - published < 1, "the policy took longer than a second"
        for _ in range(5):
            assert first(worker.ask("www.game.example")) == expected
    (worker.state / "policy" / "junk").write_bytes(b"not a snapshot")
    os.replace(worker.state / "policy" / "junk", worker.state / "policy" / "current.snapshot")
    time.sleep(0.5)
    assert first(worker.ask("www.game.example")) == "0.0.0.0"  # the old one stays in force
    assert "publish the policy again" in worker.stderr.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")
def test_source_port_0_in_the_middle_of_a_batch(start, unbound) -> None:
    """sendmmsg stops at such a message with EINVAL; the rest of the batch must be answered all the same."""
    worker = start([unbound])
    query = dns.message.make_query("game.example", "A", id=0, use_edns=False).to_wire()
    for _ in range(3):  # finished by now
        worker.ask("game.example", use_edns=False)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw,
    ):
        client.connect(("127.0.0.1", worker.port))
        client.settimeout(2)
        worker.process.send_signal(signal.SIGSTOP)  # so that all of them wait for one batch
        for ident in range(1, 31):
            client.send(ident.to_bytes(2, "big") + query[2:])
            if ident % 10 == 5:
                raw.sendto(struct.pack("!4H", 0, worker.port, 8 + len(query), 0) + query, ("127.0.0.1", 0))
        worker.process.send_signal(signal.SIGCONT)
        answered = {int.from_bytes(client.recv(512)[:2], "big") for _ in range(30)}
    assert answered == set(range(1, 31))
    assert worker.process.poll() is None


def test_pipelined_questions_on_one_connection(start, unbound) -> None:
    worker = start([unbound], tcp_idle_s=0.5)
    names = ["ok.example", "game.example", "no.example", "many.example", "gjest.internal"] * 4
    with socket.create_connection(("127.0.0.1", worker.port), timeout=3) as connection:
        for number, name in enumerate(names):
            query = dns.message.make_query(name, "A", id=number + 1, use_edns=0).to_wire()
            connection.sendall(len(query).to_bytes(2, "big") + query)
        stream = connection.makefile("rb")
        seen = {}
        for _ in names:
            message = dns.message.from_wire(stream.read(int.from_bytes(stream.read(2), "big")))
            seen[message.id] = str(message.question[0].name).rstrip(".")
        assert seen == {number + 1: name for number, name in enumerate(names)}
        started = time.monotonic()
        assert stream.read(1) == b""  # closed when idle
        assert time.monotonic() - started < 2


def test_junk_is_survived(start, unbound) -> None:
    worker = start([unbound])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", worker.port))
        for size in (0, 1, 11, 12, 13, 100, 512, 513, 4000):
            for byte in (b"\0", b"\xff", b"\xc0", b"\x01"):
                client.send(byte * size)
    for junk in (b"", b"\0", b"\0\0", b"\0\x0c" + b"\xff" * 12, b"\xff\xff" + b"\0" * 100):
        with socket.create_connection(("127.0.0.1", worker.port), timeout=2) as connection:
            connection.sendall(junk)
    assert first(worker.ask("ok.example")) == "198.51.100.7"


def children(process: subprocess.Popen[bytes]) -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()}


def test_dead_workers_are_replaced(start, unbound) -> None:
    worker = start([unbound], workers=2)
    before = children(worker.process)
    assert len(before) == 2
    time.sleep(0.6)
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    died = time.monotonic()
    while len(children(worker.process) - {killed}) < 2:
        assert time.monotonic() - died < 1
        time.sleep(0.01)
    time.sleep(0.5)
    for _ in range(20):  # different source ports reach both
        assert first(worker.ask("ok.example", timeout_s=1)) == "198.51.100.7"
    left = children(worker.process)
    assert worker.stop() == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in left)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_process_that_was_started_says_that_it_is_ready(start, unbound, tmp_path, monkeypatch, workers) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        monkeypatch.setenv(VARIABLE, str(tmp_path / "notify"))
        worker = start([unbound], workers=workers)
        bound.settimeout(20)
        said, about, _, _ = bound.recvmsg(64, socket.CMSG_SPACE(struct.calcsize("3i")))
        assert (said, struct.unpack("3i", about[0][2])[0]) == (b"READY=1", worker.process.pid)
        for child in children(worker.process):  # those that take their places are no news
            os.kill(child, signal.SIGKILL)
        bound.settimeout(2)
        with pytest.raises(TimeoutError):
            bound.recv(64)


def test_workers_do_not_outlive_their_supervisor(start, unbound) -> None:
    worker = start([unbound], workers=2)
    left = children(worker.process)
    worker.process.kill()
    worker.process.wait()
    end = time.monotonic() + 3
    while any(Path(f"/proc/{pid}").exists() for pid in left):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_taken_port_is_one_clear_line(start, unbound) -> None:
    worker = start([unbound])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        code = (
            "from gateway.dns.worker import run; from gateway.settings import Settings, Dns; import sys;"
            f"sys.exit(run(Settings(state={str(worker.state)!r}, dns=Dns(port={port}, upstreams=('127.0.0.1',)))))"
        )
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "change dns.listen or dns.port" in ended.stderr


def test_run_serves_in_the_same_process_and_ends_cleanly(start, unbound, tmp_path) -> None:
    worker = start([unbound])
    worker.stop()
    code = (
        "from gateway.dns.worker import run; from gateway.settings import Settings, Dns;"
        f"run(Settings(state={str(worker.state)!r}, dns=Dns(port={worker.port}, upstreams=('127.0.0.1:{unbound}',))))"
    )
    worker.process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while not worker.answers():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert first(worker.ask("game.example")) == "0.0.0.0"
    assert worker.stop() == 0


_NAMESPACE_SCRIPT = """
import json, socket, ssl, struct, subprocess, sys, time
import dns.message

config, settings = sys.argv[1], json.loads(sys.argv[1])
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
worker = subprocess.Popen([sys.executable, "-P", "-m", "gateway.dns.worker", config])


def ask(mark, kind):
    query = dns.message.make_query("www.game.example", "TXT", use_edns=0).to_wire()
    tcp = kind != "udp"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as plain:
        plain.setsockopt(socket.SOL_SOCKET, 36, mark)
        plain.settimeout(3)
        plain.connect(("127.0.0.1", settings["tls_port" if kind == "tls" else "port"]))
        client = tls.wrap_socket(plain) if kind == "tls" else plain
        client.send((len(query).to_bytes(2, "big") if tcp else b"") + query)
        answer = dns.message.from_wire(client.recv(4096)[2 if tcp else 0 :])
        client.close()
    return int(answer.options[0].code)


for attempt in range(100):
    try:
        ask(1, "tcp")
        break
    except OSError:
        time.sleep(0.05)
try:
    kinds = ("udp", "udp", "udp", "tcp", "tcp", "tls", "tls")
    print(json.dumps([[ask(mark, kind) for mark in (0, 1, 2, 3)] for kind in kinds]))
finally:
    worker.terminate()
    worker.wait()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace of its own needs root")
def test_the_mark_chooses_the_group_by_udp_and_tcp_and_tls(tmp_path) -> None:
    """Group 1 closes gaming, group 2 does not (no upstream: EDE 22), 3 is unknown (default), 0 has not accepted."""
    group = {"permit": [], "forbid": []}
    groups = {"default": {"mark": 1, "closed": ["gaming"], **group}, "kurs": {"mark": 2, "closed": [], **group}}
    lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example",))]
    publish(tmp_path, compile_snapshot({"version": 1, "block_answer": "zero", "groups": groups}, lists, 1))
    config = DnsConfig(
        ("127.0.0.1",), 5399, 1, (), (), (), "gjest.internal", (), str(tmp_path / "policy" / "current.snapshot"),
        tls_port=5398, tls_certificate=str(tmp_path / "portal.pem"), tls_key=str(tmp_path / "portal.key"),
    )  # fmt: skip
    make_certificate(tmp_path)
    prepare = 'ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_fwmark_accept && exec "$@"'
    command = ["unshare", "-n", "sh", "-c", prepare, "sh", sys.executable, "-c", _NAMESPACE_SCRIPT, config.to_json()]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [[18, 15, 22, 15]] * 7


def test_a_worker_is_lean(start, unbound) -> None:
    """No settings library, no database, no DNS library; and its own memory stays small."""
    code = "import gateway.dns.worker, sys; print([m for m in sys.modules if m in sys.argv[1:]])"
    heavy = ["pydantic", "sqlalchemy", "dns", "scapy", "structlog", "fastapi", "gateway.settings", "gateway.storage"]
    found = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, timeout=20, check=True)
    assert found.stdout.strip() == "[]"
    worker = start([unbound])
    rollup = Path(f"/proc/{worker.process.pid}/smaps_rollup").read_text()
    pss_kb = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    assert pss_kb < 30_000


def test_the_first_question_finds_a_large_policy_in_force(start, unbound, tmp_path) -> None:
    document = {"version": 2, "groups": {"default": {"mark": 1, "closed": ["gaming"]}}}
    lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example",))]
    publish(tmp_path, compile_snapshot(document, lists, 1, sections={"padding": bytes(6 << 20)}))
    worker = start([unbound], policy=False, reload_interval_s=5.0)
    assert first(worker.ask("www.game.example")) == "0.0.0.0"


_ADDRESS_SCRIPT = """
import json, subprocess, sys, time
import dns.exception, dns.message, dns.query

config = sys.argv[1]
worker = subprocess.Popen([sys.executable, "-P", "-m", "gateway.dns.worker", config])


def answers(host):
    query = dns.message.make_query("gjest.internal", "A", use_edns=0)
    try:
        return bool(dns.query.udp(query, host, port=5399, timeout=0.3)) and bool(
            dns.query.tcp(query, host, port=5399, timeout=0.3)
        )
    except (OSError, dns.exception.DNSException):
        return False


def ip(*words):
    subprocess.run(["ip", *words], check=True)


try:
    found = []
    for host, device in (("127.0.0.9", "lo"), ("fd77::1", "lo")):
        address = host + ("/128" if ":" in host else "/32")
        for turn in range(2):
            ip("addr", "add", address, "dev", device)
            found.append(any(answers(host) or time.sleep(0.1) for _ in range(100)))
            ip("addr", "del", address, "dev", device)
            found.append(answers(host))
    print(json.dumps(found))
finally:
    worker.terminate()
    worker.wait()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace of its own needs root")
def test_answers_on_addresses_that_come_and_go(tmp_path) -> None:
    """Bound before the address is there, and still bound when it has come back."""
    config = DnsConfig(
        ("127.0.0.9", "fd77::1"),
        5399,
        1,
        (),
        (),
        (),
        "gjest.internal",
        ("10.9.0.1",),
        str(tmp_path / "current.snapshot"),
    )
    prepare = 'ip link set lo up && ip addr del 127.0.0.1/8 dev lo && exec "$@"'
    command = ["unshare", "-n", "sh", "-c", prepare, "sh", sys.executable, "-c", _ADDRESS_SCRIPT, config.to_json()]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [True, False] * 4
    assert "no address of this machine yet" in ended.stderr


def test_its_version_is_told_only_where_that_is_wanted(start) -> None:
    for version, expected in (("", []), ("gjestenett", ['"gjestenett"'])):
        message = start([], version=version).ask("version.bind", "TXT", rdclass="CH")
        assert message.rcode() == (dns.rcode.NOERROR if version else dns.rcode.REFUSED)
        assert [str(each) for rrset in message.answer for each in rrset] == expected
