"""Personal access tokens: one's own are made and ended on one's account, and IT sees and ends those of others.

A token outlives the browser that made it, so making one asks for the password again. It is shown in that one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.auth import api_tokens
from captive_portal.auth.accounts import console_url
from captive_portal.console.devices.admitting import end_of_day
from captive_portal.console.entry.account import own_secrets, password_problems
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.clock import MUNICIPAL_ZONE
from gateway.storage import api_tokens as stored

PRESET = timedelta(days=90)
ROOMS = {
    "overview": N_("Overview"),
    "policy": N_("Content filter, exemptions and name lookups"),
    "lists": N_("Lists"),
    "rules": N_("Rules"),
    "devices": N_("Devices online, and the network"),
    "courses": N_("Courses"),
    "evidence": N_("Acceptances, the log and exports"),
    "staff": N_("Accounts, and who is signed in"),
    "settings": N_("Settings"),
    "account": N_("Your account"),
}
assert ROOMS.keys() == api_tokens.ROOMS.keys(), "a group of rooms has no name"
NAME_PROBLEMS = {
    "missing": N_("Write what the token is for"),
    "too_long": N_("At most 80 characters"),
    "characters": N_("There are characters here that can’t be used"),
}
PROBLEMS = {
    "no_scope": N_("Choose at least one thing that the token may do"),
    "not_yours": N_("You can’t give a token more than you may do yourself"),
    "past": N_("This day is past"),
    "too_long": N_("A token lasts at most a year; choose an earlier day"),
    "taken": N_(
        "You have a token of this name. If it was just made and you lack its text, revoke it. Choose another name."
    ),
    "revoked": N_("A token of this name was just revoked. Choose another name, or wait an hour."),
    "too_many": N_("You have 50 tokens. Revoke those that are not in use."),
}
FIELDS = ("name", "scopes", "expires", "current_password", "")
DAY = N_("Give the last day of the token")
assert (api_tokens.NAME_MAX_CHARS, api_tokens.MOST) == (80, 50), "the messages above say other numbers"
assert timedelta(hours=1) == api_tokens.FORM_LIFE, "the message above says another time"


def show(visit: Visit) -> Response:
    """GET /account/tokens"""
    last = (visit.now + PRESET).astimezone(MUNICIPAL_ZONE).date()
    return _page(visit, typed={"name": "", "expires": last.isoformat()})


def make(visit: Visit) -> Response:
    """POST /account/tokens"""
    name, wrong = clean_line(visit.form.get("name"), api_tokens.NAME_MAX_CHARS, required=True)
    expires_at, own, place = end_of_day(visit.form.get("expires")), own_secrets(visit), visit.services.place
    problems = {"name": NAME_PROBLEMS[wrong]} if wrong is not None else {}
    if expires_at is None:
        problems["expires"] = DAY
    problems |= password_problems(visit, own)
    asked, now = (visit.member.staff_id, name, _chosen(visit)), visit.now
    with visit.services.database.write() as session:
        if problems or expires_at is None:
            found = api_tokens.problems_with(session, *asked, expires_at, now)
        else:
            made = api_tokens.make(session, place, *asked, expires_at, now)
            if isinstance(made, api_tokens.Made):
                address = console_url(visit.services.settings.console)
                return visit.page("account_token.html", secret=made.secret, row=made.row, address=address)
            found = made.problems
    problems = {field: PROBLEMS[problem] for field, problem in found.items()} | problems
    problems = {field: problems[field] for field in FIELDS if field in problems}
    typed = {"name": name, "expires": visit.form.get("expires")[:10]}
    return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed, problems=problems)


def revoke(visit: Visit) -> Response:
    """POST /account/tokens/{id}/revoke: one of one's own."""
    revoked(visit, visit.params["id"], of_others=False)
    return visit.go("/account/tokens?notice=revoked")


def everybodys(visit: Visit) -> Response:
    """GET /tokens"""
    return visit.page(
        "staff_tokens.html",
        tokens=stored.of_owner(visit.session, visit.services.place.owner_id),
        now=visit.now,
        rooms=ROOMS,
        notice=visit.query.get("notice", ""),
    )


def revoke_anybodys(visit: Visit) -> Response:
    """POST /tokens/{id}/revoke"""
    revoked(visit, visit.params["id"], of_others=True)
    return visit.go("/tokens?notice=revoked")


def revoked(visit: Visit, token_id: str, *, of_others: bool) -> bool:
    """End a token, with its leaf. False when there is none that works, of one's own or, `of_others`, of anybody."""
    row = stored.by_id(visit.session, visit.services.place.owner_id, token_id[:32])
    if row is None or not (of_others or row.staff_id == visit.member.staff_id):
        return False
    return api_tokens.revoke(visit.session, visit.services.place, row, visit.member.username, visit.now)


def _chosen(visit: Visit) -> list[str]:
    return [f"{room}:{access}" for room in ROOMS if (access := visit.form.get(f"scope-{room}")) in ("read", "write")]


def _page(
    visit: Visit, status: int = HTTPStatus.OK, *, typed: Mapping[str, str], problems: Mapping[str, str] | None = None
) -> Response:
    own, possible = own_secrets(visit), api_tokens.scopes_of(visit.member.role)
    with visit.services.database.read() as session:
        tokens = stored.of_staff(session, visit.member.staff_id)
    return visit.page(
        "account_tokens.html",
        status,
        tokens=tokens,
        now=visit.now,
        rooms=ROOMS,
        choices=[(room, f"{room}:write" in possible) for room in ROOMS if f"{room}:read" in possible],
        chosen=_chosen(visit),
        typed=typed,
        problems=problems or {},
        password=own is not None,
        notice=visit.query.get("notice", ""),
    )
