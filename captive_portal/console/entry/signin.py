"""Signing in, in one step or two, and out. A wrong name and a wrong password look the same and take the same time.

With a second factor the password gives a ticket of five minutes, and the code, a recovery code or a passkey turns it
into a session. What stands about an account (that it has ended, that it needs a factor) is told after the right
password only.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.auth import sessions
from captive_portal.auth.accounts import has_ended, normal_username
from captive_portal.auth.browser_names import browser_name
from captive_portal.auth.known_browsers import KNOWN_LIFE, KnownBrowsers
from captive_portal.auth.passkeys import RelyingParty, relying_party
from captive_portal.auth.passwords import password_matches
from captive_portal.auth.second_factor import SecondFactor, SecondFactorError, matching_step, recovery_sha256
from captive_portal.console.gate import set_cookie
from captive_portal.console.look import N_
from captive_portal.console.visit import KNOWN_COOKIE, SESSION_COOKIE, TICKET_COOKIE, Visit
from gateway.storage import passkeys, staff
from gateway.storage.engine import Session, is_writing
from gateway.storage.staff_models import Staff

log = logging.getLogger(__name__)

WRONG = N_("The user name or the password is wrong.")
WRONG_CODE = N_("The code is wrong, too old or already used. Wait for the next one and write it here.")
STALE = N_("That took too long, was begun in another browser, or was done already. Try again.")
ENDED = N_("The account has ended. Ask IT for more time if you still need it.")
NO_FACTOR = N_("The account has no second factor yet, and needs one. Ask IT for a new link.")
UNREADABLE = N_("The account’s authenticator can’t be checked on this machine. Ask IT for a new link.")
TICKET_LIFE = timedelta(minutes=5)


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
            return refused(visit, name or "")
        if has_ended(account, visit.now):
            with visit.services.database.write() as session:
                note(session, visit, account, "password", "ended")
            return refused(visit, name or "", ENDED)
        with visit.services.database.read() as session:
            asks_more = has_second_factor(session, account)
        if asks_more:
            response = visit.go("/sign-in/code")
            ticket = self._second.ticket(account.id, known_hash, visit.now + TICKET_LIFE)
            set_cookie(response, TICKET_COOKIE, ticket)
            return response
        if visit.services.settings.console.needs_second_factor(account.role):
            return refused(visit, name or "", NO_FACTOR)
        with visit.services.database.write() as session:
            current = staff.lock_account(session, account.id)
            if current is None or not is_unchanged(current, known_hash, visit) or has_second_factor(session, current):
                return refused(visit, name or "")  # changed while we were checking
            return self.enter(session, visit, current, "password")

    def ask(self, visit: Visit) -> Response:
        """GET /sign-in/code"""
        with visit.services.database.read() as session:
            account = self.ticketed(session, visit)
            return visit.go("/sign-in") if account is None else code_page(session, visit, account)

    def check(self, visit: Visit) -> Response:
        """POST /sign-in/code"""
        typed = visit.form.get("code")[:100]
        with visit.services.database.write() as session:
            account = self.ticketed(session, visit)
            if account is None or account.totp_secret is None:
                return late(visit)
            try:
                secret = self._second.unlock(account.totp_secret)
            except SecondFactorError:
                log.warning(
                    "a second factor can't be unlocked: %s", "keys/console.key is another than it was kept under"
                )
                return code_page(session, visit, account, {"code": UNREADABLE})
            step = matching_step(secret, typed, visit.now, account.totp_step)
            if step is not None:
                account.totp_step = step
                return self.enter(session, visit, account, "password+totp")
            recovery = recovery_sha256(typed)
            if recovery is not None and staff.use_recovery_code(session, account.id, recovery):
                return self.enter(session, visit, account, "password+recovery")
            note(session, visit, account, "password+totp", "wrong_code")
            return code_page(session, visit, account, {"code": WRONG_CODE})

    def ticketed(self, session: Session, visit: Visit) -> Staff | None:
        """Whose password this browser has just shown, as long as it is theirs; a transaction that writes holds them."""
        ticket = visit.cookies.get(TICKET_COOKIE, "")
        holder = self._second.ticket_holder(ticket, visit.now)
        if holder is None:
            return None
        account = staff.lock_account(session, holder) if is_writing(session) else staff.account(session, holder)
        if account is None or not self._second.ticket_matches(ticket, account.password_hash or ""):
            return None
        return account if is_unchanged(account, account.password_hash, visit) else None

    def enter(self, session: Session, visit: Visit, account: Staff, method: str) -> Response:
        """Let the bearer of an account of our own in, and know the browser again."""
        response = enter(session, visit, account, method)
        mark = self._known.mark(account.username, account.id, visit.now)
        response.set_cookie(
            KNOWN_COOKIE, mark, int(KNOWN_LIFE.total_seconds()), path="/", secure=True, httponly=True, samesite="strict"
        )
        if account.role == "it" and visit.services.settings.oidc.enabled:
            # names nobody: who it was stands in the log of the product, by its own time of keeping
            log.warning("an account of IT signed in here, though the OpenID provider is set up")
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


def has_second_factor(session: Session, account: Staff) -> bool:
    """Whether the password alone does not let this account in."""
    return account.totp_secret is not None or bool(passkeys.of_staff(session, account.id))


def party_of(visit: Visit) -> RelyingParty | None:
    """For whom this console's passkeys are; None where there can be none."""
    return relying_party(visit.services.settings.console, visit.services.settings.owner.name)


def code_page(session: Session, visit: Visit, account: Staff, problems: Mapping[str, str] | None = None) -> Response:
    """The page that asks for the second factor: for those that the account has and that work at this address."""
    party, keys = party_of(visit), passkeys.of_staff(session, account.id)
    return visit.page(
        "sign_in_code.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        problems=problems or {},
        authenticator=account.totp_secret is not None,
        party=party if party is not None and any(key.rp_id == party.id for key in keys) else None,
    )


def is_unchanged(account: Staff, known_hash: str | None, visit: Visit) -> bool:
    """Whether the account may still sign in with the password that was checked."""
    return (
        account.owner_id == visit.services.place.owner_id
        and account.password_hash is not None
        and account.password_hash == known_hash
        and account.disabled_at is None
        and not has_ended(account, visit.now)
    )


def note(session: Session, visit: Visit, account: Staff, method: str, result: str) -> None:
    """The leaf of a sign-in that was refused."""
    place = visit.services.place
    sessions.record_sign_in(session, place, account, method=method, result=result, address=visit.address, now=visit.now)


def late(visit: Visit) -> Response:
    """The answer to a ticket that is none any more."""
    # INVARIANT: no redirect, which would count as success and let codes be guessed without a pause
    return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, notice="late")


def drop_cookie(response: Response, cookie: str) -> None:
    """Take a cookie of ours from the browser."""
    response.delete_cookie(cookie, path="/", secure=True, httponly=True, samesite="lax")


def refused(visit: Visit, username: str, problem: str = WRONG) -> Response:
    """The first page again, with what was wrong."""
    return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problem=problem, username=username)


def _page(visit: Visit, status: int = 200, *, problem: str = "", username: str = "", notice: str = "") -> Response:
    elsewhere = visit.services.settings.oidc.label
    return visit.page(
        "sign_in.html",
        status,
        problem=problem,
        username=username,
        notice=notice,
        elsewhere=elsewhere,
        party=party_of(visit),
    )
