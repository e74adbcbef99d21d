"""A real portal process and a real Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from gateway.audit.sealer import seal_staged
from gateway.clock import utc_now
from gateway.context import Services
from gateway.installation import prepare, read_signing_key
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.settings import load
from gateway.storage import generations, grants
from tests.browser.service import free_port, serving
from tests.migrated import put_sqlite

CHROMIUM = shutil.which("chromium")
PROBE_HOST = "captive.apple.com"


class RunningPortal:
    """A portal on loopback over its own state, and the database behind it."""

    def __init__(self, url: str, services: Services) -> None:
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.services = services

    def apply_grants(self) -> None:
        """What the enforcer does with the database: say that every open grant is in the kernel."""
        place, now = self.services.place, utc_now()
        with self.services.database.write() as session:
            wanted = [row[0] for row in grants.grants_of_gateway(session, place.gateway_id, now)]
            grants.record_applied(session, place.gateway_id, wanted, [], now)

    def seal(self) -> None:
        """What the sealer does: order everything that is staged and sign."""
        place, signer = self.services.place, read_signing_key(self.services.settings)
        while seal_staged(self.services.database, place.owner_id, place.log_origin, signer, utc_now()):
            pass


@contextmanager
def running_portal(folder: Path, more: str = "") -> Iterator[RunningPortal]:
    """A portal over its own state in `folder`, told that its network is enforced; guests come from loopback.

    `more` is TOML that stands under `[portal]`, and may begin other tables.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = folder / "gjestenett.toml"
    config.write_text(
        f'[owner]\nname = "Fjellbygda kommune"\nhelpdesk_phone = "61 00 00 00"\nhelpdesk_hours = "8–15"\n'
        f'[enforcement]\nenabled = true\nguest_interfaces = ["lo"]\nuplink = "wan0"\n'
        f'[portal]\nport = {port}\npublic_url = "{url}"\nask_contact = "optional"\n{more}'
    )
    state = folder / "state"
    put_sqlite(state / "gjestenett.sqlite3")
    services = prepare(load(config, state), utc_now)
    _compile_policy(services)
    with closing(services.database), serving(config, state, {"portal": port}):
        yield RunningPortal(url, services)


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[RunningPortal]:
    """A portal that is told that its network is enforced; guests come from loopback."""
    with running_portal(tmp_path) as running:
        yield running


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """Debian's Chromium, also as root; where it is missing the test is skipped, and fails under CI."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is missing; install the package chromium")
        pytest.skip("chromium is missing; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a module, one after the other."""
    with launched() as browser:
        yield browser


@pytest.fixture
def chromium(portal: RunningPortal) -> Iterator[Browser]:
    """Chromium for which the connectivity check's host is the portal, as the redirect of TCP/80 makes it."""
    with launched(f"--host-resolver-rules=MAP {PROBE_HOST}:80 127.0.0.1:{portal.port}") as browser:
        yield browser


def _compile_policy(services: Services) -> None:
    """What jobs does with the policy in force."""
    with services.database.read() as session:
        standing = generations.in_force(session, services.place.owner_id)
    assert standing is not None
    publish(services.settings.state, compile_policy(standing.document, standing.generation))
