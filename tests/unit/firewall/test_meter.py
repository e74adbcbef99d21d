from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.firewall.meter import Meter, Octets
from gateway.firewall.plan import Device

A, B = Device("guest0", "02:00:00:00:00:01"), Device("guest0", "02:00:00:00:00:02")


def test_what_passed_before_the_first_reading_is_nobodys() -> None:
    meter = Meter()
    meter.read({A: Octets(500, 900)}, {A: "g"})
    assert meter.due == {}
    meter.read({A: Octets(510, 1000)}, {A: "g"})
    assert meter.due == {"g": Octets(10, 100)}


def test_a_counter_that_went_down_began_anew() -> None:
    meter = Meter()
    meter.read({A: Octets(500, 900)}, {A: "g"})
    meter.read({A: Octets(20, 30)}, {A: "g"})
    assert meter.due == {"g": Octets(20, 30)}
    meter.read({}, {A: "g"})  # forgotten by the kernel after its silence
    meter.read({A: Octets(25, 40)}, {A: "g"})
    assert meter.due == {"g": Octets(45, 70)}


def test_octets_are_of_the_grant_that_the_device_has_then() -> None:
    meter = Meter()
    meter.read({}, {})
    meter.read({A: Octets(10, 10), B: Octets(5, 5)}, {A: "one"})
    meter.read({A: Octets(30, 40), B: Octets(9, 9)}, {A: "two", B: "other"})
    assert meter.due == {"one": Octets(10, 10), "two": Octets(20, 30), "other": Octets(4, 4)}


def test_what_could_not_be_written_down_waits() -> None:
    meter = Meter()
    meter.read({}, {})
    meter.read({A: Octets(10, 10)}, {A: "g"})
    told = meter.due
    meter.read({A: Octets(15, 20)}, {A: "g"})
    meter.taken(told)
    assert meter.due == {"g": Octets(5, 10)}
    meter.taken(meter.due)
    assert meter.due == {}


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.booleans()), max_size=20))
def test_all_that_is_counted_after_the_first_reading_is_told_once(steps: list[tuple[int, int, bool]]) -> None:
    meter, sent, received, told = Meter(), 7, 11, [0, 0]
    meter.read({A: Octets(sent, received)}, {A: "g"})
    for more_sent, more_received, writes in steps:
        sent, received = sent + more_sent, received + more_received
        meter.read({A: Octets(sent, received)}, {A: "g"})
        if writes:
            due = meter.due
            told = [before + more for before, more in zip(told, due.get("g", (0, 0)), strict=True)]
            meter.taken(due)
    left = meter.due.get("g", Octets(0, 0))
    assert (told[0] + left.sent, told[1] + left.received) == (sent - 7, received - 11)
