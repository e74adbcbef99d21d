"""The JSON API's way through the gate: who calls, what they ask, then one transaction and one answer, errors as JSON.

A call is made with a personal access token (RFC 6750) or with the console's own session. A token that is shown decides
alone: where it does not hold, a session beside it does not help.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from captive_portal.api import idempotency
from captive_portal.api.idempotency import InFlight
from captive_portal.api.media_types import accepts
from captive_portal.api.problems import MEDIA_TYPE, problem, unavailable
from captive_portal.auth import api_tokens
from captive_portal.auth.sessions import SignedIn
from captive_portal.auth.throttle import Throttle, network_of
from captive_portal.console.gate import arrive, from_here, run, signed_in
from captive_portal.console.look import Look
from captive_portal.console.permissions import may
from captive_portal.console.route import Call
from captive_portal.console.visit import SESSION_COOKIE, Visit
from captive_portal.security_events import Event, SecurityEvents
from gateway.context import Services
from gateway.errors import UsageError
from gateway.storage.engine import DataError, IntegrityError, StorageUnavailableError

log = logging.getLogger(__name__)

ROOT = "/api/v1"
LANGUAGE = "en"  # what is said to programs does not depend on where they run
REALM = 'Bearer realm="gjestenett"'


@dataclass(frozen=True)
class _Shared:
    """What all calls of one application share. Only the event loop touches `strangers`."""

    services: Services
    look: Look
    in_flight: InFlight = field(default_factory=InFlight)
    events: SecurityEvents = field(default_factory=SecurityEvents)
    strangers: Throttle = field(default_factory=lambda: Throttle(free=20, first_s=1.0, longest_s=60.0))


def routes(calls: Sequence[Call], services: Services, look: Look) -> list[Route]:
    """The routes of these calls, each behind the gate."""
    shared = _Shared(services, look)
    return [_route(call, shared) for call in calls]


def error(found: Sequence[Route], scope: Scope, status: HTTPStatus) -> Response | None:
    """What the API answers where no call does, to a path that is its own: 404, 405 with the methods, 500."""
    if not (scope["path"] == ROOT or scope["path"].startswith(f"{ROOT}/")):
        return None
    answer = problem(status)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        fitting = [route for route in found if route.matches(scope)[0] != Match.NONE]
        answer.headers["Allow"] = ", ".join(sorted({method for route in fitting for method in route.methods or ()}))
    return answer


def _route(call: Call, shared: _Shared) -> Route:
    async def endpoint(request: Request) -> Response:
        visit = replace(arrive(request, shared.services, shared.look), language=LANGUAGE)
        try:
            answer = await _answer(call, request, visit, shared)
        except UsageError as wrong:  # read well, but means nothing: a moment before all calendars
            answer = problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(wrong))
        except StorageUnavailableError:
            answer = unavailable()
        event = _EVENTS.get(answer.status_code)
        if event is not None and (visit.bearer or event == "forbidden"):
            shared.events.note(event, call.path, visit.address)
        return answer

    endpoint.page = call  # type: ignore[attr-defined]  # what the test that walks all routes reads
    route = Route(call.path, endpoint, methods=[call.method])
    assert route.methods is not None
    route.methods.discard("HEAD")  # the document promises none
    return route


async def _answer(  # noqa: PLR0911 - a line for each thing that can be wrong
    call: Call, request: Request, visit: Visit, shared: _Shared
) -> Response:
    by_token = bool(visit.bearer)
    if call.method != "GET" and not by_token and not from_here(request):
        return problem(HTTPStatus.FORBIDDEN, "this came from another site", kind="foreign")
    member = await run_in_threadpool(_member, call, visit)
    if isinstance(member, Response):
        return _slowed(member, visit, shared) if by_token else member
    visit = replace(visit, staff=member, cookie="" if by_token else visit.cookies.get(SESSION_COOKIE, ""))
    if not accepts(request.headers.get("accept", ""), (call.media_type, MEDIA_TYPE)):
        return problem(HTTPStatus.NOT_ACCEPTABLE, f"this answers {call.media_type}")
    if not all(text.isprintable() for text in visit.params.values()):
        return problem(HTTPStatus.NOT_FOUND)
    read = await _asked(call, request)
    if isinstance(read, Response):
        return read
    asked, body = read
    match = _if_match(call, request)
    if isinstance(match, Response):
        return match
    visit = replace(visit, asked=asked, if_match=match)
    if call.transaction != "write":
        return await run_in_threadpool(run, call, visit)
    key: str | None = ""
    if idempotency.HEADER in request.headers:
        key = idempotency.read_key(request.headers[idempotency.HEADER])
        if key is None:
            return problem(HTTPStatus.BAD_REQUEST, idempotency.MALFORMED, kind="key-malformed")
    digest = idempotency.digest(call.method, visit.path, request.url.query, match, body) if key else ""
    return await run_in_threadpool(_change, call, visit, key or "", digest, shared.in_flight)


_EVENTS: Mapping[int, Event] = {401: "attempt_failed", 403: "forbidden", 429: "attempt_held_back"}


def _member(call: Call, visit: Visit) -> SignedIn | Response:  # noqa: PLR0911 - as above
    """Who calls, or why they may not."""
    if not visit.bearer:
        found = signed_in(visit, call.permission)
        if isinstance(found, SignedIn):
            return found
        if found == HTTPStatus.UNAUTHORIZED:
            return _unauthorized(REALM, "sign in first, or send a token", "signed-out")
        return problem(found, _WHO[call.permission], kind="role")
    place = visit.services.place
    with visit.services.database.read() as session:
        member = api_tokens.who(session, place, visit.bearer, visit.now)
    if member is None:
        return _unauthorized(f'{REALM}, error="invalid_token"', "the token is unknown, or has ended", "token")
    if not may(member.role, call.permission):
        return problem(HTTPStatus.FORBIDDEN, _WHO[call.permission], kind="role")
    if call.scope and not api_tokens.covers(member.token_scopes or (), call.scope):
        answer = problem(HTTPStatus.FORBIDDEN, f"the token needs the scope {call.scope}", kind="scope")
        answer.headers["WWW-Authenticate"] = f'{REALM}, error="insufficient_scope", scope="{call.scope}"'
        return answer
    if member.touch:
        _touch(visit)
    return member


_WHO = {"it": "for IT only", "auditor": "for auditors and IT", "host": "for hosts and IT", "staff": "for staff"}


def _unauthorized(challenge: str, detail: str, kind: str) -> Response:
    answer = problem(HTTPStatus.UNAUTHORIZED, detail, kind=kind)
    answer.headers["WWW-Authenticate"] = challenge
    return answer


def _touch(visit: Visit) -> None:
    try:
        with visit.services.database.write() as session:
            api_tokens.touch(session, visit.bearer, visit.address, visit.now)
    except StorageUnavailableError:  # what only reads goes on where nothing can be written
        log.warning("the use of a token could not be written down")


def _slowed(answer: Response, visit: Visit, shared: _Shared) -> Response:
    """Whoever shows token after token that does not hold is told to wait. One that holds is never asked to."""
    if answer.status_code != HTTPStatus.UNAUTHORIZED:
        return answer
    network, at_s = network_of(visit.address), time.monotonic()
    ahead_s = shared.strangers.ahead_s(network, at_s)
    if ahead_s <= 0:
        shared.strangers.take(network, at_s)
        return answer
    slowed = problem(HTTPStatus.TOO_MANY_REQUESTS, "too many tokens that do not hold came from this address")
    slowed.headers["Retry-After"] = str(math.ceil(ahead_s))
    return slowed


async def _asked(call: Call, request: Request) -> tuple[BaseModel | None, bytes] | Response:
    """What the call asks, and the body as it came."""
    try:
        if call.asks is None:
            return None, b""
        if call.method == "GET":
            return _storable(call.asks.model_validate_strings(dict(request.query_params)), b"")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > call.body_max_bytes:
                return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {call.body_max_bytes} bytes")
        return _storable(call.asks.model_validate_json(bytes(body)), bytes(body))
    except ValidationError as wrong:
        fields = {".".join(map(str, each["loc"])) or "body": each["msg"] for each in wrong.errors()[:20]}
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the question could not be read", fields, kind="unreadable")


def _storable(asked: BaseModel, body: bytes) -> tuple[BaseModel, bytes] | Response:
    """What was asked, unless some text in it has a NUL, which no database keeps."""
    if _has_nul(asked.model_dump()):
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "a text has a NUL character", kind="unreadable")
    return asked, body


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(map(_has_nul, value))


def _if_match(call: Call, request: Request) -> str | Response:
    """The edition that was seen, "" where none is named; weak or not, as proxies may weaken it."""
    header = request.headers.get("if-match", "").strip() if call.precondition else ""
    if not header and call.precondition == "required":
        detail = "say in If-Match which edition you have seen: the ETag of the answer that showed it"
        return problem(HTTPStatus.PRECONDITION_REQUIRED, detail, kind="precondition")
    return header.removeprefix("W/").strip('"')[:100]


def _change(call: Call, visit: Visit, key: str, digest: str, in_flight: InFlight) -> Response:
    """Make a change, once. What is refused leaves nothing behind."""
    if not key:
        with visit.services.database.write() as session:
            return _attempt(call, visit.within(session))
    with in_flight.holding(visit.member.staff_id, key) as mine:
        if not mine:
            return idempotency.in_use()
        with visit.services.database.write() as session:
            inside = visit.within(session)
            return idempotency.once(inside, session, key, digest, lambda: _attempt(call, inside))


def _attempt(call: Call, visit: Visit) -> Response:
    try:
        with visit.session.begin_nested() as attempt:
            answer = call.answer(visit)
            if answer.status_code >= HTTPStatus.BAD_REQUEST:
                attempt.rollback()
            return answer
    except UsageError as wrong:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(wrong))
    except IntegrityError:
        log.warning("%s %s: two changes met", call.method, call.path, exc_info=True)
        return problem(HTTPStatus.CONFLICT, "somebody else changed this at the same moment: try again")
    except DataError:
        log.warning("%s %s: a value was refused by the database", call.method, call.path, exc_info=True)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "a value can't be kept")
