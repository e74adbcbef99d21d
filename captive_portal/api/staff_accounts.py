"""Accounts of staff over JSON: as in the staff room, with the one-time link in the first answer and nowhere else.

# INVARIANT: a token gives nobody an account that may more than the token itself, and none of IT.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment
from captive_portal.api.idempotency import ToldOnce
from captive_portal.api.paging import Asked, Page, Paged, answered, following, read_cursor
from captive_portal.api.problems import conflict, problem, refused, unknown
from captive_portal.api.staff_sight import Sees, SeesAsked, told, wanted
from captive_portal.auth import accounts, api_tokens, staff_keeping
from captive_portal.auth.accounts import Link, Role
from captive_portal.auth.staff_keeping import Refusal
from captive_portal.console.entry import staff_room as pages
from captive_portal.console.forms import clean_line
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.audit.scope import scope_of
from gateway.storage import passkeys, staff
from gateway.storage.keyset import Cut
from gateway.storage.staff_models import Staff

ROOT, ROOM = "/api/v1/staff", "staff"
UNIT = "a host has a unit, whose courses are theirs; others have none"
PAST = "it has passed; suspend the account to end it at once"
BEYOND = "a token gives nobody more than it may do itself, and nobody what IT may do: do this in the console"
Unit = Annotated[str, Field(max_length=300, examples=["Voksenopplæringen"])]


class StaffAccount(BaseModel):
    """An account. `state`: ready, waiting (for its link to be used), disabled or ended; `elsewhere`: it signs in at the
    OpenID provider; `sees` is null where nothing is hidden from its role.
    """

    id: str
    username: str
    role: str
    unit: str
    state: Annotated[str, Field(examples=["ready"])]
    elsewhere: Annotated[bool, Field(examples=[False])]
    authenticator: bool
    passkeys: int
    sees: Sees | None
    created_at: datetime
    last_sign_in_at: datetime | None
    ends_at: datetime | None


class StaffAccounts(Page):
    """Accounts, by name."""

    accounts: list[StaffAccount]


class StaffLink(StaffAccount):
    """An account, and the link by which its bearer chooses a password until `link_ends_at`. The link is told once: a
    call that is repeated with its Idempotency-Key is answered null.
    """

    link: Annotated[str | None, Field(examples=["https://console.example:8081/setup/…"])]
    link_ends_at: datetime


class StaffAsked(Asked):
    """A new account: a host has a unit, and an auditor may be limited. From `ends_at` on nobody signs in with it."""

    username: Annotated[str, Field(max_length=100, examples=["vert.vertsen"])]
    role: Annotated[Role, Field(examples=["host"])]
    unit: Unit = ""
    sees: Annotated[SeesAsked | None, Field(examples=[None])] = None
    ends_at: Annotated[Moment | None, Field(examples=[None])] = None


class StaffChanged(Asked):
    """Another role or unit, which signs it out and ends its tokens; what an auditor may see (`{}`: all); or the moment
    from which on nobody signs in with it (null: it has no end). What is left out stays.
    """

    role: Annotated[Role | None, Field(examples=["host"])] = None
    unit: Annotated[str | None, Field(max_length=300, examples=["Voksenopplæringen"])] = None
    sees: Annotated[SeesAsked | None, Field(examples=[None])] = None
    ends_at: Annotated[Moment | None, Field(examples=["2027-06-30T16:00:00Z"])] = None


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    one = f"{ROOT}/{{account}}"
    return (
        Call("GET", ROOT, "it", every, "read", Paged, StaffAccounts, "Accounts of staff", ROOM),
        Call(
            "POST", ROOT, "it", add, "write", StaffAsked, StaffLink, "Make an account, with its one-time link", ROOM,
            status=HTTPStatus.CREATED,
        ),
        Call("GET", one, "it", show, "read", None, StaffAccount, "One account", ROOM),
        Call("PATCH", one, "it", change, "write", StaffChanged, StaffAccount, "Change an account", ROOM),
        Call("POST", f"{one}/suspend", "it", suspend, "write", None, StaffAccount, "Let nobody in by an account", ROOM),
        Call("POST", f"{one}/reopen", "it", reopen, "write", None, StaffAccount, "Open an account again", ROOM),
        Call(
            "POST", f"{one}/reset", "it", reset, "write", None, StaffLink,
            "Take an account's password, and give it a new one-time link", ROOM,
        ),
        Call(
            "DELETE", f"{one}/second-factor", "it", remove_second_factor, "write", None, StaffAccount,
            "Take an account's authenticator and passkeys", ROOM,
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/staff"""
    after, owner_id = read_cursor(visit, 2), visit.services.place.owner_id
    if isinstance(after, Response):
        return after
    place = (after[0], after[1]) if after is not None else None
    cut = Cut("name", descending=False, limit=visit.asked.limit, place=place, rewinds=False)
    found = staff.page_of_accounts(visit.session, owner_id, accounts.UNNAMED, cut)
    counts = passkeys.counts(visit.session, owner_id)
    rows = [_facts(visit, row, counts.get(row.id, 0)) for row in found.rows]
    more = following(visit, found, lambda row: (row.username, row.id))
    return answered(StaffAccounts, {"accounts": rows, "next": more})


def add(visit: Visit) -> Response:
    """POST /api/v1/staff"""
    asked = visit.asked
    if not api_tokens.may_give(visit.member.token_scopes, asked.role):
        return _beyond()
    if asked.role != "host" and asked.unit.strip():
        return refused({"unit": UNIT})
    scope = wanted(visit, asked.sees)
    if isinstance(scope, Response):
        return scope
    done = pages.made(visit, asked.username, asked.role, asked.unit, ends_at=asked.ends_at, scope=scope)
    if not isinstance(done, tuple):
        return refused(done)
    name, link = done
    row = accounts.named(visit.session, visit.services.place, name)
    return _link(visit, row, link, HTTPStatus.CREATED)


def show(visit: Visit) -> Response:
    """GET /api/v1/staff/{account}"""
    row = pages.account_of(visit, visit.params["account"])
    return _gone(visit) if row is None else _account(visit, row)


def change(visit: Visit) -> Response:
    """PATCH /api/v1/staff/{account}: all that is asked, or nothing."""
    asked, held = visit.asked, _held(visit, gives=True)
    if isinstance(held, Response):
        return held
    role = asked.role or held.role
    if not api_tokens.may_give(visit.member.token_scopes, role):
        return _beyond()
    unit = asked.unit if asked.unit is not None else held.unit if role == "host" else ""
    line, wrong = clean_line(unit, pages.UNIT_MAX_CHARS)
    if wrong is not None:
        return refused({"unit": pages.UNIT_PROBLEMS[wrong]})
    session, place, by = visit.session, visit.services.place, visit.member.username
    refusal = staff_keeping.change_role(
        session, place, held, role, line, visit.services.settings.console, visit.now, by=by
    )
    if refusal not in (None, "nothing"):
        return _refused(visit, refusal)
    scope = wanted(visit, asked.sees) if asked.sees is not None else scope_of(held)
    if isinstance(scope, Response):
        return scope
    if scope != scope_of(held):
        accounts.change_account(session, place, held.username, visit.now, by=by, scope=scope)
    if "ends_at" in asked.model_fields_set:
        console = visit.services.settings.console
        refusal = staff_keeping.change_end(session, place, held, asked.ends_at, console, visit.now, by=by)
    return _account(visit, held) if refusal in (None, "nothing") else _refused(visit, refusal)


def suspend(visit: Visit) -> Response:
    """POST /api/v1/staff/{account}/suspend"""
    held = _held(visit, gives=False)
    if isinstance(held, Response):
        return held
    place, by, console = visit.services.place, visit.member.username, visit.services.settings.console
    return _done(visit, held, staff_keeping.suspend(visit.session, place, held, console, visit.now, by=by))


def reopen(visit: Visit) -> Response:
    """POST /api/v1/staff/{account}/reopen"""
    held = _held(visit, gives=True)
    if isinstance(held, Response):
        return held
    place, by = visit.services.place, visit.member.username
    return _done(visit, held, staff_keeping.reopen(visit.session, place, held, visit.now, by=by))


def reset(visit: Visit) -> Response:
    """POST /api/v1/staff/{account}/reset"""
    held = _held(visit, gives=True)
    if isinstance(held, Response):
        return held
    place, by, console = visit.services.place, visit.member.username, visit.services.settings.console
    link = staff_keeping.renew_link(visit.session, place, held, console, visit.now, by=by)
    return _link(visit, held, link) if isinstance(link, Link) else _refused(visit, link)


def remove_second_factor(visit: Visit) -> Response:
    """DELETE /api/v1/staff/{account}/second-factor"""
    held = _held(visit, gives=True)
    if isinstance(held, Response):
        return held
    place, by, console = visit.services.place, visit.member.username, visit.services.settings.console
    refusal = staff_keeping.remove_second_factor(visit.session, place, held, console, visit.now, by=by)
    return _done(visit, held, refusal)


def _held(visit: Visit, *, gives: bool) -> Staff | Response:
    """The account, to be changed by this call. `gives`: whether it may let somebody do what the account's role may."""
    held = pages.hold(visit, visit.params["account"])
    if not isinstance(held, Staff):
        return _refused(visit, held)
    return _beyond() if gives and not api_tokens.may_give(visit.member.token_scopes, held.role) else held


def _done(visit: Visit, row: Staff, refusal: Refusal | None) -> Response:
    return _account(visit, row) if refusal is None else _refused(visit, refusal)


def _refused(visit: Visit, refusal: Refusal) -> Response:
    if refusal == "unknown":
        return _gone(visit)
    wrong = {"unit": {"unit": UNIT}, "past": {"ends_at": PAST}}.get(refusal)
    return refused(wrong) if wrong is not None else conflict(pages.REFUSALS[refusal])


def _beyond() -> Response:
    return problem(HTTPStatus.FORBIDDEN, BEYOND, kind="scope")


def _gone(visit: Visit) -> Response:
    return unknown(visit, "there is no such account")


def _link(visit: Visit, row: Staff, link: Link, status: HTTPStatus = HTTPStatus.OK) -> Response:
    facts = _facts(visit, row, _passkeys(visit, row)) | {"link_ends_at": link.expires_at}
    place = f"{ROOT}/{row.id}"
    shown, again = (
        answered(StaffLink, facts | {"link": url}, status=status, Location=place)
        for url in (link.url(visit.services.settings.console), None)
    )
    return ToldOnce(shown, again)


def _account(visit: Visit, row: Staff) -> Response:
    return answered(StaffAccount, _facts(visit, row, _passkeys(visit, row)))


def _passkeys(visit: Visit, row: Staff) -> int:
    return len(passkeys.of_staff(visit.session, row.id))


def _facts(visit: Visit, row: Staff, keys: int) -> dict[str, Any]:
    names = ("id", "username", "role", "unit", "created_at", "last_sign_in_at", "ends_at")
    return {name: getattr(row, name) for name in names} | {
        "state": accounts.state_of(row, visit.now),
        "elsewhere": bool(row.oidc_subject),
        "authenticator": row.totp_secret is not None,
        "passkeys": keys,
        "sees": told(scope_of(row)),
    }
