"""The captive-portal API, before acceptance, while waiting and online (RFC 8908)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from captive_portal import capport
from gateway.access.status import NOT_ACCEPTED, Status
from gateway.context import Services

API = "/captive-portal/api"


def test_captive_until_a_gateway_lets_the_device_through(
    guest: Any, apply_grants: Callable[[], None], clock: Any
) -> None:
    before = guest.http.get(API)
    assert before.headers["content-type"] == "application/captive+json"
    assert before.headers["cache-control"] == "private"
    assert before.json() == {
        "captive": True,
        "user-portal-url": "http://gjest.internal/",
        "venue-info-url": "http://gjest.internal/status",
        "can-extend-session": False,
    }
    guest.accept()
    assert guest.http.get(API).json()["captive"] is True
    apply_grants()
    clock.advance(timedelta(minutes=30))
    online = guest.http.get(API).json()
    assert online["captive"] is False
    assert online["seconds-remaining"] == 9.5 * 3600
    clock.advance(timedelta(hours=10))
    assert guest.http.get(API).json()["captive"] is True


@pytest.mark.parametrize(
    "accept", ["*/*", "application/captive+json", "application/json, text/html;q=0.1", "nonsense", ""]
)
def test_any_accept_header_will_do(guest: Any, accept: str) -> None:
    answer = guest.http.get(API, headers={"Accept": accept})
    assert answer.status_code == 200
    assert len(answer.text) <= 4096
    assert guest.http.request("HEAD", API).status_code == 200


def test_an_unknown_device_is_captive(gateway_services: Services, make_guest: Any) -> None:
    assert make_guest(gateway_services, "198.51.100.7").http.get(API).json()["captive"] is True


def test_where_nothing_is_enforced_acceptance_is_enough(services: Services, make_guest: Any) -> None:
    guest = make_guest(services, "127.0.0.1")
    assert guest.http.get(API).json()["captive"] is True
    guest.accept()
    assert guest.http.get(API).json()["captive"] is False


NOW = datetime(2026, 11, 27, 8, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "extendable", "expected"),
    [
        (Status("online", "g", "a", "r", NOW, NOW + timedelta(hours=1)), True, True),
        (Status("online", "g", "a", "r", NOW, NOW + timedelta(hours=1)), False, False),
        (Status("accepted", "g", "a", "r", NOW, NOW + timedelta(hours=1)), True, False),
        (NOT_ACCEPTED, True, False),
    ],
)
def test_a_session_can_be_extended_where_there_is_one_and_the_access_layer_allows_it(
    status: Status, extendable: bool, expected: bool
) -> None:
    told = json.loads(capport.document(status, "https://a.no", NOW, enforced=True, extendable=extendable))
    assert told["can-extend-session"] is expected
    assert told["captive"] is (status.state != "online")


@pytest.mark.parametrize("left", [timedelta(seconds=59.9), timedelta(seconds=0.5), timedelta(seconds=-3)])
def test_seconds_remaining_are_whole_and_never_negative(left: timedelta) -> None:
    status = Status("online", "g", "a", "r", NOW, NOW + left)
    told = json.loads(capport.document(status, "https://a.no", NOW, enforced=True))
    assert told["seconds-remaining"] == max(0, int(left.total_seconds()))
