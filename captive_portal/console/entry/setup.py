"""The page behind a one-time link, where its bearer chooses the password and, first of all accounts, the user name;
and pairs an authenticator, which auditors need and IT may have."""

from __future__ import annotations

from http import HTTPStatus

from markupsafe import Markup
from starlette.responses import Response

from captive_portal.auth import accounts
from captive_portal.auth.accounts import OpenLink, Second
from captive_portal.auth.passwords import MAX_CHARS, MIN_CHARS, hash_password, problem_with
from captive_portal.auth.second_factor import (
    SecondFactor,
    matching_step,
    new_recovery_codes,
    provisioning_uri,
    qr_svg,
    readable,
    recovery_sha256,
)
from captive_portal.auth.tokens import TOKEN_MAX_CHARS
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit

USERNAME_PROBLEM = N_("Choose a user name of 2 to 64 characters: letters a–z, æ, ø, å, digits and . _ @ -")
USERNAME_TAKEN = N_("Another account has this user name. Choose a different one.")
PASSWORDS_DIFFER = N_("The two passwords are not the same.")
CODE_MISSING = N_("Write the code that the authenticator shows. Auditors need it at each sign-in.")
CODE_PROBLEM = N_("The code is not right. Check that the phone’s clock is right, and write the code it shows now.")
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


class SetupPages:
    """What the bearer of a link sees and chooses; `second` holds the key of the second factors."""

    def __init__(self, second: SecondFactor) -> None:
        self._second = second

    def show(self, visit: Visit) -> Response:
        """GET /setup/{token}"""
        link = _link(visit)
        return _expired(visit) if link is None else self._page(visit, link, {}, "")

    def choose(self, visit: Visit) -> Response:
        """POST /setup/{token}"""
        link = _link(visit)
        if link is None:
            return _expired(visit)
        typed = link.username or visit.form.get("username")
        name = accounts.normal_username(typed)
        problems = _problems(visit, name)
        code, secret = visit.form.get("code").strip(), self._second.secret_for(visit.params["token"])
        step = matching_step(secret, code, visit.now, 0) if code else None
        if step is None and (code or _needs_factor(visit, link)):
            problems["code"] = CODE_PROBLEM if code else CODE_MISSING
        if problems or name is None:
            return self._page(visit, link, problems, name or "")
        password_hash = hash_password(visit.form.get("password"))
        codes = new_recovery_codes() if step is not None else ()
        factor = None
        if step is not None:
            hashes = [sha256 for sha256 in map(recovery_sha256, codes) if sha256 is not None]
            factor = Second(self._second.lock(secret), step, hashes)
        token, place = visit.params["token"], visit.services.place
        with visit.services.database.write() as session:
            outcome = accounts.redeem(session, place, token, name, password_hash, visit.now, second=factor)
        if outcome == "taken":
            return self._page(visit, link, {"username": USERNAME_TAKEN}, name)
        if outcome == "link":
            return _expired(visit)
        # Shown in this one answer and never again.
        return visit.page("recovery_codes.html", codes=codes) if codes else visit.go("/sign-in?notice=ready")

    def _page(self, visit: Visit, link: OpenLink, problems: dict[str, str], username: str) -> Response:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        secret = self._second.secret_for(visit.params["token"])
        uri = provisioning_uri(secret, link.username or link.role, visit.services.settings.owner.name)
        return visit.page(
            "setup.html",
            status,
            link=link,
            factor_needed=_needs_factor(visit, link),
            problems=problems,
            username=username,
            secret=readable(secret),
            uri=uri,
            qr=Markup(qr_svg(uri)),  # noqa: S704 - our own SVG, in which the text stands as modules only
        )


def _needs_factor(visit: Visit, link: OpenLink) -> bool:
    return visit.services.settings.console.needs_second_factor(link.role)


def _problems(visit: Visit, name: str | None) -> dict[str, str]:
    password = visit.form.get("password")
    problems: dict[str, str] = {}
    if name is None:
        problems["username"] = USERNAME_PROBLEM
    problem = problem_with(password, name or "", visit.services.settings.owner.name)
    if problem is not None:
        problems["password"] = PASSWORD_PROBLEMS[problem]
    elif password != visit.form.get("password_again"):
        problems["password_again"] = PASSWORDS_DIFFER
    return problems


def _link(visit: Visit) -> OpenLink | None:
    token = visit.params["token"]
    if len(token) > TOKEN_MAX_CHARS:
        return None
    with visit.services.database.read() as session:
        return accounts.open_link(session, visit.services.place, token, visit.now)


def _expired(visit: Visit) -> Response:
    return visit.failed(HTTPStatus.GONE)
