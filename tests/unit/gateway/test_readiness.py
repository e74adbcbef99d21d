"""Saying that a service is ready: to a supervisor's ear, to a socket as systemd's, and to nobody."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.readiness import VARIABLE, Ear, say_ready


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.close()


def test_a_service_is_heard_once_and_forgets_whom_it_told(ear, monkeypatch):
    assert not ear.hears_ready()
    monkeypatch.setenv(VARIABLE, ear.address)
    say_ready()
    assert VARIABLE not in os.environ
    assert ear.hears_ready()
    assert not ear.hears_ready()


def test_each_service_is_heard_for_itself(ear, monkeypatch):
    other = Ear()
    monkeypatch.setenv(VARIABLE, other.address)
    say_ready()
    assert not ear.hears_ready()
    assert other.hears_ready()
    other.close()


def test_what_else_is_said_is_no_readiness(ear):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect("\0" + ear.address[1:])
        for said in (b"STATUS=READY=1 soon", b"READY=10", b""):
            out.send(said)
        assert not ear.hears_ready()
        out.send(b"STATUS=serving\nREADY=1\n")
    assert ear.hears_ready()


def test_a_socket_with_a_path_is_told_as_systemd_has_it(tmp_path: Path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        monkeypatch.setenv(VARIABLE, str(tmp_path / "notify"))
        say_ready()
        assert bound.recv(64) == b"READY=1"


def test_where_nobody_listens_nothing_happens(tmp_path: Path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    say_ready()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    say_ready()
