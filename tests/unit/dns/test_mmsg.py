"""Batches in and out, by both kinds of socket, for both families."""

import socket
import time
from collections.abc import Iterator

import pytest

from gateway.dns import mmsg


@pytest.fixture(params=[mmsg.BatchSocket, mmsg.PlainSocket])
def kind(request: pytest.FixtureRequest) -> type[mmsg.AnySocket]:
    return request.param


@pytest.fixture(params=["127.0.0.1", "::1"])
def pair(request: pytest.FixtureRequest, kind: type[mmsg.AnySocket]) -> Iterator[tuple[mmsg.AnySocket, socket.socket]]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server, socket.socket(family, socket.SOCK_DGRAM) as client:
        server.bind((request.param, 0))
        server.setblocking(False)
        assert mmsg.enable_marks(server)
        client.connect(server.getsockname())
        client.settimeout(2)
        yield kind(server), client


def receive(batch: mmsg.AnySocket) -> int:
    for _ in range(100):
        if count := batch.receive():
            return count
        time.sleep(0.01)
    raise AssertionError("nothing came")


def test_nothing_waiting(pair) -> None:
    assert pair[0].receive() == 0


def test_order_lengths_and_redirection(pair) -> None:
    batch, client = pair
    for text in (b"one", b"three", b""):
        client.send(text)
    assert receive(batch) == 3
    assert batch.lengths_of(3) == [3, 5, 0]
    assert bytes(batch.incoming[512:517]) == b"three"
    assert batch.marks_of(3) == [0, 0, 0]
    batch.outgoing[:5] = b"reply"
    batch.out_lengths[1] = 5
    batch.direct(0, 2)
    assert batch.send(1) == 0
    assert client.recv(100) == b"reply"


def test_marks_do_not_stay_from_the_batch_before(pair) -> None:
    batch, client = pair
    try:
        client.setsockopt(socket.SOL_SOCKET, 36, 7)
    except PermissionError:
        pytest.skip("setting SO_MARK needs CAP_NET_ADMIN")
    client.send(b"marked")
    assert receive(batch) == 1
    assert batch.marks_of(1) == [7]
    client.setsockopt(socket.SOL_SOCKET, 36, 0)
    client.send(b"plain")
    assert receive(batch) == 1
    assert batch.marks_of(1) == [0]


def test_over_long_is_told(pair) -> None:
    batch, client = pair
    client.send(bytes(2000))
    client.send(b"short")
    assert receive(batch) == 2
    assert batch.lengths_of(2) == [512, 5]
    assert [batch.was_truncated(0), batch.was_truncated(1)] == [True, False]
    client.send(b"short")
    assert receive(batch) == 1
    assert not batch.was_truncated(0)


def test_single_answer(pair) -> None:
    batch, client = pair
    client.send(b"x")
    receive(batch)
    assert batch.send_one(batch.sender(0), b"later")
    assert client.recv(100) == b"later"


@pytest.mark.parametrize("address", [("192.0.2.1", 53), ("2001:db8::1", 5353, 0, 0), ("fe80::1", 53, 0, 3)])
def test_addresses(address) -> None:
    assert mmsg.decode_address(mmsg.encode_address(address)) == address
