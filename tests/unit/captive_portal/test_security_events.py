"""What is refused on the console is told in the service's log: without names, and not without end."""

from __future__ import annotations

import logging

import pytest

from captive_portal.security_events import LOGGER, PER_MINUTE, SecurityEvents


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING, LOGGER)
    return lambda: [record.getMessage() for record in caplog.records if record.name == LOGGER]


def test_an_event_is_a_line_of_route_and_network(lines):
    SecurityEvents().note("forbidden", "/setup/{token}", "2001:db8::1:2:3:4")
    assert lines() == ["event=forbidden route=/setup/{token} from=2001:db8::/64"]


def test_a_flood_is_counted_and_told_when_it_is_over(lines):
    now = [0.0]
    events = SecurityEvents(lambda: now[0])
    for _ in range(PER_MINUTE + 25):
        events.note("attempt_failed", "/sign-in", "192.0.2.1")
    assert len(lines()) == PER_MINUTE
    now[0] = 59.9
    events.note("attempt_failed", "/sign-in", "192.0.2.1")
    assert len(lines()) == PER_MINUTE
    now[0] = 60.0
    events.note("attempt_failed", "/sign-in", "192.0.2.1")
    assert lines()[PER_MINUTE:] == [
        "event=left_out count=26",
        "event=attempt_failed route=/sign-in from=192.0.2.1",
    ]
