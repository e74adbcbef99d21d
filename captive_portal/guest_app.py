"""The guest side as one ASGI application: pages, RFC 8908 API, connectivity checks, and a redirect of all else."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp

from captive_portal import capport
from captive_portal.assets import ASSET_HEADERS
from captive_portal.guest import troubles
from captive_portal.guest.edge import Edge
from captive_portal.guest.find_closed import FindPages
from captive_portal.guest.pages import Pages
from captive_portal.guest.policy_reader import PolicyReader
from captive_portal.guest.receipts import PROOF_SUFFIX, ReceiptPages
from captive_portal.guest.site import Resolve, Site, open_site, visit
from captive_portal.guest.why import WhyPages
from gateway.context import Services
from gateway.link import neighbours
from gateway.storage.engine import StorageUnavailableError

log = logging.getLogger(__name__)


def create_app(services: Services, *, resolve: Resolve = neighbours.resolve) -> ASGIApp:
    """The guest application. `resolve` says which device is behind a peer address.

    Raises: FormKeyError, CatalogueError when the installation is damaged.
    """
    site = open_site(services, resolve)
    pages, receipts = Pages(site), ReceiptPages(site)
    policy = PolicyReader(services.settings)
    why, find = WhyPages(site, policy), FindPages(site)
    errors = _Errors(site)
    routes: list[BaseRoute] = [
        Route("/", pages.welcome),
        Route("/accept", pages.accept, methods=["POST"]),
        Route("/accept", pages.accept_by_get),
        Route("/status", pages.status),
        Route("/sign-off", pages.sign_off, methods=["POST"]),
        Route("/sign-off", pages.sign_off_by_get),
        *(Route(path, pages.rules) for path in ("/rules", "/regler")),
        *(Route(path, pages.my_data) for path in ("/my-data", "/innsyn")),
        Route("/my-data", pages.show_my_data, methods=["POST"]),
        *(Route(path, pages.privacy) for path in ("/privacy", "/personvern")),
        *(Route(f"{path}/{{code}}{PROOF_SUFFIX}", receipts.proof) for path in ("/receipt", "/kvittering")),
        *(Route(f"{path}/{{code}}", receipts.receipt) for path in ("/receipt", "/kvittering")),
        *(Route(path, receipts.find) for path in ("/receipt", "/kvittering")),
        *(Route(path, why.show) for path in ("/why", "/hvorfor")),
        *(Route(path, why.ask, methods=["POST"]) for path in ("/why", "/hvorfor")),
        Route("/why/withdraw", why.withdraw, methods=["POST"]),
        Route("/why/withdraw", why.by_get),
        Route("/why/find", find.show),
        Route("/why/find", find.begin_or_end, methods=["POST"]),
        Route(capport.PATH, _capport(site)),
        *(Route(path, _asset(site, path)) for path in site.assets.files),
    ]
    handlers: dict[int | type[Exception], Any] = {
        404: errors.not_found,
        405: errors.wrong_method,
        StorageUnavailableError: errors.storage_unavailable,
        Exception: errors.broken,
    }
    app = FastAPI(
        routes=routes,
        exception_handlers=handlers,
        redirect_slashes=False,
        openapi_url=None,
    )
    return Edge(app, site, policy)


def _capport(site: Site) -> Callable[[Request], Response]:
    enforced = site.services.settings.enforcement.enabled
    public_url = site.services.settings.public_url

    def endpoint(request: Request) -> Response:
        who = visit(site, request)
        body = capport.document(who.status(), public_url, who.now, enforced=enforced)
        return Response(body, headers=dict(capport.HEADERS), media_type=capport.MEDIA_TYPE)

    return endpoint


def _asset(site: Site, path: str) -> Callable[[Request], Awaitable[Response]]:
    asset = site.assets.files[path]

    async def endpoint(_request: Request) -> Response:
        return Response(asset.body, headers=dict(ASSET_HEADERS), media_type=asset.media_type)

    return endpoint


class _Errors:
    """What each kind of failure looks like; the one place where it becomes an HTTP status."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._told = ""

    def not_found(self, request: Request, _error: Exception) -> Response:
        """A path that is not ours: to the portal for a device that has not accepted, otherwise 404."""
        who = visit(self._site, request)
        try:
            accepted = who.status().state != "not_accepted"
        except StorageUnavailableError:
            return troubles.storage_unavailable(who)
        if accepted:
            return troubles.not_found(who)
        headers = {"Connection": "close", "Cache-Control": "no-store"}
        return RedirectResponse(f"{self._site.services.settings.public_url}/", 302, headers)

    def wrong_method(self, request: Request, _error: Exception) -> Response:
        """405 with what the page does have (RFC 9110 §15.5.6)."""
        allowed = {
            method
            for route in request.app.routes
            if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
        headers = {"Allow": ", ".join(sorted(allowed)), "Cache-Control": "no-store"}
        return PlainTextResponse("method not allowed\n", 405, headers)

    def storage_unavailable(self, request: Request, error: Exception) -> Response:
        """503 with Retry-After; the operator reads why, once until it changes."""
        if str(error) != self._told:
            self._told = str(error)
            log.warning("guests can't accept now: %s", error)
        return troubles.storage_unavailable(visit(self._site, request, identify=False))

    def broken(self, request: Request, _error: Exception) -> Response:
        """500; the server logs the error."""
        return troubles.broken(visit(self._site, request, identify=False))
