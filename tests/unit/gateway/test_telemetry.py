"""What a worker sends is read; what it would not send is not; Prometheus can read the sum."""

import json
import os
import socket
import time

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway import collection
from gateway.collection import collecting
from gateway.dns.upstreams.address import parse_server
from gateway.telemetry import Totals, answers_in, read_report
from policies.names import from_labels

WORKER = "0123456789abcdef"


LONG_NAME = from_labels([b"\xff" * 60] * 4)  # 245 octets on the wire, and nearly a thousand characters
LONGEST_PATH = "/~" + "a" * 199
LONGEST_UPSTREAM = str(parse_server(f"https://[2001:db8:{'ffff:' * 5}ffff]:65535{LONGEST_PATH}#dns.example"))


def datagram(**content) -> bytes:
    return json.dumps({"v": 1, "worker": WORKER, **content}).encode()


@pytest.mark.parametrize(
    "octets",
    [b"", b"\xff", b"[]", b"null", b"{}", b'{"v": 2}', b"[" * 100_000, datagram(counts=7), datagram(counts=[3]),
     datagram(gauges=[["connections_open", "tcp", 10**400]]),
     json.dumps({"v": 1, "worker": "../etc", "counts": []}).encode()],
)  # fmt: skip
def test_what_is_no_report_is_none(octets: bytes) -> None:
    assert read_report(octets) is None


@pytest.mark.parametrize(
    "row",
    [
        ["answers", "default", "refused", "www.game.example", 1],  # a name as a label
        ["answers", "kari.example", "refused", "gaming", 1],
        ["answers", "default", "refused", 1],
        ["answers", "default", "refused", "gaming", -1],
        ["answers", "default", "refused", "gaming", True],
        ["answers", "default", "refused", "gaming", 1 << 60],
        ["answers", "default", "refused", "gaming", 1.5],
        ["upstream", "192.0.2.1:53", "asked.example", 1],
        ["secrets", "x", 1],
        [1],
        ["answers", 3, "refused", "gaming", 1],
    ],
)
def test_rows_that_no_worker_sends_are_left_out(row) -> None:
    report = read_report(datagram(counts=[row, ["unusable", 2]]))
    assert report is not None
    assert report.counts == {("unusable",): 2}


@pytest.mark.parametrize(
    "row",
    [
        ["default", "answered", "gaming", "game.example", 1],  # only refused and judged names are ever told
        ["default", "refused", "nonsense", "game.example", 1],
        ["default", "refused", "gaming", "GAME.example", 1],
        ["default", "refused", "gaming", "no name", 1],
        ["default", "refused", "gaming", "game.example", 0],
        ["default", "refused", "gaming", LONG_NAME, 1],
    ],
)
def test_names_that_no_worker_sends_are_left_out(row) -> None:
    report = read_report(datagram(names=[row]))
    assert report is not None
    assert report.names == {}


def read(totals: Totals) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(totals)
    text = generate_latest(registry).decode()
    return {
        (
            sample.name.removeprefix("gjestenett_dns_"),
            *(sample.labels[key] for key in sorted(sample.labels)),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_reports_of_several_workers_add_up() -> None:
    totals = Totals()
    for worker in (WORKER, WORKER[::-1]):
        octets = json.dumps(
            {
                "v": 1,
                "worker": worker,
                "counts": [
                    ["answers", "course", "refused", "gaming", 3],
                    ["latency", "0", 2],
                    ["latency", "13", 1],
                    ["latency_us", 6_000_000],
                    ["upstream", "[2001:db8::1]:53", "asked", 4],
                ],
                "gauges": [["connections_open", "tls", 2.0]],
            }
        ).encode()
        report = read_report(octets)
        assert report is not None
        assert list(answers_in(report)) == [(("course", "refused", "gaming"), 3)]
        totals.add(report, 100.0)
    found = read(totals)
    assert found["answers_total", "gaming", "course", "refused"] == 6
    assert found["upstream_total", "asked", "[2001:db8::1]:53"] == 8
    assert found["connections_open", "tls"] == 4
    assert found["latency_seconds_bucket", "0.0005"] == 4
    assert found["latency_seconds_bucket", "5.0"] == 4
    assert found["latency_seconds_bucket", "+Inf"] == found["latency_seconds_count",] == 6
    assert found["latency_seconds_sum",] == 12


def test_figures_of_a_worker_that_is_gone_end() -> None:
    totals = Totals()
    report = read_report(datagram(gauges=[["connections_open", "tcp", 2]]))
    assert report is not None
    totals.add(report, 100.0)
    other = read_report(json.dumps({"v": 1, "worker": "f" * 16, "counts": []}).encode())
    assert other is not None
    totals.add(other, 161.0)
    assert ("connections_open", "tcp") not in read(totals)


def test_a_fault_of_ours_does_not_end_the_collection(tmp_path, caplog) -> None:
    taken: list[bytes] = []

    class Faulty:
        def take(self, octets: bytes) -> None:
            taken.append(octets)
            raise KeyError("secret.example")

        def store(self) -> bool:
            return True

    path = tmp_path / ("long" * 30) / "c.sock"
    path.parent.mkdir()
    with collecting(path, Faulty()), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:  # type: ignore[arg-type]
        assert path.stat().st_mode & 0o777 == 0o660
        folder = os.open(path.parent, os.O_PATH)
        for number in range(3):
            sender.sendto(b"%d" % number, f"/proc/self/fd/{folder}/c.sock")
        os.close(folder)
    assert taken == [b"0", b"1", b"2"][: len(taken)]
    assert taken
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("upstream", [LONGEST_UPSTREAM, "https://192.0.2.1:443/~dns", "[fe80::1%eth0.10]:53"])
def test_every_upstream_that_can_be_set_has_figures(upstream: str) -> None:
    report = read_report(datagram(counts=[["upstream", upstream, "asked", 1]], gauges=[["upstream_up", upstream, 1]]))
    assert report is not None
    assert report.counts == {("upstream", upstream, "asked"): 1}
    assert report.gauges == {("upstream_up", upstream): 1.0}


def test_neither_a_receiver_that_fails_nor_a_disk_ends_the_collection(tmp_path, monkeypatch, caplog) -> None:
    taken: list[bytes] = []
    monkeypatch.setattr(collection, "_LOOK_EVERY_S", 0.01)

    class Faulty:
        def take(self, octets: bytes) -> None:
            taken.append(octets)
            raise OSError(28, "No space left on device")

        def store(self) -> bool:
            raise OSError(28, "No space left on device")

    class FailingOnce(socket.socket):
        failed = False

        def recv(self, *arguments: int) -> bytes:
            if not self.failed:
                type(self).failed = True
                raise OSError(12, "Cannot allocate memory")
            return super().recv(*arguments)

    monkeypatch.setattr(collection.socket, "socket", FailingOnce)
    path = tmp_path / "c.sock"
    with collecting(path, Faulty()):  # type: ignore[arg-type]
        monkeypatch.undo()
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for octets in (b"1", b"2"):
            sender.sendto(octets, str(path))
            deadline = time.monotonic() + 10
            while octets not in taken and time.monotonic() < deadline:
                time.sleep(0.01)
        sender.close()
    assert taken == [b"1", b"2"]
    assert FailingOnce.failed
    assert "Cannot allocate memory" in caplog.text


def test_where_the_socket_cannot_be_made_the_rest_goes_on(tmp_path, caplog) -> None:
    with collecting(tmp_path / "missing" / "c.sock", None):  # type: ignore[arg-type]
        pass
    assert "DNS is not counted" in caplog.text
