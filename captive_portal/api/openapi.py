"""The OpenAPI 3.1 document of the JSON API, built of the table of calls and of their models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import JSONResponse

from captive_portal.api.examples import example
from captive_portal.api.problems import MEDIA_TYPE, TYPES, URN, Problem
from captive_portal.auth.api_tokens import FORM, SCOPES
from captive_portal.console.api_page import ApiPage
from captive_portal.console.route import Call, Page
from captive_portal.console.visit import SESSION_COOKIE

VERSION = "1"
PATH = "/api/v1/openapi.json"
_PARAMETER = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{model}"
IN_PATHS: Mapping[str, str] = {
    "acceptance": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
    "account": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
    "category": "gaming",
    "course": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
    "exemption": "e1",
    "export": "Zm9v",
    "file": "bundle",
    "generation": "2",
    "grant": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
    "group": "default",
    "index": "17",
    "key": "own-list",
    "mac": "02:00:5e:10:00:01",
    "name": "game.example",
    "network": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
    "opening": "course-019ab0c1d2e3-7",
    "request": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
    "session": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
    "setting": "owner.helpdesk_hours",
    "size": "42",
    "source": "own-list",
    "token": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
    "version": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
}
DESCRIPTION = f"""What the console does, for programs: the same permissions and the same functions, as JSON.

A program shows a personal access token, made on the console's page *Your account*, as `Authorization: Bearer gjn_…`
(`{FORM.pattern}`). It may do what its scopes say, and never more than the role of its person at the time of the call.
A browser that is signed in to the console may call with its session instead.

Errors are `application/problem+json` (RFC 9457). Long answers come in pages: follow `next`, or the Link header, as
it stands. Whatever changes something may be sent with an `Idempotency-Key`; sent again within 24 hours with the
same key, it is not done again, and its first answer is given again, but for what is told only once. Drafts have an
`ETag`; what changes or publishes one takes it as `If-Match`, so that nobody writes over what they have not seen.
Moments are UTC, and texts English.

Kinds of problems: {", ".join(f"`{URN}{kind}`" for kind in TYPES)}; all others are `about:blank`, told by their status.
"""


def document(calls: Sequence[Call]) -> dict[str, Any]:
    """The document that describes these calls."""
    modes: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [(Problem, "serialization")]
    modes += [(call.asks, "validation") for call in calls if call.asks is not None]
    modes += [(call.answers, "serialization") for call in calls if call.answers is not None]
    references, schema = models_json_schema(list(dict.fromkeys(modes)), ref_template=_REF)
    defined = schema["$defs"]
    built = _Built({key: value["$ref"].rpartition("/")[2] for key, value in references.items()}, defined)
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = built.operation(call)
    read = {call.asks.__name__ for call in calls if call.asks is not None and call.method == "GET"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "gjestenett", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(call.room or "api" for call in calls)],
        "paths": paths,
        "components": {
            "schemas": {name: part for name, part in defined.items() if name not in read},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A personal access token. Its scopes are some of {', '.join(SCOPES)}; "
                    "who may write in a group of rooms may read in it.",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
            },
        },
    }


class Description:
    """The document, built when it is first asked for: as JSON, and as a page."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._built = cache(lambda: document(calls))
        self._page = ApiPage(self._built, {(call.method, call.path): call.permission for call in calls})

    def call(self) -> Call:
        """GET /api/v1/openapi.json"""
        return Call("GET", PATH, "staff", lambda _: JSONResponse(self._built()), "none", None, None, "This document")

    def page(self) -> Page:
        """GET /api"""
        return Page("GET", "/api", "staff", self._page.show, "none")


def operation_id(call: Call) -> str:
    """The call's name: its method and its path, such as `get_policy_draft`."""
    words = re.sub(r"[^a-z0-9]+", "_", call.path.removeprefix("/api/v1").lower()).strip("_")
    return f"{call.method.lower()}_{words}"


class _Built:
    def __init__(self, names: Mapping[Any, str], defined: Mapping[str, Any]) -> None:
        self._names, self._defined = names, defined

    def operation(self, call: Call) -> dict[str, Any]:
        built: dict[str, Any] = {
            "operationId": operation_id(call),
            "summary": call.summary,
            "tags": [call.room or "api"],
            "security": [{"token": [call.scope] if call.scope else []}, {"session": []}],
            "parameters": [*_in_path(call), *self._in_query(call), *_in_headers(call)],
            "responses": self._responses(call),
        }
        if call.asks is not None and call.method != "GET":
            name = self._names[call.asks, "validation"]
            shown = example(self._defined[name], self._defined)
            schema = {"$ref": _REF.format(model=name)}
            built["requestBody"] = {
                "required": True, "content": {"application/json": {"schema": schema, "example": shown}},
            }  # fmt: skip
        return built

    def _in_query(self, call: Call) -> list[dict[str, Any]]:
        if call.asks is None or call.method != "GET":
            return []
        schema = self._defined[self._names[call.asks, "validation"]]
        needed = schema.get("required", [])
        return [
            {
                "name": name,
                "in": "query",
                "required": name in needed,
                "description": part.get("description", ""),
                "schema": {key: value for key, value in part.items() if key not in ("description", "title")},
            }
            for name, part in schema.get("properties", {}).items()
        ]

    def _responses(self, call: Call) -> dict[str, Any]:
        good: dict[str, Any] = {"description": call.status.phrase}
        if call.answers is not None:
            name = self._names[call.answers, "serialization"]
            shown = example(self._defined[name], self._defined)
            schema = {"$ref": _REF.format(model=name)}
            good["content"] = {"application/json": {"schema": schema, "example": shown}}
        elif call.status != HTTPStatus.NO_CONTENT:
            good["content"] = {call.media_type: {"schema": {}}}
        problem = {"$ref": _REF.format(model="Problem")}
        return {str(int(call.status)): good} | {
            str(int(status)): {
                "description": status.phrase,
                "content": {
                    MEDIA_TYPE: {
                        "schema": problem,
                        "example": {
                            "type": "about:blank", "title": status.phrase, "status": int(status),
                            "detail": status.phrase, "fields": {},
                        },
                    }
                },
            }
            for status in _errors(call)
        }  # fmt: skip


def _errors(call: Call) -> list[HTTPStatus]:
    found = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.TOO_MANY_REQUESTS}
    found |= {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE}
    if "{" in call.path or call.room in ("policy", "lists", "evidence", "rules"):
        found.add(HTTPStatus.NOT_FOUND)
    if call.method != "GET":
        found |= {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST}
        if call.asks is not None:
            found |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    if call.precondition:
        found.add(HTTPStatus.PRECONDITION_FAILED)
    if call.precondition == "required":
        found.add(HTTPStatus.PRECONDITION_REQUIRED)
    return sorted(found)


def _in_path(call: Call) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": IN_PATHS[name]}
        for name in _PARAMETER.findall(call.path)
    ]


def _in_headers(call: Call) -> list[dict[str, Any]]:
    found = []
    if call.transaction == "write":
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Choose one for each call; a repeated call with it is not done again.",
                "schema": {"type": "string", "maxLength": 255, "minLength": 1, "pattern": "^[!#-\\[\\]-~]+$"},
                "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
            }
        )
    if call.precondition:
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": call.precondition == "required",
                "description": "The ETag of what you have seen.",
                "schema": {"type": "string", "pattern": '^(W/)?"[A-Za-z0-9-]{1,64}"$'},
                "example": '"0a1b2c3d"',
            }
        )
    return found
