"""The JSON API's way through the gate: signed in first, then the body, then one answer, errors as JSON too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from captive_portal.console.gate import Call, arrive, from_here, run, signed_in
from captive_portal.console.look import Look
from captive_portal.console.visit import SESSION_COOKIE, Visit
from gateway.context import Services
from gateway.errors import UsageError
from gateway.storage.engine import StorageUnavailableError

BODY_MAX_BYTES = 2 << 20
VERSION = "1"


class Problem(BaseModel):
    """What went wrong: one line, and for a question that could not be read the places in it."""

    detail: str
    fields: dict[str, str] = {}


def routes(calls: Sequence[Call], services: Services, look: Look) -> list[APIRoute]:
    """The routes of these calls, each behind the gate."""
    return [_route(call, services, look) for call in calls]


def openapi(found: Sequence[APIRoute]) -> dict[str, Any]:
    """The OpenAPI document of the API."""
    return get_openapi(
        title="gjestenett console",
        version=VERSION,
        description="For signed-in IT, with the console's own session cookie. Everything answers JSON, errors too.",
        routes=found,
    )


def problem(status: HTTPStatus, detail: str = "", fields: dict[str, str] | None = None) -> Response:
    """An error as JSON."""
    body = Problem(detail=detail or status.phrase, fields=fields or {})
    return JSONResponse(body.model_dump(exclude_defaults=True), status)


def _route(call: Call, services: Services, look: Look) -> APIRoute:
    async def endpoint(request: Request) -> Response:
        visit = arrive(request, services, look)
        if call.method == "POST" and not from_here(request):
            return problem(HTTPStatus.FORBIDDEN, "this came from another site")
        try:
            staff = await run_in_threadpool(signed_in, visit, call.permission)
            if isinstance(staff, HTTPStatus):
                return problem(staff, "sign in first" if staff == HTTPStatus.UNAUTHORIZED else "for IT only")
            visit = replace(visit, staff=staff, cookie=visit.cookies.get(SESSION_COOKIE, ""))
            asked = await _asked(call, request)
            if isinstance(asked, Response):
                return asked
            return await run_in_threadpool(run, call, replace(visit, asked=asked))
        except UsageError as error:  # read well, but means nothing: a moment before all calendars
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except StorageUnavailableError:
            answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer: try again")
            answer.headers["Retry-After"] = "5"
            return answer

    endpoint.page = call  # type: ignore[attr-defined]  # what the test that walks all routes reads
    return APIRoute(
        call.path,
        endpoint,
        methods=[call.method],
        summary=call.summary,
        name=call.path.rpartition("/")[2],
        response_model=call.answers,
        responses={401: {"model": Problem}, 403: {"model": Problem}, 422: {"model": Problem}, 503: {"model": Problem}},
        openapi_extra=_described(call),
    )


async def _asked(call: Call, request: Request) -> BaseModel | Response | None:
    if call.asks is None:
        return None
    try:
        if call.method == "GET":
            return call.asks.model_validate_strings(dict(request.query_params))
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_MAX_BYTES:
                return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {BODY_MAX_BYTES} bytes")
        return call.asks.model_validate_json(bytes(body))
    except ValidationError as error:
        fields = {".".join(map(str, each["loc"])) or "body": each["msg"] for each in error.errors()[:20]}
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the question could not be read", fields)


def _described(call: Call) -> dict[str, Any]:
    """What is asked, as OpenAPI has it: parameters of a GET, the body of a POST."""
    if call.asks is None:
        return {}
    schema = call.asks.model_json_schema()
    if call.method == "POST":
        return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    needed = schema.get("required", [])
    parameters = [
        {
            "name": name,
            "in": "query",
            "required": name in needed,
            "description": part.get("description", ""),
            "schema": {key: value for key, value in part.items() if key not in ("description", "title")},
        }
        for name, part in schema["properties"].items()
    ]
    return {"parameters": parameters}


def answered(call_model: type[BaseModel], facts: object) -> Response:
    """Facts as the JSON that the model promises; a mismatch is a fault of ours."""
    return Response(call_model.model_validate(facts).model_dump_json(), media_type="application/json")


def unknown(visit: Visit, detail: str) -> Response:
    """404 with what is not there."""
    return problem(HTTPStatus.NOT_FOUND, detail)
