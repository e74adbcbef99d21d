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
from captive_portal.guest.accepting import AcceptPages
from captive_portal.guest.courses import CourseDoors
from captive_portal.guest.devices import DevicePages
from captive_portal.guest.edge import Edge
from captive_portal.guest.find_closed import FindPages
from captive_portal.guest.hosts import HostPages
from captive_portal.guest.my_data import MyDataPages
from captive_portal.guest.policy_reader import PolicyReader
from captive_portal.guest.reading import ReadingPages
from captive_portal.guest.receipts import PROOF_SUFFIX, ReceiptPages
from captive_portal.guest.returning import ReturnPages
from captive_portal.guest.site import Resolve, Site, open_site, visit
from captive_portal.guest.status_page import StatusPages
from captive_portal.guest.status_parts import StatusParts
from captive_portal.guest.why import WhyPages
from gateway.context import Services
from gateway.link import neighbours
from gateway.storage.engine import StorageUnavailableError

log = logging.getLogger(__name__)


def create_app(services: Services, *, resolve: Resolve = neighbours.resolve) -> Edge:
    """The guest application. `resolve` says which device is behind a peer address.

    Raises: FormKeyError, CatalogueError when the installation is damaged.
    """
    site = open_site(services, resolve)
    policy, doors = PolicyReader(services.settings), CourseDoors(site)
    returning = ReturnPages(site, doors)
    accepting, status = AcceptPages(site, policy, doors, returning), StatusPages(site, doors, returning)
    reading, my_data, receipts = ReadingPages(site, policy, doors), MyDataPages(site), ReceiptPages(site)
    why, find = WhyPages(site, policy), FindPages(site)
    errors = _Errors(site)
    routes: list[BaseRoute] = [
        _page("/", accepting.welcome),
        _page("/accept", accepting.accept, "POST"),
        _page("/accept", accepting.accept_by_get),
        _page("/status", status.status),
        _page("/waiting", HostPages(site).waiting),
        _page("/sign-off", status.sign_off, "POST"),
        _page("/sign-off", status.sign_off_by_get),
        *_device_routes(site, returning),
        _page("/form", accepting.blank_form),
        *(_page(path, reading.rules) for path in ("/rules", "/regler")),
        *(_page(path, my_data.ask) for path in ("/my-data", "/innsyn")),
        _page("/my-data", my_data.show, "POST"),
        *(_page(path, reading.closed) for path in ("/closed", "/stengt")),
        *(_page(path, reading.accessibility) for path in ("/accessibility", "/tilgjengelighet")),
        *(_page(path, reading.privacy) for path in ("/privacy", "/personvern")),
        *(_page(f"{path}/{{code}}{PROOF_SUFFIX}", receipts.proof) for path in ("/receipt", "/kvittering")),
        *(_page(f"{path}/{{code}}", receipts.receipt) for path in ("/receipt", "/kvittering")),
        *(_page(path, receipts.find) for path in ("/receipt", "/kvittering")),
        *(_page(path, why.show) for path in ("/why", "/hvorfor")),
        *(_page(path, why.ask, "POST") for path in ("/why", "/hvorfor")),
        _page("/why/withdraw", why.withdraw, "POST"),
        _page("/why/withdraw", why.by_get),
        _page("/why/find", find.show),
        _page("/why/find", find.begin_or_end, "POST"),
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
    return Edge(app, site, policy)


def _page(path: str, endpoint: Callable[[Request], Response], method: str = "GET") -> Route:
    """A page that is made in a worker thread, as it waits for the kernel and the database."""

    async def in_thread(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(None, endpoint, request)

    return Route(path, in_thread, methods=[method])


def _device_routes(site: Site, returning: ReturnPages) -> list[BaseRoute]:
    devices = DevicePages(site)
    buttons = {"/extend": devices.extend, "/words": devices.words, "/end-device": devices.end_device}
    return [
        *(_page(path, endpoint, "POST") for path, endpoint in buttons.items()),
        *(_page(path, devices.to_status) for path in buttons),
        *(_page(path, devices.show_add) for path in ("/add", "/legg-til")),
        _page("/add", devices.add, "POST"),
        _page("/return", returning.show),
        _page("/return", returning.accept, "POST"),
    ]


def _capport(site: Site) -> Callable[[Request], Response]:
    enforced = site.services.settings.enforcement.enabled
    public_url = site.services.settings.public_url
    parts = StatusParts(site)

    def endpoint(request: Request) -> Response:
        who = visit(site, request)
        status = who.status()
        extendable = parts.extension(who, status) is not None
        body = capport.document(status, public_url, who.now, enforced=enforced, extendable=extendable)
        return Response(body, headers=dict(capport.HEADERS), media_type=capport.MEDIA_TYPE)

    return endpoint


def _asset(site: Site, path: str) -> Callable[[Request], Awaitable[Response]]:
    asset = site.assets.files[path]

    async def endpoint(request: Request) -> Response:
        headers = dict(ASSET_HEADERS)
        if asset.packed is None:
            return Response(asset.body, headers=headers, media_type=asset.media_type)
        headers["Vary"] = "Accept-Encoding"
        accepted = {item.strip().lower() for item in request.headers.get("accept-encoding", "").split(",")}
        if "gzip" not in accepted:
            return Response(asset.body, headers=headers, media_type=asset.media_type)
        return Response(asset.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)

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
            status = who.status()
            accepted = status.has_access or status.state == "open"
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
