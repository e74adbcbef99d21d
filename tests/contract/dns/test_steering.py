"""The kernel leads a device's questions to one worker by its mark, and all others to whichever it likes."""

import os
import socket
from collections import Counter

import pytest

from gateway.dns.server import bind
from gateway.dns.steering import steer
from gateway.dns.unaccepted import DEVICE_MARK

_SO_MARK = 36
WORKERS = 4


@pytest.fixture(params=["127.0.0.1", "::1"])
def group(request: pytest.FixtureRequest):
    first = bind(request.param, 0, socket.SOCK_DGRAM)
    port = first.getsockname()[1]
    sockets = [first, *(bind(request.param, port, socket.SOCK_DGRAM) for _ in range(WORKERS - 1))]
    for one in sockets:
        steer(one, WORKERS)
    yield sockets
    for one in sockets:
        one.close()


def reached(group: list[socket.socket], mark: int, times: int) -> Counter[int]:
    """How many datagrams of that mark each socket gets, every one from a port of its own."""
    for _ in range(times):
        with socket.socket(group[0].family, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, _SO_MARK, mark if mark < 1 << 31 else mark - (1 << 32))
            sender.sendto(b"x", group[0].getsockname())
    found: Counter[int] = Counter()
    for index, one in enumerate(group):
        while True:
            try:
                one.recv(9)
            except BlockingIOError:
                break
            found[index] += 1
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="setting a mark needs root")
def test_a_device_goes_to_one_worker_and_an_accepted_group_to_all(group) -> None:
    homes = {device: reached(group, DEVICE_MARK | device, 20) for device in range(8)}
    assert all(len(home) == 1 for home in homes.values())
    assert {index for home in homes.values() for index in home} == set(range(WORKERS))
    for mark in (0, 1, 0xFFFF):
        assert set(reached(group, mark, 200)) == set(range(WORKERS))


@pytest.mark.skipif(os.geteuid() != 0, reason="setting a mark needs root")
def test_a_worker_that_is_gone_loses_no_question(group) -> None:
    group.pop().close()
    for device in range(8):
        assert reached(group, DEVICE_MARK | device, 20).total() == 20


@pytest.mark.skipif(os.geteuid() != 0, reason="setting a mark needs root")
def test_a_device_goes_to_one_worker_by_tcp_too() -> None:
    first = bind("127.0.0.1", 0, socket.SOCK_STREAM)
    port = first.getsockname()[1]
    listeners = [first, *(bind("127.0.0.1", port, socket.SOCK_STREAM) for _ in range(WORKERS - 1))]
    try:
        for one in listeners:
            one.listen(64)
            steer(one, WORKERS)
        for mark, homes in ((DEVICE_MARK | 5, 1), (DEVICE_MARK | 6, 1), (1, WORKERS)):
            clients = [_connected(port, mark) for _ in range(40)]
            assert len(_accepted(listeners)) == homes
            for client in clients:
                client.close()
    finally:
        for one in listeners:
            one.close()


def _connected(port: int, mark: int) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, _SO_MARK, mark if mark < 1 << 31 else mark - (1 << 32))
    client.connect(("127.0.0.1", port))
    return client


def _accepted(listeners: list[socket.socket]) -> set[int]:
    found = set()
    for index, one in enumerate(listeners):
        while True:
            try:
                one.accept()[0].close()
            except BlockingIOError:
                break
            found.add(index)
    return found
