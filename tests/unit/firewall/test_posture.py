from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.firewall.plan import Entry
from gateway.firewall.posture import Intent, Outage, Posture, make_posture, next_end, render_posture

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON, LATER = NOW + timedelta(seconds=30), NOW + timedelta(hours=2)
MAC = "02:00:00:00:00:01"


def outage(interface: str = "guest0", mode: str = "closed", mark: int = 3, ends_at: datetime = LATER) -> Outage:
    return Outage(f"n-{interface}", interface, mode, mark, ends_at)  # type: ignore[arg-type]


def test_as_usual_nothing_is_closed_open_or_kept_out() -> None:
    assert make_posture(Intent(), NOW) == Posture()
    assert render_posture(Posture(), NOW).splitlines() == [
        "flush set inet gjestenett closed_networks",
        "flush map inet gjestenett open_networks",
        "flush set inet gjestenett blocked_devices",
        "add element inet gjestenett blocked_devices { 00:00:00:00:00:00 }",
    ]


def test_what_stands_is_put_in_place_of_what_was() -> None:
    intent = Intent((), (outage(), outage("guest1", "rules_only", 7)), {MAC: SOON})
    posture = make_posture(intent, NOW)
    assert posture == Posture(frozenset({"guest0"}), {"guest1": Entry(7, LATER)}, frozenset({MAC}))
    assert posture.networks == {"guest0": "closed", "guest1": "rules_only"}
    assert render_posture(posture, NOW).splitlines() == [
        "flush set inet gjestenett closed_networks",
        'add element inet gjestenett closed_networks { "guest0" }',
        "flush map inet gjestenett open_networks",
        'add element inet gjestenett open_networks { "guest1" timeout 7200000ms : 7 }',
        "flush set inet gjestenett blocked_devices",
        f"add element inet gjestenett blocked_devices {{ 00:00:00:00:00:00, {MAC} }}",
    ]


def test_what_is_over_is_as_usual() -> None:
    intent = Intent((), (outage(ends_at=NOW), outage("guest1", "rules_only", ends_at=SOON)), {MAC: NOW})
    assert make_posture(intent, NOW) == Posture(open={"guest1": Entry(3, SOON)})
    assert next_end(intent, NOW) == SOON
    assert make_posture(intent, SOON) == Posture()
    assert next_end(intent, SOON) is None


@pytest.mark.parametrize("mark", [0, -1, 0x8000_0000])
def test_a_mark_that_is_none_opens_nothing(mark: int) -> None:
    assert make_posture(Intent((), (outage(mode="rules_only", mark=mark),)), NOW) == Posture()


@given(st.text(max_size=20), st.text(max_size=20))
def test_nothing_that_is_stored_can_spoil_the_script(interface: str, mac: str) -> None:
    posture = make_posture(Intent((), (outage(interface), outage(interface, "rules_only")), {mac: LATER}), NOW)
    for line in render_posture(posture, NOW).splitlines():
        assert line.startswith(("flush ", "add element inet gjestenett "))
        assert line.count("{") == line.count("}") <= 1
