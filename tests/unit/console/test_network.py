"""The page that says what DHCP may announce, or why not; and the warning on IT's first page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from captive_portal.console.network import SYSTEMS, WHY
from gateway.announcement import REMEDIES
from gateway.announcement_files import FILES
from gateway.settings import Enforcement, Portal, Settings
from tests.lab.certificates import Authority
from tests.unit.console.conftest import World

HOST = "gjest.example.no"
URI = f"https://{HOST}/captive-portal/api"
LATE = "Devices find the guest pages late"


@pytest.fixture
def enforcing(tmp_path: Path) -> Iterator[World]:
    """A console of a gateway that enforces, without its certificate yet."""
    portal = Portal(hostname=HOST, tls_certificate=tmp_path / "portal.pem", tls_key=tmp_path / "portal.key")
    settings = Settings(state=tmp_path, portal=portal, enforcement=Enforcement(enabled=True))
    made = World(settings, now=datetime.now(UTC))
    made.publish_all()
    yield made
    made.services.database.close()


def issue(world: World, lasts: timedelta, name: str = HOST) -> None:
    folder = world.settings.state
    Authority(folder).issue([name], folder / "portal.pem", folder / "portal.key", lasts)


def test_it_is_warned_on_the_first_page_until_devices_would_believe_the_certificate(enforcing: World) -> None:
    browser = enforcing.signed_in("it")
    text = browser.get("/devices").text
    assert LATE in text
    assert WHY["unreadable"] in text
    assert 'href="/network"' in text
    issue(enforcing, timedelta(days=30), "other.example.no")
    assert WHY["other_name"] in browser.get("/devices").text
    issue(enforcing, timedelta(days=30))
    assert LATE not in browser.get("/devices").text


def test_the_page_has_the_lines_to_copy_only_while_they_may_be_used(enforcing: World) -> None:
    browser = enforcing.signed_in("it")
    issue(enforcing, timedelta(days=30))
    text = browser.get("/network").text
    assert "May be announced" in text
    assert text.count(URI) == 1 + 1 + len(FILES)  # dnsmasq has two lines
    assert "expires soon" not in text
    issue(enforcing, timedelta(days=3))
    assert "expires soon" in browser.get("/network").text
    issue(enforcing, timedelta(hours=-1))
    text = browser.get("/network").text
    assert WHY["expired"] in text
    assert "dhcp-option-force" not in text


def test_monitoring_sees_it_too(enforcing: World) -> None:
    browser = enforcing.signed_in("it")
    assert "gjestenett_portal_uri_withheld 1.0" in browser.get("/metrics").text
    issue(enforcing, timedelta(days=30))
    text = browser.get("/metrics").text
    assert "gjestenett_portal_uri_withheld 0.0" in text
    [value] = re.findall(r"^gjestenett_portal_certificate_expires_timestamp_seconds (\S+)$", text, re.MULTILINE)
    assert abs(float(value) - (enforcing.now + timedelta(days=30)).timestamp()) < 60


def test_where_nothing_is_controlled_there_is_no_warning(world: World) -> None:
    world.publish_all()
    browser = world.signed_in("it")
    assert LATE not in browser.get("/devices").text
    assert WHY["not_enforced"] in browser.get("/network").text


def test_the_auditor_has_other_pages(enforcing: World) -> None:
    assert enforcing.signed_in("auditor").get("/network").status_code == 403


def test_every_reason_and_every_system_has_its_words() -> None:
    assert set(WHY) == set(REMEDIES)
    assert set(SYSTEMS) == set(FILES)
