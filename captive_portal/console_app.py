"""The console as an ASGI application: its pages behind the gate, safe headers on every answer, errors as pages."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captive_portal.api import calls, openapi
from captive_portal.console.evidence import witness
from captive_portal.console.evidence.exports import ExportShelf
from captive_portal.console.gate import arrive, page_above, routes
from captive_portal.console.look import Look
from captive_portal.console.pages import all_calls, all_pages
from captive_portal.security import CONTENT_SECURITY_POLICY, PAGE_HEADERS
from gateway.context import Services
from gateway.telemetry import Totals

HEADERS: Mapping[str, str] = {
    **PAGE_HEADERS,
    "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; script-src 'self'; connect-src 'self'",
}


def create_app(services: Services, dns: Totals | None = None) -> ASGIApp:
    """The console over these services, with the figures of `dns` among its own. Serve it over HTTPS only: its cookies
    are `__Host-` cookies.

    Raises: CatalogueError when the translations can't be read.
    """
    look, shelf = Look(), ExportShelf(services.settings.state)

    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        problem = calls.error(api, request.scope, HTTPStatus(status))
        if problem is not None:
            return problem
        visit = arrive(request, services, look)
        if status == HTTPStatus.METHOD_NOT_ALLOWED and request.method == "GET":
            above = page_above(shown, visit.path)
            if above is not None:
                return visit.go(above)
        response = visit.failed(HTTPStatus(status))
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response

    totals = dns or Totals()
    table = all_calls(services, totals, shelf)
    described = openapi.Description(table)
    api = calls.routes([*table, described.call()], services, look)
    pages = (*all_pages(services, totals, shelf), described.page())
    shown = routes(pages, services, look)
    application = FastAPI(
        routes=[*shown, *api, witness.route(services)],
        exception_handlers={HTTPException: failed, Exception: failed},
        redirect_slashes=False,
        openapi_url=None,
    )
    return SafeHeaders(application, services.settings.console.hsts_days)


class SafeHeaders:
    """Puts `HEADERS` on every answer that does not set its own.

    HSTS (RFC 6797) only for `hsts_days` more than 0: with a certificate that browsers don't know, it would take away
    the way past their warning.
    """

    def __init__(self, application: ASGIApp, hsts_days: int = 0) -> None:
        self.application = application
        self.headers = dict(HEADERS)
        if hsts_days:
            self.headers["Strict-Transport-Security"] = f"max-age={hsts_days * 86400}; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.application(scope, receive, send_safe)
