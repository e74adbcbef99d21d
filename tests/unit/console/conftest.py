"""A console over a real SQLite database in a temporary directory, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest

from captive_portal.auth import accounts
from captive_portal.auth.accounts import Second
from captive_portal.auth.passwords import hash_password
from captive_portal.auth.second_factor import load_second_factor
from captive_portal.console_app import create_app
from gateway.access.accept import Accepted, Applicant, accept
from gateway.audit.note import SignerKey
from gateway.audit.sealer import seal_staged
from gateway.context import Services
from gateway.installation import public_key_path
from gateway.link.neighbours import Neighbour
from gateway.lists import generations
from gateway.settings import Owner, Settings
from gateway.storage import places, staff
from gateway.storage.engine import open_database
from gateway.terms.publish import publish
from tests.migrated import put_sqlite

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
ADDRESS = "127.0.0.1"
HOME = "https://console.test:8081"
HASH = hash_password(PASSWORD)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # of RFC 6238's test vectors
SIGNER = SignerKey("example.test/log", b"s" * 32)


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
        """Sign in with the password; with an authenticator, `sign_in_with_code` goes on from here."""
        token = self.token_on("/sign-in")
        return self.post("/sign-in", data={"form_token": token, "username": username, "password": password})

    def write_code(self, code: str) -> httpx.Response:
        return self.fill("/sign-in/code", "/sign-in/code", code=code)

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
        owner = self.settings.owner.model_copy(update={"name": "Eksempel kommune"})
        self.settings = self.settings.model_copy(update={"owner": owner})
        database = open_database(self.settings.database_url)
        put_sqlite(database.sqlite_path)
        with database.write() as session:
            place = places.add_place(
                session, owner_key="kommune", owner_name=owner.name, log_origin="example.test/log",
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
            version = rules.version_in_force(session, self.services.place.owner_id, now=self.now)
            assert version is not None
            result = accept(
                session, self.services.place, Neighbour("lo", mac), Applicant(name, "Firma AS"), version_id=version.id,
                language="nb", address="192.0.2.7", duration=timedelta(hours=10), now=self.now,
            )  # fmt: skip
        assert isinstance(result, Accepted)
        return result

    def account(self, username: str, role: str, **limits) -> None:
        """An account that can sign in with PASSWORD, and an auditor's also with the authenticator SECRET."""
        second = None
        if role == "auditor":
            second = Second(load_second_factor(self.settings.state).lock(SECRET), 0, ())
        place, now = self.services.place, self.now
        with self.services.database.write() as session:
            link = accounts.add_account(session, place, username, role, now, **limits)
            assert accounts.redeem(session, place, link.token, username, HASH, now, second=second) == "done"

    def code(self, username: str) -> str:
        """A code that the account's authenticator could show and that was not used yet."""
        with self.services.database.read() as session:
            used = staff.by_username(session, self.services.place.owner_id, username).totp_step
        return pyotp.TOTP(SECRET).generate_otp(max(int(self.now.timestamp()) // 30 - 1, used + 1))

    def sign_in(self, browser: Browser, username: str) -> httpx.Response:
        """Sign in all the way."""
        answer = browser.sign_in(username)
        if answer.headers.get("location") == "/sign-in/code":
            answer = browser.write_code(self.code(username))
        return answer

    def browser(self, address: str = ADDRESS) -> Browser:
        """A browser that nobody has signed in to, on a console of its own."""
        return Browser(create_app(self.services), address)

    def signed_in(self, role: str, username: str = "", **limits) -> Browser:
        """A browser signed in to a new account."""
        name = username or f"{role}-person"
        self.account(name, role, **limits)
        browser = self.browser()
        assert self.sign_in(browser, name).headers["location"] == "/"
        return browser

    def seal(self) -> None:
        """What the sealer does: keep its public key where the console reads it, and order what is staged."""
        path = public_key_path(self.settings)
        if not path.exists():
            path.write_text(f"{SIGNER.verifier}\n")
        place = self.services.place
        while seal_staged(self.services.database, place.owner_id, place.log_origin, SIGNER, self.now):
            pass


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(Settings(state=tmp_path, owner=Owner(name="Eksempel kommune")))
    yield made
    made.services.database.close()
