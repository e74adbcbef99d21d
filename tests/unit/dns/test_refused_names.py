"""Notes of refused names: only while they are asked for, only of whom they are asked for, for two minutes at most."""

from __future__ import annotations

import json

import pytest

from gateway.dns.refused_channel import packed, read_request
from gateway.dns.refused_names import LONGEST_S, NAMES_MAX, WATCHES_MAX, Noted, RefusedNames

PHONE, PHONE6, LAPTOP = packed("192.0.2.7"), packed("2001:db8::7"), packed("192.0.2.8")
KEY, OTHER = "a" * 32, "b" * 32
GAME = ("refused", "www.game.example", "game.example", "gaming")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notes(clock: Clock) -> RefusedNames:
    return RefusedNames(clock)


def test_nothing_is_noted_until_somebody_asks(notes: RefusedNames) -> None:
    notes.saw(PHONE, *GAME)
    assert not notes.addresses
    assert notes.watch(KEY, [PHONE], LONGEST_S) == ()


def test_refusals_of_all_addresses_of_the_device_are_noted_once_each_and_of_nobody_else(notes: RefusedNames) -> None:
    notes.watch(KEY, [PHONE, PHONE6], LONGEST_S)
    notes.saw(PHONE, *GAME)
    notes.saw(PHONE6, *GAME)
    notes.saw(PHONE, "answered", "ok.example", "ok.example", "")
    notes.saw(PHONE6, "judged_refused", "casino.example", "casino.example", "gambling")
    notes.saw(LAPTOP, "refused", "other.example", "other.example", "dating")
    assert notes.watch(KEY, [PHONE, PHONE6], 100.0) == (
        Noted("www.game.example", "game.example", "gaming"),
        Noted("casino.example", "casino.example", "gambling"),
    )
    assert notes.watch(OTHER, [LAPTOP], LONGEST_S) == ()


def test_two_minutes_are_never_made_longer(notes: RefusedNames, clock: Clock) -> None:
    notes.watch(KEY, [PHONE], 3000.0)
    notes.saw(PHONE, *GAME)
    clock.now_s += LONGEST_S - 1
    assert len(notes.watch(KEY, [PHONE], LONGEST_S)) == 1
    clock.now_s += 1
    notes.saw(PHONE, "refused", "late.example", "late.example", "gaming")
    notes.forget_ended()
    assert not notes.addresses
    assert notes.next_end_s() is None
    assert notes.watch(KEY, [PHONE], 0.0) == ()


def test_asking_for_no_more_time_ends_it(notes: RefusedNames) -> None:
    notes.watch(KEY, [PHONE], 60.0)
    notes.saw(PHONE, *GAME)
    assert len(notes.watch(KEY, [PHONE], 0.0)) == 1
    assert not notes.addresses
    assert notes.watch(KEY, [PHONE], 60.0) == ()


def test_a_device_that_changes_its_address_is_followed(notes: RefusedNames) -> None:
    notes.watch(KEY, [PHONE], 60.0)
    notes.watch(KEY, [PHONE6], 60.0)
    notes.saw(PHONE, *GAME)
    assert notes.watch(KEY, [PHONE6], 60.0) == ()


def test_the_hot_path_is_told_when_it_begins_and_ends(clock: Clock) -> None:
    told: list[bool] = []
    notes = RefusedNames(clock)
    notes.changed = lambda: told.append(bool(notes.addresses))
    notes.watch(KEY, [PHONE], 60.0)
    notes.watch(OTHER, [LAPTOP], 60.0)
    notes.watch(KEY, [PHONE], 0.0)
    notes.watch(OTHER, [LAPTOP], 0.0)
    assert told == [True, False]


def test_names_and_watches_are_bounded(notes: RefusedNames) -> None:
    for number in range(WATCHES_MAX + 5):
        notes.watch(f"{number:032x}", [bytes((10, 0, 0, number))], 60.0)
    assert len(notes.addresses) == WATCHES_MAX
    for number in range(NAMES_MAX + 5):
        notes.saw(bytes((10, 0, 0, 1)), "refused", f"n{number}.example", "example", "gaming")
    assert len(notes.watch(f"{1:032x}", [], 1.0)) == NAMES_MAX


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\xff", b"[]", b"3", b"{}", b"[" * 5000,
        *(
            json.dumps({"v": 1, "key": KEY, "addresses": ["192.0.2.7"], "for_s": 60} | change).encode()
            for change in (
                {"v": 2}, {"key": "../x"}, {"key": 3}, {"addresses": ["nobody"]}, {"addresses": 3}, {"for_s": "x"},
                {"for_s": -1}, {"for_s": 1e9}, {"for_s": True}, {"for_s": None},
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        read_request(line)


def test_a_request_is_read_with_zones_and_mapped_addresses() -> None:
    written = {"v": 1, "key": KEY, "addresses": ["fe80::1%guest0", "::ffff:192.0.2.7"], "for_s": 9}
    key, addresses, for_s = read_request(json.dumps(written).encode())
    assert (key, for_s) == (KEY, 9.0)
    assert addresses == [packed("fe80::1"), PHONE]
