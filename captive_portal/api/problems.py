"""Errors of the JSON API as `application/problem+json` (RFC 9457): what is wrong, and in which fields."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from captive_portal.console.visit import Visit

MEDIA_TYPE = "application/problem+json"
OUTSIDE = "this is outside what your account may see"
URN = "urn:gjestenett:problem:"
TYPES: Mapping[str, str] = MappingProxyType(
    {
        "signed-out": "Nobody is signed in",
        "token": "The token is not valid",
        "scope": "The token does not cover this",
        "role": "Another role is needed",
        "foreign": "The request came from another site",
        "unreadable": "The question can't be read",
        "precondition": "If-Match is missing",
        "changed": "It was changed meanwhile",
        "key-malformed": "The idempotency key can't be read",
        "key-reused": "The idempotency key was used for something else",
        "key-in-use": "A call with this idempotency key is under way",
        "not-compiled": "No policy is compiled yet",
        "storage": "The database does not answer",
    }
)
"""The kinds that programs can tell apart, each with its title; all others are `about:blank`, told by their status."""


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it; `fields` are the places in what was asked, where it could be told."""

    type: Annotated[str, Field(examples=[f"{URN}unreadable"])]
    title: Annotated[str, Field(examples=[TYPES["unreadable"]])]
    status: Annotated[int, Field(examples=[422])]
    detail: Annotated[str, Field(examples=["the question could not be read"])]
    fields: Annotated[dict[str, str], Field(examples=[{"name": "Field required"}])] = {}


def problem(status: HTTPStatus, detail: str = "", fields: Mapping[str, str] | None = None, kind: str = "") -> Response:
    """An error: `kind` is one of TYPES, or "" for one that its status tells."""
    body = Problem(
        type=f"{URN}{kind}" if kind else "about:blank",
        title=TYPES[kind] if kind else status.phrase,
        status=status,
        detail=detail or status.phrase,
        fields=dict(fields or {}),
    )
    return JSONResponse(body.model_dump(), status, media_type=MEDIA_TYPE)


def refused(fields: Mapping[str, str], detail: str = "") -> Response:
    """422: read well, but it can't be done as it stands."""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail or "; ".join(dict.fromkeys(fields.values())), fields)


def unknown(visit: Visit, detail: str) -> Response:
    """404 with what is not there."""
    return problem(HTTPStatus.NOT_FOUND, detail)


def not_shown(visit: Visit, status: HTTPStatus, detail: str) -> Response:
    """404 with what is not there; 403 where that is outside what the reader's account may see."""
    return problem(status, OUTSIDE) if status == HTTPStatus.FORBIDDEN else unknown(visit, detail)


def conflict(detail: str) -> Response:
    """409: as things stand it can't be done."""
    return problem(HTTPStatus.CONFLICT, detail)


def changed(detail: str, etag: str = "") -> Response:
    """412: somebody has changed it since the edition in `If-Match`; `etag` is the edition of now."""
    answer = problem(HTTPStatus.PRECONDITION_FAILED, detail, kind="changed")
    if etag:
        answer.headers["ETag"] = quoted(etag)
    return answer


def quoted(etag: str) -> str:
    """An edition as the headers write it."""
    return f'"{etag}"'


def unavailable() -> Response:
    """503: the database is away."""
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer: try again", kind="storage")
    answer.headers["Retry-After"] = "5"
    return answer
