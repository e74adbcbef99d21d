"""One's own account: password, authenticator, recovery codes, and the browsers that are signed in.

Each change asks for the password again, so that an open browser is not enough to take an account over.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from captive_portal.auth import own_account
from captive_portal.auth.accounts import Second
from captive_portal.auth.passwords import hash_password, password_matches, problem_with
from captive_portal.auth.second_factor import (
    SecondFactor,
    matching_step,
    new_recovery_codes,
    provisioning_uri,
    qr_svg,
    readable,
    recovery_sha256,
)
from captive_portal.auth.throttle import Throttle
from captive_portal.auth.tokens import form_token_matches, token_sha256
from captive_portal.console.entry.pace import PATIENCE_S
from captive_portal.console.entry.setup import CODE_PROBLEM, PASSWORD_PROBLEMS, PASSWORDS_DIFFER
from captive_portal.console.entry.signin import drop_cookie
from captive_portal.console.look import N_
from captive_portal.console.visit import SESSION_COOKIE, Visit
from gateway.storage import passkeys, staff

NO_PASSWORD = N_("Write your password")
WRONG_PASSWORD = N_("That is not the password you have now.")
SAME_PASSWORD = N_("That is the password you have already. Choose another one.")
CHANGED_MEANWHILE = N_("The account was changed elsewhere meanwhile. Nothing was done; try again.")


class _Own(NamedTuple):
    password_hash: str
    totp_secret: str


class AccountPace:
    """Attempts at the password by one session wait for each other."""

    def __init__(self) -> None:
        self._by_session = Throttle(free=5, first_s=1.0, longest_s=30.0)

    def wait_s(self, visit: Visit) -> float | None:
        """How long this attempt waits; None when it is not made. What the gate refuses anyway is no attempt, and
        neither is a form without a password: it guesses nothing, and nothing is forgotten for it.
        """
        at_s, secret = time.monotonic(), visit.cookies.get(SESSION_COOKIE, "")
        if not (visit.form.get("current_password") and form_token_matches(secret, visit.form.get("form_token"))):
            return 0.0
        return None if self._by_session.ahead_s(_key(visit), at_s) > PATIENCE_S else self._take(visit, at_s)

    def retry_s(self, visit: Visit) -> int:
        """After how many seconds a refused attempt may be made."""
        return math.ceil(self._by_session.ahead_s(_key(visit), time.monotonic()))

    def succeeded(self, visit: Visit) -> None:
        self._by_session.succeeded(_key(visit))

    def _take(self, visit: Visit, at_s: float) -> float:
        return self._by_session.take(_key(visit), at_s)


class AccountPages:
    """The pages of one's own account; `second` holds the key of the second factors."""

    def __init__(self, second: SecondFactor) -> None:
        self._second = second

    def password(self, visit: Visit) -> Response:
        """GET /account/password"""
        return _local(visit) or visit.page("account_password.html", problems={})

    def change_password(self, visit: Visit) -> Response:
        """POST /account/password"""
        own = own_secrets(visit)
        if own is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        new, problems = visit.form.get("password"), password_problems(visit, own)
        problem = problem_with(new, visit.member.username, visit.services.settings.owner.name)
        if problems:
            pass  # nobody is told whether the new one is the present one
        elif problem is not None:
            problems["password"] = PASSWORD_PROBLEMS[problem]
        elif new != visit.form.get("password_again"):
            problems["password_again"] = PASSWORDS_DIFFER
        elif password_matches(own.password_hash, new):
            problems["password"] = SAME_PASSWORD
        if not problems:
            new_hash, member = hash_password(new), visit.member
            with visit.services.database.write() as session:
                if own_account.change_password(
                    session, visit.services.place, member.staff_id, own.password_hash, new_hash, member.session_id,
                    visit.now,
                ):  # fmt: skip
                    return visit.go("/account?notice=password")
            problems[""] = CHANGED_MEANWHILE
        return visit.page("account_password.html", HTTPStatus.UNPROCESSABLE_ENTITY, problems=problems)

    def authenticator(self, visit: Visit) -> Response:
        """GET /account/authenticator"""
        own = own_secrets(visit)
        return visit.failed(HTTPStatus.NOT_FOUND) if own is None else self._pairing(visit, own, {})

    def set_authenticator(self, visit: Visit) -> Response:
        """POST /account/authenticator"""
        own = own_secrets(visit)
        if own is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        secret = self._offered(visit, own)
        step = matching_step(secret, visit.form.get("code")[:100], visit.now, 0)
        problems = ({"code": CODE_PROBLEM} if step is None else {}) | password_problems(visit, own)
        if problems or step is None:
            return self._pairing(visit, own, problems)
        codes, member = new_recovery_codes(), visit.member
        factor = Second(self._second.lock(secret), step, _hashes(codes))
        with visit.services.database.write() as session:
            done = own_account.set_authenticator(
                session, visit.services.place, member.staff_id, own.password_hash, factor, member.session_id, visit.now
            )
        if not done:
            return self._pairing(visit, own, {"": CHANGED_MEANWHILE})
        return visit.page("account_codes.html", codes=codes)  # shown in this one answer and never again

    def recovery_codes(self, visit: Visit) -> Response:
        """GET /account/recovery-codes"""
        return _with_authenticator(visit) or visit.page("account_new_codes.html", problems={})

    def renew_codes(self, visit: Visit) -> Response:
        """POST /account/recovery-codes"""
        own = own_secrets(visit)
        if own is None or not own.totp_secret:
            return visit.failed(HTTPStatus.NOT_FOUND)
        problems = password_problems(visit, own)
        if not problems:
            codes = new_recovery_codes()
            with visit.services.database.write() as session:
                if own_account.renew_recovery_codes(
                    session, visit.services.place, visit.member.staff_id, own.password_hash, _hashes(codes), visit.now
                ):
                    return visit.page("account_codes.html", codes=codes)
            problems = {"": CHANGED_MEANWHILE}
        return visit.page("account_new_codes.html", HTTPStatus.UNPROCESSABLE_ENTITY, problems=problems)

    def _offered(self, visit: Visit, own: _Own) -> str:
        """The same secret for as long as this browser is signed in and pairs none; another one for each pairing."""
        return self._second.secret_for(f"account {visit.cookie} {own.totp_secret}")

    def _pairing(self, visit: Visit, own: _Own, problems: Mapping[str, str]) -> Response:
        secret = self._offered(visit, own)
        uri = provisioning_uri(secret, visit.member.username, visit.services.settings.owner.name)
        return visit.page(
            "account_authenticator.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
            problems=problems,
            replaces=bool(own.totp_secret),
            secret=readable(secret),
            uri=uri,
            qr=Markup(qr_svg(uri)),  # noqa: S704 - our own SVG, in which the text stands as modules only
        )


def show(visit: Visit) -> Response:
    """GET /account"""
    account = staff.account(visit.session, visit.member.staff_id)
    return visit.page(
        "account.html",
        local=account is not None and bool(account.password_hash),
        authenticator=account is not None and account.totp_secret is not None,
        passkeys=len(passkeys.of_staff(visit.session, visit.member.staff_id)),
        codes_left=staff.recovery_codes_left(visit.session, visit.member.staff_id),
        sessions=staff.sessions_of(visit.session, visit.member.staff_id, visit.now, visit.idle),
        elsewhere=visit.services.settings.oidc.label,
        notice=visit.query.get("notice", ""),
    )


def end_session(visit: Visit) -> Response:
    """POST /account/sessions/{id}/end: one of one's own browsers, also this one."""
    if not signed_out(visit, visit.params["id"]):
        return visit.go("/account?notice=session")  # another one, or it has ended already
    response = visit.go("/sign-in?notice=signed-out")
    drop_cookie(response, SESSION_COOKIE)
    return response


def signed_out(visit: Visit, session_id: str) -> bool:
    """End one of one's own sessions. Whether it was the one of this visit."""
    found = staff.session_by_id(visit.session, visit.services.place.owner_id, session_id[:32])
    if found is None or found.staff_id != visit.member.staff_id:
        return False
    staff.end_session(visit.session, found.token_sha256)
    return found.id == visit.member.session_id


def end_others(visit: Visit) -> Response:
    """POST /account/sessions/end-others"""
    staff.end_other_sessions(visit.session, visit.member.staff_id, visit.member.session_id)
    return visit.go("/account?notice=session")


def own_secrets(visit: Visit) -> _Own | None:
    """What the account signs in with here; None when it signs in elsewhere."""
    with visit.services.database.read() as session:
        account = staff.account(session, visit.member.staff_id)
        if account is None or account.password_hash is None:
            return None
        return _Own(account.password_hash, account.totp_secret or "")


def _local(visit: Visit) -> Response | None:
    return visit.failed(HTTPStatus.NOT_FOUND) if own_secrets(visit) is None else None


def _with_authenticator(visit: Visit) -> Response | None:
    own = own_secrets(visit)
    return visit.failed(HTTPStatus.NOT_FOUND) if own is None or not own.totp_secret else None


def password_problems(visit: Visit, own: _Own | None) -> dict[str, str]:
    """What is wrong with the password that a form asks for again, by field; nothing where the account has none here.
    The gate is told, so that only a wrong one counts as a failed attempt.
    """
    written = visit.form.get("current_password")
    if own is None or not written:
        visit.attempt.password = "none"  # noqa: S105 - says that there is none
        return {} if own is None else {"current_password": NO_PASSWORD}
    is_right = password_matches(own.password_hash, written)
    visit.attempt.password = "right" if is_right else "wrong"
    return {} if is_right else {"current_password": WRONG_PASSWORD}


def _hashes(codes: object) -> list[str]:
    assert isinstance(codes, list)
    return [sha256 for sha256 in map(recovery_sha256, codes) if sha256 is not None]


def _key(visit: Visit) -> str:
    return token_sha256(visit.cookies.get(SESSION_COOKIE, ""))
