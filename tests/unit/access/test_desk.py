"""Stages of a device at the help desk, and until when staff may extend a grant: the pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.admission import LONGEST
from gateway.access.desk import Caller, stage
from gateway.access.lengthening import latest
from gateway.storage.desk import Access

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LINK_LOCAL, REAL = ip_address("fe80::1"), ip_address("192.0.2.9")
IN, WAITING = Access("g", NOW, True), Access("g", NOW, False)
NOTHING = {"addresses": (), "is_heard": False, "access": None, "is_asking": False, "was_in": False, "enforced": True}
HERE = {"is_heard": True, "addresses": (LINK_LOCAL, REAL)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "absent"),
        ({"was_in": True}, "absent"),
        ({"is_heard": True, "addresses": (LINK_LOCAL,)}, "joined"),
        ({"is_heard": True, "addresses": (LINK_LOCAL,), "was_in": True}, "joined"),
        ({"is_heard": True, "addresses": (ip_address("169.254.3.4"),)}, "joined"),
        (HERE, "address"),
        (HERE | {"was_in": True}, "ended"),
        (HERE | {"is_asking": True}, "asking"),
        ({"is_asking": True}, "asking"),
        (HERE | {"access": WAITING}, "waiting"),
        (HERE | {"access": WAITING, "enforced": False}, "recorded"),
        (HERE | {"access": IN, "is_asking": True}, "online"),
        ({"access": IN}, "asleep"),
    ],
)
def test_stages(facts, expected):
    assert stage(**(NOTHING | facts)) == expected


@pytest.mark.parametrize(("mac", "private"), [("02:00:00:00:00:01", True), ("da:a1:19:00:00:01", True),
                                              ("00:1a:2b:3c:4d:5e", False), ("3c:22:fb:00:00:01", False)])  # fmt: skip
def test_addresses_that_a_phone_made_up_are_known_as_such(mac, private):
    assert Caller(mac, "", "absent").has_private_address == private


@given(st.integers(-48, 48), st.integers(1, 24), st.none() | st.integers(-5, 48), st.booleans())
def test_an_extension_never_passes_the_course_or_the_longest_time(since, longest, course, admitted):
    starts_at, most = NOW - timedelta(hours=since), timedelta(hours=longest)
    ends = None if course is None else NOW + timedelta(hours=course)
    until = latest(starts_at, ends, admitted=admitted, longest=most, now=NOW)
    if admitted:
        assert until == NOW + LONGEST
    else:
        assert until <= starts_at + most
        assert ends is None or until <= ends
        assert until in (starts_at + most, ends)
