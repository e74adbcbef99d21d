"""The guest side as one ASGI application: pages, RFC 8908 API, connectivity checks, and a redirect of all else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route

from captive_portal import capport
from captive_portal.assets import ASSET_HEADERS
from captive_portal.guest import troubles
from captive_portal.guest.edge import Edge
from captive_portal.guest.pages import Pages
from captive_portal.guest.receipts import PROOF_SUFFIX, ReceiptPages
from captive_portal.guest.site import Resolve, Site, open_site, visit
from gateway.context import Services
from gateway.link import neighbours
from gateway.storage.engine import StorageUnavailableError

log = logging.getLogger(__name__)


def create_app(services: Services, *, resolve: Resolve = neighbours.resolve) -> Edge:
    """The guest application. `resolve` says which device is behind a peer address.

    Raises: FormKeyError, CatalogueError when the installation is damaged.
    """
    site = open_site(services, resolve)
    pages, receipts = Pages(site), ReceiptPages(site)
    errors = _Errors(site)
    routes: list[BaseRoute] = [
        _page("/", pages.welcome),
        _page("/accept", pages.accept, "POST"),
        _page("/accept", pages.accept_by_get),
        _page("/status", pages.status),
        _page("/sign-off", pages.sign_off, "POST"),
        _page("/sign-off", pages.sign_off_by_get),
        *(_page(path, pages.rules) for path in ("/rules", "/regler")),
        *(_page(path, pages.my_data) for path in ("/my-data", "/innsyn")),
        _page("/my-data", pages.show_my_data, "POST"),
        *(_page(path, pages.privacy) for path in ("/privacy", "/personvern")),
        *(_page(f"{path}/{{code}}{PROOF_SUFFIX}", receipts.proof) for path in ("/receipt", "/kvittering")),
        *(_page(f"{path}/{{code}}", receipts.receipt) for path in ("/receipt", "/kvittering")),
        *(_page(path, receipts.find) for path in ("/receipt", "/kvittering")),
        _page(capport.PATH, _capport(site)),
        *(Route(path, _asset(site, path)) for path in site.assets.files),
    ]
    handlers: dict[int | type[Exception], Any] = {
        404: errors.not_found,
        405: errors.wrong_method,
        StorageUnavailableError: errors.storage_unavailable,
        Exception: errors.broken,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Edge(app, site)


def _page(path: str, endpoint: Callable[[Request], Response], method: str = "GET") -> Route:
    """A page that is made in a worker thread, as it waits for the kernel and the database."""

    async def in_thread(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(None, endpoint, request)

    return Route(path, in_thread, methods=[method])


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
