"""No name is told before five devices asked for it, and a device is one device whatever its addresses."""

from collections.abc import Callable

import pytest

from gateway.dns.counters import Cell
from gateway.dns.top_names import DEVICES_MIN, KEY_LIFE_S, NAMES_MAX, Devices, TopNames


class Time:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def saw(time: Time) -> Callable[..., Cell | None]:
    names = TopNames(time, lambda source: source or None)
    cell = Cell()

    def ask(device: int | None, name: str = "game.example", group: str = "default") -> Cell | None:
        source = b"" if device is None else bytes((device,))
        return names.saw(group, "refused", "gaming", name, source, cell)

    ask.names, ask.cell = names, cell  # type: ignore[attr-defined]
    return ask


def told(saw) -> dict[str, int]:
    return {entry.labels[3]: entry.new for entry in saw.names.grown()}


def test_four_devices_tell_nothing_and_five_do(saw) -> None:
    for device in range(4):
        for _ in range(20):
            assert saw(device) is None
    assert told(saw) == {}
    assert saw(4) is not None
    assert told(saw) == {"game.example": 81}


def test_devices_are_counted_by_name_and_group(saw) -> None:
    for device in range(5):
        saw(device, f"game{device}.example")
        saw(device, "other.example", f"group{device}")
    assert told(saw) == {}


def test_who_is_unknown_does_not_count(saw) -> None:
    for _ in range(10):
        saw(None)
    assert told(saw) == {}


def test_kept_answers_count_for_name_and_group_and_only_once(saw) -> None:
    own = [saw(device) for device in range(5)][-1]
    assert own is not None
    own.hits += 3
    assert told(saw) == {"game.example": 8}
    assert saw.cell.hits == 3
    for entry in saw.names.grown():
        entry.new = 0
    assert told(saw) == {}
    assert saw.cell.hits == 3


def test_a_day_later_all_begins_anew_under_another_key(saw, time: Time) -> None:
    for device in range(4):
        saw(device)
    hashes = {each for entry in saw.names._entries.values() for each in entry.devices}
    time.now_s += KEY_LIFE_S
    assert saw(4) is None
    for device in range(3):
        assert saw(device) is None
    assert told(saw) == {}
    assert not hashes & {each for entry in saw.names._entries.values() for each in entry.devices}


def test_devices_are_forgotten_as_soon_as_they_are_enough(saw) -> None:
    for device in range(DEVICES_MIN):
        saw(device)
    assert [entry.devices for entry in saw.names._entries.values()] == [None]


def test_a_group_that_is_switched_off_is_forgotten(saw) -> None:
    for device in range(5):
        saw(device)
        saw(device, group="course")
    saw.names.keep({"course"})
    assert [entry.labels[0] for entry in saw.names.grown()] == ["course"]


def test_memory_is_bounded(saw) -> None:
    for number in range(NAMES_MAX + 100):
        saw(1, f"game{number}.example")
    assert len(saw.names._entries) == NAMES_MAX


def test_addresses_without_a_link_layer_address_are_nobody_but_on_loopback(time: Time) -> None:
    devices = Devices(time)
    assert devices.identify(bytes((127, 0, 0, 9))) == bytes((127, 0, 0, 9))
    assert devices.identify(bytes.fromhex("fe800000000000000000000000000001")) is None  # on which link?
    devices.close()


def test_a_name_too_long_to_be_told_is_counted_for_its_group_only(saw) -> None:
    long = ".".join(["\\255" * 60] * 4)
    for device in range(6):
        assert saw(device, long) is saw.cell, "its answers may be kept"
    assert told(saw) == {}
    for device in range(5):
        saw(device, "a" * 253)
    assert list(told(saw)) == ["a" * 253]
