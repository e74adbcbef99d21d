"""POST /witness/add-checkpoint (c2sp.org/tlog-witness): the console receives it, the sealer answers it by way of the
database.

For programs of other installations, without sign-in: a request is authenticated by its checkpoint's signature. Only
those
of known logs reach the database.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from captive_portal.console.route import Page
from captive_portal.console.visit import Visit
from gateway.audit.errors import NoteError
from gateway.audit.witness import told
from gateway.audit.witness_text import MAX_REQUEST_BYTES, PATH, SIZE_TYPE, parse_request
from gateway.audit.witnessing import Refused, is_known
from gateway.context import Services
from gateway.installation import known_logs
from gateway.storage import log_witness
from gateway.storage.engine import StorageUnavailableError

WAIT_S = 10.0
LOOK_EVERY_S = 0.1


def route(services: Services) -> Route:
    """The route. It answers 404 for every log where none is witnessed."""
    logs = known_logs(services.settings)

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_REQUEST_BYTES:
                return _said(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MAX_REQUEST_BYTES} bytes\n")
        try:
            refused = await run_in_threadpool(lambda: is_known(parse_request(bytes(body)), logs))
        except NoteError as error:
            return _said(HTTPStatus.BAD_REQUEST, f"{error}\n")
        if refused is not None:
            return _refusal(refused)
        try:
            return await _ask(services, bytes(body))
        except StorageUnavailableError:
            return _busy("the database does not answer\n")

    # What the test that walks all routes reads: anybody may, and it is no form of ours.
    endpoint.page = Page("POST", f"/witness{PATH}", "public", _no_page, "none")  # type: ignore[attr-defined]
    return Route(f"/witness{PATH}", endpoint, methods=["POST"])


async def _ask(services: Services, body: bytes) -> Response:
    request_id = await run_in_threadpool(_hand_over, services, body)
    if request_id is None:
        return _busy("too many requests wait\n")
    deadline = time.monotonic() + WAIT_S
    try:
        while time.monotonic() < deadline:
            found = await run_in_threadpool(_look, services, request_id)
            if found is not None:
                status, text = found
                return _said(HTTPStatus(status), text)
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await run_in_threadpool(_forget, services, request_id)
    return _busy("the sealer does not answer; it signs nothing while a restore waits to be acknowledged\n")


def _hand_over(services: Services, body: bytes) -> str | None:
    with services.database.write() as session:
        return log_witness.ask(session, services.place.owner_id, body, services.clock())


def _look(services: Services, request_id: str) -> tuple[int, str] | None:
    with services.database.read() as session:
        return log_witness.answer(session, request_id)


def _forget(services: Services, request_id: str) -> None:
    with services.database.write() as session:
        log_witness.forget(session, request_id)


def _refusal(refused: Refused) -> Response:
    return _said(HTTPStatus(refused.status), told(refused))


def _said(status: HTTPStatus, text: str) -> Response:
    kind = SIZE_TYPE if status == HTTPStatus.CONFLICT else "text/plain; charset=utf-8"
    return PlainTextResponse(text, status, headers={"content-type": kind})


def _busy(text: str) -> Response:
    response = _said(HTTPStatus.SERVICE_UNAVAILABLE, text)
    response.headers["Retry-After"] = "30"
    return response


def _no_page(_visit: Visit) -> Response:
    raise AssertionError("the witness answers for itself")
