"""A portal over a freshly prepared installation, asked by devices whose addresses the test decides."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from captive_portal.guest_app import create_app
from gateway.context import Services
from gateway.link.neighbours import Neighbour, resolve
from gateway.lists.compile import compile_policy as compile_document
from gateway.lists.publish import publish
from gateway.settings import Settings
from gateway.storage import generations, grants
from gateway.storage.models import Network

PHONE = Neighbour("guest0", "02:00:00:00:00:01")
LAPTOP = Neighbour("guest0", "02:00:00:00:00:02")
DEVICES = {"192.0.2.1": PHONE, "192.0.2.2": LAPTOP, "198.51.100.1": Neighbour("guest1", PHONE.mac)}


class Browser:
    """Blocking requests to an ASGI application from one peer address; redirects are not followed but looked at."""

    def __init__(self, app: ASGIApp, base_url: str, address: str, *, raises: bool) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=raises, client=(address, 50000))
        self._base_url = base_url

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._request(method, path, options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    async def _request(self, method: str, path: str, options: Mapping[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=self._transport, base_url=self._base_url, headers={"Accept-Language": "nb"}
        ) as client:
            return await client.request(method, path, **options)


class Guest:
    """A browser on one device."""

    def __init__(self, services: Services, address: str = "192.0.2.1", *, raises: bool = True) -> None:
        app = create_app(services, resolve=lambda peer: DEVICES.get(peer) or resolve(peer))
        self.http = Browser(app, services.settings.public_url, address, raises=raises)

    def token(self, path: str = "/form") -> str:
        """The first form token on a page."""
        found = re.search(r'name="token" value="([^"]+)"', self.http.get(path).text)
        assert found is not None
        return found[1]

    def accept(self, **fields: str) -> httpx.Response:
        """Post the form as the page would."""
        return self.http.post("/accept", data={"token": self.token(), "name": "Kari Nordmann", **fields})


@pytest.fixture
def enforcing(settings: Settings) -> Settings:
    """Settings of a gateway that enforces on `guest0`."""
    enforcement = settings.enforcement.model_copy(
        update={"enabled": True, "guest_interfaces": ("guest0",), "uplink": "wan0"}
    )
    return settings.model_copy(update={"enforcement": enforcement})


@pytest.fixture
def gateway_services(services: Services, enforcing: Settings) -> Services:
    """A gateway with a guest network on `guest0`."""
    with services.database.write() as session:
        session.add(Network(gateway_id=services.place.gateway_id, interface="guest0", group_key="default"))
    made = Services(enforcing, services.database, services.place, services.clock)
    compile_policy(made)
    return made


def compile_policy(services: Services) -> None:
    """What jobs does with the policy in force and the lists of a fresh installation: put it where DNS and the portal
    read it.
    """
    with services.database.read() as session:
        standing = generations.in_force(session, services.place.owner_id)
    assert standing is not None
    publish(services.settings.state, compile_document(standing.document, standing.generation))


@pytest.fixture
def guest(gateway_services: Services) -> Guest:
    """The phone of a guest who has just joined."""
    return Guest(gateway_services)


@pytest.fixture
def elsewhere(gateway_services: Services) -> Guest:
    """The phone of `guest` on another guest network of the same group, `guest1`."""
    with gateway_services.database.write() as session:
        session.add(Network(gateway_id=gateway_services.place.gateway_id, interface="guest1", group_key="default"))
    return Guest(gateway_services, "198.51.100.1")


@pytest.fixture
def laptop(gateway_services: Services) -> Guest:
    """Another device on the same network."""
    return Guest(gateway_services, "192.0.2.2")


@pytest.fixture
def apply_grants(gateway_services: Services) -> Callable[[], None]:
    """What the enforcer does with the database: say that every open grant is in the kernel."""

    def apply() -> None:
        now, place = gateway_services.clock(), gateway_services.place
        with gateway_services.database.write() as session:
            wanted = [row[0] for row in grants.grants_of_gateway(session, place.gateway_id, now)]
            grants.record_applied(session, place.gateway_id, wanted, [], now)

    return apply


@pytest.fixture
def counted(gateway_services: Services) -> Callable[[], tuple[int, int, int]]:
    """How many acceptances, grants and staged leaves of acceptances there are."""

    def count() -> tuple[int, int, int]:
        from sqlalchemy import func, select

        from gateway.storage.log_models import StagedLeaf
        from gateway.storage.models import Acceptance, Grant

        with gateway_services.database.read() as session:
            leaves = sum(b'"acceptance"' in leaf for leaf in session.scalars(select(StagedLeaf.entry)))
            return (
                session.scalar(select(func.count()).select_from(Acceptance)) or 0,
                session.scalar(select(func.count()).select_from(Grant)) or 0,
                leaves,
            )

    return count


@pytest.fixture
def make_guest() -> type[Guest]:
    """For guests of other installations, or from other addresses."""
    return Guest


@pytest.fixture
def make_browser() -> type[Browser]:
    """For applications put together by the test."""
    return Browser
