"""The page behind a one-time link, where its bearer chooses the password and, first of all accounts, the user name."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from captive_portal.auth import accounts
from captive_portal.auth.accounts import OpenLink
from captive_portal.auth.passwords import MAX_CHARS, MIN_CHARS, hash_password, problem_with
from captive_portal.auth.tokens import TOKEN_MAX_CHARS
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit

USERNAME_PROBLEM = N_("Choose a user name of 2 to 64 characters: letters a–z, æ, ø, å, digits and . _ @ -")
USERNAME_TAKEN = N_("Another account has this user name. Choose a different one.")
PASSWORDS_DIFFER = N_("The two passwords are not the same.")
PASSWORD_PROBLEMS = {
    "too_short": N_("The password must have at least 15 characters. A sentence of a few words works well."),
    "too_long": N_("The password may have at most 200 characters."),
    "characters": N_("The password has a character that can't be used, such as a line break or tabulator."),
    "repeats": N_("The password repeats the same characters. Use a few words that don't belong together."),
    "in_a_row": N_(
        "The password is mostly characters in a row, such as 12345. Use a few words that don't belong together."
    ),
    "known_words": N_(
        "The password is mostly your user name, the municipality's name or words like password. Use other words."
    ),
}
assert (MIN_CHARS, MAX_CHARS) == (15, 200), "the messages above say other numbers"


def show(visit: Visit) -> Response:
    """GET /setup/{token}"""
    link = _link(visit)
    return _expired(visit) if link is None else _page(visit, link, {}, "")


def choose(visit: Visit) -> Response:
    """POST /setup/{token}"""
    link = _link(visit)
    if link is None:
        return _expired(visit)
    typed = link.username or visit.form.get("username")
    name = accounts.normal_username(typed)
    password, again = visit.form.get("password"), visit.form.get("password_again")
    problems: dict[str, str] = {}
    if name is None:
        problems["username"] = USERNAME_PROBLEM
    problem = problem_with(password, name or "", visit.services.place.owner_name)
    if problem is not None:
        problems["password"] = PASSWORD_PROBLEMS[problem]
    elif password != again:
        problems["password_again"] = PASSWORDS_DIFFER
    if problems or name is None:
        return _page(visit, link, problems, name or "")
    password_hash = hash_password(password)
    with visit.services.database.write() as session:
        outcome = accounts.redeem(session, visit.services.place, visit.params["token"], name, password_hash, visit.now)
    if outcome == "taken":
        return _page(visit, link, {"username": USERNAME_TAKEN}, name)
    return visit.go("/sign-in?notice=ready") if outcome == "done" else _expired(visit)


def _link(visit: Visit) -> OpenLink | None:
    token = visit.params["token"]
    if len(token) > TOKEN_MAX_CHARS:
        return None
    with visit.services.database.read() as session:
        return accounts.open_link(session, visit.services.place, token, visit.now)


def _page(visit: Visit, link: OpenLink, problems: dict[str, str], username: str) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return visit.page("setup.html", status, link=link, problems=problems, username=username)


def _expired(visit: Visit) -> Response:
    return visit.failed(HTTPStatus.GONE)
