"""The gate that every request passes: who is it, may they, does the form come from us; then one transaction.

# INVARIANT: a route without a declared permission can't be built, and the routes of the application are all built here.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_address
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from captive_portal.auth import sessions
from captive_portal.auth.sessions import SignedIn
from captive_portal.auth.tokens import TOKEN_MAX_CHARS, form_token_matches, new_token
from captive_portal.console.forms import NO_FORM, BadBody, read_form
from captive_portal.console.look import LANGUAGES, Look
from captive_portal.console.permissions import Permission, may
from captive_portal.console.route import Call, Page, Transaction
from captive_portal.console.visit import FORM_COOKIE, LANGUAGE_COOKIE, SESSION_COOKIE, Visit
from captive_portal.security_events import SecurityEvents
from gateway.context import Services
from gateway.storage.engine import DataError, IntegrityError, Session, StorageUnavailableError


def routes(pages: tuple[Page, ...], services: Services, look: Look) -> list[Route]:
    """The routes of these pages, each behind the gate."""
    events = SecurityEvents()
    return [_route(page, services, look, events) for page in pages]


def _route(page: Page, services: Services, look: Look, events: SecurityEvents) -> Route:
    async def endpoint(request: Request) -> Response:
        visit = arrive(request, services, look)
        unasked = _unasked(page, request)
        if unasked is not None:
            events.note("forbidden", page.path, visit.address)
            return visit.failed(HTTPStatus.FORBIDDEN, reason=unasked)
        if page.method == "POST":
            if page.upload_max_bytes:
                turned_away = await run_in_threadpool(_turned_away, page, visit)
                if turned_away is not None:
                    return turned_away
            form = await read_form(request, page.upload_max_bytes, page.max_fields)
            if isinstance(form, BadBody) and form.status == 413 and page.too_large:
                return await run_in_threadpool(_too_large, page, visit)
            if isinstance(form, BadBody):
                return visit.failed(HTTPStatus(form.status), reason="body")
            visit = replace(visit, form=form)
        if page.pace is not None:
            wait_s = page.pace.wait_s(visit)
            if wait_s is None:
                events.note("attempt_held_back", page.path, visit.address)
                seconds = page.pace.retry_s(visit)
                refused = visit.failed(HTTPStatus.TOO_MANY_REQUESTS, seconds=seconds)
                refused.headers["Retry-After"] = str(seconds)
                return refused
            await asyncio.sleep(wait_s)
            visit = replace(visit, now=services.clock())
        response = await run_in_threadpool(_answer, page, visit)
        good = _is_good(visit, response)
        if page.pace is not None and good:
            page.pace.succeeded(visit)
        elif page.pace is not None and page.method == "POST" and good is not None:
            events.note("attempt_failed", page.path, visit.address)
        if response.status_code == HTTPStatus.FORBIDDEN:
            events.note("forbidden", page.path, visit.address)
        if request.query_params.get("lang") in LANGUAGES:
            set_cookie(response, LANGUAGE_COOKIE, visit.language)
        return response

    endpoint.page = page  # type: ignore[attr-defined]  # what the test that walks all routes reads
    return Route(page.path, endpoint, methods=[page.method])


def arrive(request: Request, services: Services, look: Look) -> Visit:
    """The visit that a request starts: nobody yet, outside any transaction."""
    return Visit(
        services,
        look,
        path=request.url.path,
        params={name: str(value) for name, value in request.path_params.items()},
        query=dict(request.query_params),
        cookies=request.cookies,
        address=request.client.host if request.client else "",
        bearer=_bearer(request.headers.get("authorization", "")),
        user_agent=request.headers.get("user-agent", "")[:500],
        language=look.language(
            request.query_params.get("lang", ""),
            request.cookies.get(LANGUAGE_COOKIE, ""),
            request.headers.get("accept-language", ""),
        ),
        now=services.clock(),
    )


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def set_cookie(response: Response, name: str, value: str) -> None:
    """Set a cookie that only this host, over HTTPS and without scripts, gets back; it ends with the browser."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="lax")


def signed_in(visit: Visit, permission: Permission) -> SignedIn | HTTPStatus:
    """Who makes this visit, or why they may not: 401, 403. Raises: StorageUnavailableError."""
    secret = visit.cookies.get(SESSION_COOKIE, "")
    with visit.services.database.read() as session:
        staff = sessions.who(session, visit.services.place, secret, visit.now, visit.idle)
    if staff is None:
        return HTTPStatus.UNAUTHORIZED
    if not may(staff.role, permission):
        return HTTPStatus.FORBIDDEN
    if staff.touch:
        _touch(replace(visit, staff=staff, cookie=secret))
    return staff


def _turned_away(page: Page, visit: Visit) -> Response | None:
    """The answer to those who may not use the page, before anything is read of what they send."""
    assert page.permission not in ("public", "scrape"), "files are for those who are signed in"
    try:
        staff = signed_in(visit, page.permission)
    except StorageUnavailableError:
        return _unavailable(visit)
    if staff == HTTPStatus.UNAUTHORIZED:
        return visit.go("/sign-in")
    return visit.failed(HTTPStatus.FORBIDDEN, reason="role") if staff == HTTPStatus.FORBIDDEN else None


def _too_large(page: Page, visit: Visit) -> Response:
    """The answer to a file that is too large, of those who may send one; nothing of the form is known."""
    assert page.too_large is not None
    try:
        staff = signed_in(visit, page.permission)
        if isinstance(staff, HTTPStatus):
            return visit.go("/sign-in")
        known = replace(visit, staff=staff, cookie=visit.cookies.get(SESSION_COOKIE, ""))
        with visit.services.database.read() as session:
            response = page.too_large(known.within(session))
    except StorageUnavailableError:
        return _unavailable(visit)
    response.status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return response


def _unavailable(visit: Visit) -> Response:
    response = replace(visit, form=NO_FORM).failed(HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = "5"
    return response


def _answer(page: Page, visit: Visit) -> Response:
    try:
        return _answer_public(page, visit) if page.permission == "public" else _answer_staff(page, visit)
    except StorageUnavailableError:
        return _unavailable(visit)
    except IntegrityError:  # somebody else's change came first: nothing of this one is kept
        return replace(visit, form=NO_FORM).failed(HTTPStatus.CONFLICT)
    except DataError:  # an identifier or a number in the address that none can be
        return replace(visit, form=NO_FORM).failed(HTTPStatus.NOT_FOUND)


def _answer_public(page: Page, visit: Visit) -> Response:
    held = visit.cookies.get(FORM_COOKIE, "")
    if page.method == "POST" and not _token_is_ours(held, visit):
        return visit.failed(HTTPStatus.FORBIDDEN, reason="stale")
    secret = held if _can_be_ours(held) else new_token()
    response = run(page, replace(visit, cookie=secret))
    if secret != held and response.headers.get("content-type", "").startswith("text/html"):
        set_cookie(response, FORM_COOKIE, secret)
    return response


def _answer_staff(page: Page, visit: Visit) -> Response:
    secret = visit.cookies.get(SESSION_COOKIE, "")
    if not (page.permission == "scrape" and _is_scraper(visit)):
        with visit.services.database.read() as session:
            staff = sessions.who(session, visit.services.place, secret, visit.now, visit.idle)
        if staff is None:
            return visit.go("/sign-in") if page.permission != "scrape" else visit.failed(HTTPStatus.FORBIDDEN)
        visit = replace(visit, staff=staff, cookie=secret)
        if not may(staff.role, page.permission):
            return visit.failed(HTTPStatus.FORBIDDEN, reason="role")
        if page.method == "POST" and not _token_is_ours(secret, visit):
            return visit.failed(HTTPStatus.FORBIDDEN, reason="stale")
        if staff.touch and page.is_use:
            _touch(visit)
    return run(page, visit)


def run(page: Page | Call, visit: Visit) -> Response:
    """The answer, within the transaction that the route declares."""
    database = visit.services.database
    kinds: Mapping[Transaction, Callable[[], AbstractContextManager[Session | None]]] = {
        "none": nullcontext,
        "read": database.read,
        "write": database.write,
    }
    with kinds[page.transaction]() as session:
        return page.answer(visit if session is None else visit.within(session))


def _touch(visit: Visit) -> None:
    # A database that can't be written to just now should still be looked at; the session then ends early, not late.
    with contextlib.suppress(StorageUnavailableError), visit.services.database.write() as session:
        sessions.touch(session, visit.cookie, visit.now)


def _token_is_ours(secret: str, visit: Visit) -> bool:
    return bool(secret) and form_token_matches(secret, visit.form.get("form_token"))


def _can_be_ours(form_cookie: str) -> bool:
    return 0 < len(form_cookie) <= TOKEN_MAX_CHARS


def _is_good(visit: Visit, response: Response) -> bool | None:
    """Whether an attempt was a good one: by the password where the page asked for it, whatever else was wrong; None
    where none was written.
    """
    if visit.attempt.password:
        return {"right": True, "wrong": False, "none": None}[visit.attempt.password]
    return response.status_code < HTTPStatus.BAD_REQUEST


def _unasked(page: Page, request: Request) -> Literal["foreign", "stale"] | None:
    """Why nobody who sees our pages has asked for this. Whatever waits by address is opened in a window at least: else
    any page elsewhere could, unseen, hold back whoever has it open.
    """
    if page.method == "GET" and page.pace is None and not page.by_script:
        return None
    is_opened = page.method == "GET" and request.headers.get("sec-fetch-dest") == "document"
    if not from_here(request) and (page.by_script or not is_opened):
        return "foreign"
    return "stale" if page.by_script and not _can_be_ours(request.cookies.get(FORM_COOKIE, "")) else None


def from_here(request: Request) -> bool:
    """Whether a request comes from one of our own pages, as the browser says (Fetch Metadata; else Origin)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers.get('host', '')}"


def _is_scraper(visit: Visit) -> bool:
    """Whether this is a program that may have the figures without signing in: by its token where there is one set, and
    else by being on this machine. Raises: UsageError.
    """
    token = visit.services.settings.metrics_token
    return _is_loopback(visit.address) if token is None else secrets.compare_digest(visit.bearer.encode(), token)


def _is_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
