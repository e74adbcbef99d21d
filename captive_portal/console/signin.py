"""Signing in and out. A wrong name and a wrong password look the same and take the same time."""

from __future__ import annotations

import math
import time
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.auth import sessions
from captive_portal.auth.accounts import normal_username
from captive_portal.auth.passwords import password_matches
from captive_portal.auth.throttle import Throttle
from captive_portal.console.gate import set_cookie
from captive_portal.console.look import N_
from captive_portal.console.visit import SESSION_COOKIE, Visit
from gateway.storage import staff
from gateway.storage.models import Staff

WRONG = N_("The user name or the password is wrong.")
PATIENCE_S = 2.0  # shorter than the service's grace at its end: no wait is cut off


class SignInPace:
    """Attempts wait by user name and address together, so that nobody elsewhere can hold IT back; and more loosely
    by address alone, so that one machine can't try many names. Who would wait long is told so instead."""

    def __init__(self) -> None:
        self._by_name = Throttle(free=4, first_s=1.0, longest_s=30.0)
        self._by_address = Throttle(free=30, first_s=0.5, longest_s=10.0)

    def wait_s(self, visit: Visit) -> float | None:
        """How long this attempt waits, at most `PATIENCE_S`; None when it is not made, and counts for nothing."""
        at_s = time.monotonic()
        if self._ahead_s(visit, at_s) > PATIENCE_S:
            return None
        return max(self._by_name.take(self._key(visit), at_s), self._by_address.take(visit.address, at_s))

    def retry_s(self, visit: Visit) -> int:
        """After how many seconds a refused attempt may be made."""
        return math.ceil(self._ahead_s(visit, time.monotonic()))

    def succeeded(self, visit: Visit) -> None:
        self._by_name.succeeded(self._key(visit))

    def _ahead_s(self, visit: Visit, at_s: float) -> float:
        return max(self._by_name.ahead_s(self._key(visit), at_s), self._by_address.ahead_s(visit.address, at_s))

    def _key(self, visit: Visit) -> str:
        return f"{normal_username(visit.form.get('username')) or ''} {visit.address}"


def show(visit: Visit) -> Response:
    """GET /sign-in"""
    return visit.page("sign_in.html", problem="", username="", notice=visit.query.get("notice", ""))


def sign_in(visit: Visit) -> Response:
    """POST /sign-in. The password is checked outside any transaction: that takes 20 ms."""
    typed = visit.form.get("username")
    name = normal_username(typed)
    with visit.services.database.read() as session:
        account = staff.by_username(session, visit.services.place.owner_id, name) if name else None
    known_hash = account.password_hash if account is not None and account.disabled_at is None else None
    if not password_matches(known_hash, visit.form.get("password")) or account is None:
        return _refused(visit, name or "")
    with visit.services.database.write() as session:
        current = session.get(Staff, account.id)
        if current is None or current.password_hash != known_hash or current.disabled_at is not None:
            return _refused(visit, name or "")  # changed while we were checking
        previous = visit.cookies.get(SESSION_COOKIE, "")
        token = sessions.sign_in(
            session, visit.services.place, current, address=visit.address, previous=previous, now=visit.now
        )
    response = visit.go("/")
    set_cookie(response, SESSION_COOKIE, token)
    return response


def sign_out(visit: Visit) -> Response:
    """POST /sign-out"""
    sessions.sign_out(visit.session, visit.cookie)
    response = visit.go("/sign-in?notice=signed-out")
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


def _refused(visit: Visit, username: str) -> Response:
    return visit.page("sign_in.html", HTTPStatus.UNPROCESSABLE_ENTITY, problem=WRONG, username=username, notice="")
