"""One's own account over JSON: who is calling, the browsers that are signed in, and the tokens."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from captive_portal.api.paging import Page, Paged, answered, following, moment_place, no_content, read_cursor
from captive_portal.api.problems import unknown
from captive_portal.console.entry import account, staff_sessions, tokens
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.storage import api_tokens as stored_tokens
from gateway.storage import staff
from gateway.storage.api_models import ApiToken
from gateway.storage.keyset import Cut

ROOT = "/api/v1"


class Account(BaseModel):
    """Who is calling; `scopes` are those of the token, null in a browser, which may whatever the role may."""

    username: str
    role: str
    unit: str
    ends_at: datetime | None
    scopes: list[str] | None


class Browser(BaseModel):
    """A signed-in browser; `this` is the one that calls."""

    id: str
    username: str
    method: str
    address: str
    browser: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    this: bool


class Browsers(Page):
    """Signed-in browsers."""

    sessions: list[Browser]


class Token(BaseModel):
    """A personal access token, without its secret. `state`: works, revoked or ended."""

    id: str
    username: str
    name: str
    scopes: list[str]
    state: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_used_address: str


class Tokens(Page):
    """Tokens, the newest first; those that ended stay for 30 days."""

    tokens: list[Token]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    own, room, staffs = f"{ROOT}/account", "account", "staff"
    return (
        Call("GET", own, "staff", whoami, "none", None, Account, "Who is calling"),
        Call("GET", f"{own}/sessions", "staff", own_sessions, "read", Paged, Browsers, "Your signed-in browsers", room),
        Call(
            "DELETE", f"{own}/sessions/{{session}}", "staff", end_own_session, "write", None, None,
            "Sign out one of your browsers", room, status=HTTPStatus.NO_CONTENT,
        ),
        Call("GET", f"{own}/tokens", "staff", own_tokens, "read", Paged, Tokens, "Your tokens", room),
        Call(
            "DELETE", f"{own}/tokens/{{token}}", "staff", revoke_own, "write", None, None, "Revoke one of your tokens",
            room, status=HTTPStatus.NO_CONTENT,
        ),
        Call("GET", f"{ROOT}/sessions", "it", sessions, "read", Paged, Browsers, "Who is signed in", staffs),
        Call(
            "DELETE", f"{ROOT}/sessions/{{session}}", "it", end_session, "write", None, None, "Sign somebody out",
            staffs, status=HTTPStatus.NO_CONTENT,
        ),
        Call("GET", f"{ROOT}/tokens", "it", everybodys_tokens, "read", Paged, Tokens, "Everybody's tokens", staffs),
        Call(
            "DELETE", f"{ROOT}/tokens/{{token}}", "it", revoke, "write", None, None, "Revoke anybody's token", staffs,
            status=HTTPStatus.NO_CONTENT,
        ),
    )  # fmt: skip


def whoami(visit: Visit) -> Response:
    """GET /api/v1/account"""
    member = visit.member
    return answered(
        Account,
        {
            "username": member.username,
            "role": member.role,
            "unit": member.unit,
            "ends_at": member.ends_at,
            "scopes": None if member.token_scopes is None else sorted(member.token_scopes),
        },
    )


def own_sessions(visit: Visit) -> Response:
    """GET /api/v1/account/sessions"""
    return _browsers(visit, visit.member.staff_id)


def end_own_session(visit: Visit) -> Response:
    """DELETE /api/v1/account/sessions/{session}: one that has ended already stays ended."""
    account.signed_out(visit, visit.params["session"])
    return no_content()


def own_tokens(visit: Visit) -> Response:
    """GET /api/v1/account/tokens"""
    return _tokens(visit, visit.member.staff_id)


def revoke_own(visit: Visit) -> Response:
    """DELETE /api/v1/account/tokens/{token}"""
    return _revoke(visit, of_others=False)


def sessions(visit: Visit) -> Response:
    """GET /api/v1/sessions"""
    return _browsers(visit)


def end_session(visit: Visit) -> Response:
    """DELETE /api/v1/sessions/{session}: one that has ended already stays ended."""
    staff_sessions.signed_out(visit, visit.params["session"])
    return no_content()


def everybodys_tokens(visit: Visit) -> Response:
    """GET /api/v1/tokens"""
    return _tokens(visit)


def revoke(visit: Visit) -> Response:
    """DELETE /api/v1/tokens/{token}"""
    return _revoke(visit, of_others=True)


def _revoke(visit: Visit, *, of_others: bool) -> Response:
    done = tokens.revoked(visit, visit.params["token"], of_others=of_others)
    return no_content() if done else unknown(visit, "there is no such token that works")


def _browsers(visit: Visit, staff_id: str = "") -> Response:
    cut = _newest_first(visit)
    if isinstance(cut, Response):
        return cut
    owner_id = visit.services.place.owner_id
    found = staff.page_of_sign_ins(visit.session, owner_id, visit.now, visit.idle, cut, staff_id)
    names = ("id", "method", "address", "browser", "created_at", "seen_at", "expires_at")
    facts: list[dict[str, Any]] = [
        {name: getattr(row, name) for name in names}
        | {"username": row.staff.username, "this": row.id == visit.member.session_id}
        for row in found.rows
    ]
    return answered(
        Browsers, {"sessions": facts, "next": following(visit, found, lambda row: (row.created_at, row.id))}
    )


def _tokens(visit: Visit, staff_id: str = "") -> Response:
    cut = _newest_first(visit)
    if isinstance(cut, Response):
        return cut
    found = stored_tokens.page_of_tokens(visit.session, visit.services.place.owner_id, cut, staff_id)
    names = ("id", "name", "created_at", "expires_at", "revoked_at", "last_used_at", "last_used_address")
    facts: list[dict[str, Any]] = [
        {name: getattr(row, name) for name in names}
        | {"username": row.staff.username, "scopes": row.scopes.split(), "state": _state(row, visit.now)}
        for row in found.rows
    ]
    return answered(Tokens, {"tokens": facts, "next": following(visit, found, lambda row: (row.created_at, row.id))})


def _newest_first(visit: Visit) -> Cut | Response:
    place = moment_place(read_cursor(visit, 2))
    if isinstance(place, Response):
        return place
    return Cut("created", descending=True, limit=visit.asked.limit, place=place, rewinds=False)


def _state(row: ApiToken, now: datetime) -> str:
    return "revoked" if row.revoked_at is not None else "ended" if row.expires_at <= now else "works"
