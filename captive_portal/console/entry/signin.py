"""Signing in, in one step or two, and out. A wrong name and a wrong password look the same and take the same time.

With a second factor the password gives a ticket of five minutes, and the code, or a recovery code, turns it into a
session. What stands about an account (that it has ended, that it needs a factor) is told after the right password only.
"""

from __future__ import annotations

import logging
import math
import time
from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.auth import sessions
from captive_portal.auth.accounts import has_ended, normal_username
from captive_portal.auth.browser_names import browser_name
from captive_portal.auth.known_browsers import KNOWN_LIFE, KnownBrowsers
from captive_portal.auth.passwords import password_matches
from captive_portal.auth.second_factor import SecondFactor, SecondFactorError, matching_step, recovery_sha256
from captive_portal.auth.throttle import Throttle, network_of
from captive_portal.console.gate import set_cookie
from captive_portal.console.look import N_
from captive_portal.console.visit import KNOWN_COOKIE, SESSION_COOKIE, TICKET_COOKIE, Visit
from gateway.storage import staff
from gateway.storage.engine import Session
from gateway.storage.models import Staff

log = logging.getLogger(__name__)

WRONG = N_("The user name or the password is wrong.")
WRONG_CODE = N_("The code is wrong, too old or already used. Wait for the next one and write it here.")
ENDED = N_("The account has ended. Ask IT for more time if you still need it.")
NO_FACTOR = N_("The account has no authenticator yet, and needs one. Ask IT for a new link.")
UNREADABLE = N_("The account’s authenticator can’t be checked on this machine. Ask IT for a new link.")
TICKET_LIFE = timedelta(minutes=5)
PATIENCE_S = 2.0  # shorter than the service's grace at its end: no wait is cut off


class SignInPace:
    """Attempts wait by user name and address together, so that nobody elsewhere can hold IT back; and more loosely
    by address alone, so that one machine can't try many names. A browser in which the account has signed in before
    waits for its own attempts only, so that nobody behind the same address holds IT back either. Who would wait long is
    told so instead."""

    def __init__(self, known: KnownBrowsers) -> None:
        self._known = known
        self._by_name = Throttle(free=4, first_s=1.0, longest_s=30.0)
        self._by_address = Throttle(free=30, first_s=0.5, longest_s=10.0)

    def wait_s(self, visit: Visit) -> float | None:
        """How long this attempt waits, at most `PATIENCE_S`; None when it is not made, and counts for nothing."""
        at_s = time.monotonic()
        if self._ahead_s(visit, at_s) > PATIENCE_S:
            return None
        alone = self._known_as(visit)
        if alone is not None:
            return self._by_name.take(alone, at_s)
        return max(self._by_name.take(self._key(visit), at_s), self._by_address.take(network_of(visit.address), at_s))

    def retry_s(self, visit: Visit) -> int:
        """After how many seconds a refused attempt may be made."""
        return math.ceil(self._ahead_s(visit, time.monotonic()))

    def succeeded(self, visit: Visit) -> None:
        self._by_name.succeeded(self._known_as(visit) or self._key(visit))

    def _ahead_s(self, visit: Visit, at_s: float) -> float:
        alone = self._known_as(visit)
        if alone is not None:
            return self._by_name.ahead_s(alone, at_s)
        by_address = self._by_address.ahead_s(network_of(visit.address), at_s)
        return max(self._by_name.ahead_s(self._key(visit), at_s), by_address)

    def _key(self, visit: Visit) -> str:
        return f"{normal_username(visit.form.get('username')) or ''} {network_of(visit.address)}"

    def _known_as(self, visit: Visit) -> str | None:
        """What to count under in a browser that this account has signed in with."""
        name = normal_username(visit.form.get("username"))
        found = self._known.by_name(visit.cookies.get(KNOWN_COOKIE, ""), name, visit.now) if name else None
        return None if found is None else f"known {found}"


class CodePace(SignInPace):
    """The same for codes, by the account of the ticket."""

    def _key(self, visit: Visit) -> str:
        return f"{_ticket_names(visit)} {network_of(visit.address)}"

    def _known_as(self, visit: Visit) -> str | None:
        found = self._known.by_account(visit.cookies.get(KNOWN_COOKIE, ""), _ticket_names(visit), visit.now)
        return None if found is None else f"known {found}"


class SignInPages:
    """The pages of signing in; `second` holds the key of the second factors, `known` marks browsers."""

    def __init__(self, second: SecondFactor, known: KnownBrowsers) -> None:
        self._second = second
        self._known = known

    def sign_in(self, visit: Visit) -> Response:
        """POST /sign-in. The password is checked outside any transaction: that takes 20 ms."""
        typed = visit.form.get("username")
        name = normal_username(typed)
        with visit.services.database.read() as session:
            account = staff.by_username(session, visit.services.place.owner_id, name) if name else None
        known_hash = account.password_hash if account is not None and account.disabled_at is None else None
        if not password_matches(known_hash, visit.form.get("password")) or account is None or known_hash is None:
            return _refused(visit, name or "")
        if has_ended(account, visit.now):
            with visit.services.database.write() as session:
                _note(session, visit, account, "password", "ended")
            return _refused(visit, name or "", ENDED)
        if account.totp_secret is not None:
            response = visit.go("/sign-in/code")
            ticket = self._second.ticket(account.id, known_hash, visit.now + TICKET_LIFE)
            set_cookie(response, TICKET_COOKIE, ticket)
            return response
        if visit.services.settings.console.needs_second_factor(account.role):
            return _refused(visit, name or "", NO_FACTOR)
        with visit.services.database.write() as session:
            current = staff.lock_account(session, account.id)
            if current is None or not _unchanged(current, known_hash, visit) or current.totp_secret is not None:
                return _refused(visit, name or "")  # changed while we were checking
            return self._enter(session, visit, current, "password")

    def ask(self, visit: Visit) -> Response:
        """GET /sign-in/code"""
        if self._second.ticket_holder(visit.cookies.get(TICKET_COOKIE, ""), visit.now) is None:
            return visit.go("/sign-in")
        return visit.page("sign_in_code.html", problem="")

    def check(self, visit: Visit) -> Response:
        """POST /sign-in/code"""
        ticket = visit.cookies.get(TICKET_COOKIE, "")
        holder, typed = self._second.ticket_holder(ticket, visit.now), visit.form.get("code")[:100]
        if holder is None:
            return _late(visit)
        with visit.services.database.write() as session:
            account = staff.lock_account(session, holder)
            if (
                account is None
                or not self._second.ticket_matches(ticket, account.password_hash or "")
                or not _unchanged(account, account.password_hash, visit)
                or account.totp_secret is None
            ):
                return _late(visit)
            try:
                secret = self._second.unlock(account.totp_secret)
            except SecondFactorError:
                log.warning(
                    "a second factor can't be unlocked: %s", "keys/console.key is another than it was kept under"
                )
                return visit.page("sign_in_code.html", HTTPStatus.UNPROCESSABLE_ENTITY, problem=UNREADABLE)
            step = matching_step(secret, typed, visit.now, account.totp_step)
            if step is not None:
                account.totp_step = step
                return self._enter(session, visit, account, "password+totp")
            recovery = recovery_sha256(typed)
            if recovery is not None and staff.use_recovery_code(session, account.id, recovery):
                return self._enter(session, visit, account, "password+recovery")
            _note(session, visit, account, "password+totp", "wrong_code")
        return visit.page("sign_in_code.html", HTTPStatus.UNPROCESSABLE_ENTITY, problem=WRONG_CODE)

    def _enter(self, session: Session, visit: Visit, account: Staff, method: str) -> Response:
        response = enter(session, visit, account, method)
        mark = self._known.mark(account.username, account.id, visit.now)
        response.set_cookie(
            KNOWN_COOKIE, mark, int(KNOWN_LIFE.total_seconds()), path="/", secure=True, httponly=True, samesite="strict"
        )
        if account.role == "it" and visit.services.settings.oidc.enabled:
            # names nobody: who it was stands in the log of the product, by its own time of keeping
            log.warning("an account of IT signed in with its own password, though the OpenID provider is set up")
        return response


def show(visit: Visit) -> Response:
    """GET /sign-in"""
    return _page(visit, notice=visit.query.get("notice", ""))


def sign_out(visit: Visit) -> Response:
    """POST /sign-out"""
    sessions.sign_out(visit.session, visit.cookie)
    response = visit.go("/sign-in?notice=signed-out")
    drop_cookie(response, SESSION_COOKIE)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def enter(session: Session, visit: Visit, account: Staff, method: str) -> Response:
    """Start the session of somebody who has shown who they are, with a fresh cookie, and go to the first page."""
    previous = visit.cookies.get(SESSION_COOKIE, "")
    token = sessions.sign_in(
        session,
        visit.services.place,
        account,
        method=method,
        address=visit.address,
        previous=previous,
        now=visit.now,
        browser=browser_name(visit.user_agent),
        lasts=timedelta(hours=visit.services.settings.console.session_hours),
    )
    response = visit.go("/")
    set_cookie(response, SESSION_COOKIE, token)
    if TICKET_COOKIE in visit.cookies:
        drop_cookie(response, TICKET_COOKIE)
    return response


def _unchanged(account: Staff, known_hash: str | None, visit: Visit) -> bool:
    """Whether the account may still sign in with the password that was checked."""
    return (
        account.owner_id == visit.services.place.owner_id
        and account.password_hash is not None
        and account.password_hash == known_hash
        and account.disabled_at is None
        and not has_ended(account, visit.now)
    )


def _note(session: Session, visit: Visit, account: Staff, method: str, result: str) -> None:
    place = visit.services.place
    sessions.record_sign_in(session, place, account, method=method, result=result, address=visit.address, now=visit.now)


def _ticket_names(visit: Visit) -> str:
    return visit.cookies.get(TICKET_COOKIE, "")[:200].partition(".")[0]


def _late(visit: Visit) -> Response:
    # INVARIANT: no redirect, which would count as success and let codes be guessed without a pause
    return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, notice="late")


def drop_cookie(response: Response, cookie: str) -> None:
    """Take a cookie of ours from the browser."""
    response.delete_cookie(cookie, path="/", secure=True, httponly=True, samesite="lax")


def _refused(visit: Visit, username: str, problem: str = WRONG) -> Response:
    return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=problem, username=username)


def _page(visit: Visit, status: int = 200, *, problem: str = "", username: str = "", notice: str = "") -> Response:
    elsewhere = visit.services.settings.oidc.label
    return visit.page("sign_in.html", status, problem=problem, username=username, notice=notice, elsewhere=elsewhere)
