"""Signing in at the OpenID provider: to it, and back from it with an answer that only this browser's attempt fits.

What goes wrong between the two machines is told in one sentence and, without anybody's name, in the service's own
output; that somebody is known there and has no access here is a leaf, with what IT needs to give it.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.responses import RedirectResponse, Response

from captive_portal.auth import federated
from captive_portal.auth.accounts import console_url
from captive_portal.auth.oidc_attempt import Attempts, new_attempt
from captive_portal.auth.oidc_claims import BadClaims, Person, person_of
from captive_portal.auth.oidc_provider import OidcError, Provider
from captive_portal.console.entry.signin import STALE, drop_cookie, enter
from captive_portal.console.gate import set_cookie
from captive_portal.console.look import N_
from captive_portal.console.visit import OIDC_COOKIE, Visit
from gateway.audit.record import record
from gateway.context import Services

log = logging.getLogger(__name__)

BACK_PATH = "/sign-in/oidc/done"
CODE_MAX_CHARS = 4096

UNREACHABLE = N_("The other service does not answer as it should just now. Try again, or sign in with a password.")
DENIED = N_("The other service did not sign you in.")
WRONG = N_("The answer of the other service does not fit what was asked, so nobody was signed in. Try again.")
NO_ROLE = N_("You are known there, but have no access here. Show this page to IT if you should have it.")
DISABLED = N_("The account is disabled here. Ask IT.")
ENDED = N_("The account has ended. Ask IT for more time if you still need it.")
_REFUSALS = {"no_role": NO_ROLE, "disabled": DISABLED, "ended": ENDED}


class OidcPages:
    """The pages. Raises: UsageError when what the settings name can't be read."""

    def __init__(self, services: Services, key: bytes) -> None:
        self._chosen = services.settings.oidc
        self._home = console_url(services.settings.console)
        self._attempts = Attempts(key)
        self._provider = Provider(self._chosen, f"{self._home}{BACK_PATH}")

    def start(self, visit: Visit) -> Response:
        """GET /sign-in/oidc"""
        attempt = new_attempt(visit.now)
        try:
            there = self._provider.authorization_url(attempt)
        except OidcError as error:
            return _fell_short(visit, error)
        response = RedirectResponse(there, HTTPStatus.SEE_OTHER)
        set_cookie(response, OIDC_COOKIE, self._attempts.seal(attempt))
        return response

    def done(self, visit: Visit) -> Response:
        """GET /sign-in/oidc/done, where the provider sends the browser."""
        response = self._done(visit)
        drop_cookie(response, OIDC_COOKIE)
        return response

    def leave(self, visit: Visit) -> Response:
        """GET /sign-in/oidc/leave: sign out of the provider as well."""
        there = self._provider.end_session_url(f"{self._home}/sign-in")
        return RedirectResponse(there, HTTPStatus.SEE_OTHER) if there else visit.go("/sign-in?notice=signed-out")

    def _done(self, visit: Visit) -> Response:
        attempt = self._attempts.take(visit.cookies.get(OIDC_COOKIE, ""), visit.query.get("state", ""), visit.now)
        if attempt is None:
            return _refused(visit, STALE)
        try:
            if not self._provider.is_issuer(visit.query.get("iss")):
                log.warning("a response came in another issuer's name than oidc.issuer; nobody was signed in")
                return _refused(visit, WRONG)
            code = visit.query.get("code", "")
            if "error" in visit.query or not code or len(code) > CODE_MAX_CHARS:
                return _refused(visit, DENIED)
            claims = self._provider.claims_for(attempt, code)
        except OidcError as error:
            return _fell_short(visit, error)
        person = person_of(claims, self._chosen, attempt.nonce, visit.now.timestamp())
        if isinstance(person, BadClaims):
            log.warning("an ID token was refused for its %s; nobody was signed in", person.problem)
            return _refused(visit, WRONG)
        return _let_in(visit, person)


def _let_in(visit: Visit, person: Person) -> Response:
    place = visit.services.place
    with visit.services.database.write() as session:
        found = federated.admit(session, place, person, visit.now)
        if not isinstance(found, str):
            return enter(session, visit, found, "oidc")
        said = {"staff": person.username or person.subject, "address": visit.address}
        record(session, place, "staff_login", {"method": "oidc", "result": found}, said, visit.now)
    return _refused(visit, _REFUSALS[found], HTTPStatus.FORBIDDEN, person)


def _fell_short(visit: Visit, error: OidcError) -> Response:
    log.warning("signing in at the OpenID provider failed: %s", error)
    wrong = error.problem in ("code", "no_token", "signature")
    return _refused(visit, WRONG if wrong else UNREACHABLE, HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.BAD_GATEWAY)


def _refused(
    visit: Visit, problem: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST, person: Person | None = None
) -> Response:
    elsewhere = visit.services.settings.oidc.label
    return visit.page("oidc_refused.html", status, problem=problem, person=person, elsewhere=elsewhere)
