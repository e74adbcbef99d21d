"""A console over a real SQLite database in a temporary directory, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from captive_portal.auth import accounts
from captive_portal.auth.passwords import hash_password
from captive_portal.console_app import create_app
from gateway.access.accept import Accepted, Applicant, accept
from gateway.context import Services
from gateway.link.neighbours import Neighbour
from gateway.lists import generations
from gateway.settings import Settings
from gateway.storage import places, schema
from gateway.storage.engine import open_database
from gateway.terms.publish import publish

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
ADDRESS = "127.0.0.1"
HOME = "https://console.test:8081"
HASH = hash_password(PASSWORD)


class InProcess(httpx.BaseTransport):
    """Hands requests to the application, each on an event loop of its own, as from `address`."""

    def __init__(self, app, address: str) -> None:
        self.inner = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            answer = await self.inner.handle_async_request(request)
            body = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers, content=body)

        return asyncio.run(ask())


class Browser(httpx.Client):
    """A browser on the console: English, without scripts."""

    def __init__(self, app, address: str = ADDRESS) -> None:
        self.app = app
        super().__init__(transport=InProcess(app, address), base_url=HOME, headers={"accept-language": "en"})

    def token_on(self, path: str) -> str:
        """The form token of a page."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found[1]

    def sign_in(self, username: str, password: str = PASSWORD) -> httpx.Response:
        token = self.token_on("/sign-in")
        return self.post("/sign-in", data={"form_token": token, "username": username, "password": password})

    def fill(self, page: str, action: str, **fields) -> httpx.Response:
        """Post the form `action` of `page`."""
        return self.post(action, data={"form_token": self.token_on(page), **fields})

    def elsewhere(self, address: str) -> Browser:
        """A fresh browser of another machine on the same console."""
        return Browser(self.app, address)


@dataclass
class World:
    """Services whose clock stands at `now`."""

    settings: Settings
    password: str = PASSWORD
    now: datetime = START
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        database = open_database(self.settings.database_url)
        schema.upgrade(database)
        with database.write() as session:
            place = places.add_place(
                session, owner_key="kommune", owner_name="Eksempel kommune", log_origin="example.test/log",
                site_key="hovedbygg", gateway_key="gateway-1", interfaces=["lo"], now=self.now,
            )  # fmt: skip
        self.services = Services(self.settings, database, place, lambda: self.now)

    def publish_all(self) -> None:
        """Rules and a first policy."""
        with self.services.database.write() as session:
            publish(
                session, self.services.place, {"nb": "# Regler\n\nVær grei."}, label="1", adopting_body="",
                adopted_on=None, case_number="", binding_language="nb", next_review_on=None,
                published_by="test", now=self.now,
            )  # fmt: skip
            generations.publish(session, self.services.place, "test", "", self.now)

    def accepted(self, name: str, mac: str = "02:00:00:00:00:01") -> Accepted:
        """A guest who has accepted."""
        from gateway.storage import rules

        with self.services.database.write() as session:
            version = rules.version_in_force(session, self.services.place.owner_id)
            assert version is not None
            result = accept(
                session, self.services.place, Neighbour("lo", mac), Applicant(name, "Firma AS"), version_id=version.id,
                language="nb", address="192.0.2.7", duration=timedelta(hours=10), now=self.now,
            )  # fmt: skip
        assert isinstance(result, Accepted)
        return result

    def account(self, username: str, role: str) -> None:
        """An account that can sign in with PASSWORD."""
        with self.services.database.write() as session:
            link = accounts.add_account(session, self.services.place, username, role, self.now)
            assert accounts.redeem(session, self.services.place, link.token, username, HASH, self.now) == "done"

    def browser(self, address: str = ADDRESS) -> Browser:
        """A browser that nobody has signed in to, on a console of its own."""
        return Browser(create_app(self.services), address)

    def signed_in(self, role: str, username: str = "") -> Browser:
        """A browser signed in to a new account."""
        name = username or f"{role}-person"
        self.account(name, role)
        browser = self.browser()
        assert browser.sign_in(name).status_code == 303
        return browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(Settings(state=tmp_path))
    yield made
    made.services.database.close()
