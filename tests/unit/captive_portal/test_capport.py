"""The captive-portal API, before acceptance, while waiting and online (RFC 8908)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

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
