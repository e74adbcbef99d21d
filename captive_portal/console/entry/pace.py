"""How attempts to sign in wait for each other: spaced, never locked out."""

from __future__ import annotations

import math
import time

from captive_portal.auth.accounts import normal_username
from captive_portal.auth.known_browsers import KnownBrowsers
from captive_portal.auth.passkeys import read_answer
from captive_portal.auth.throttle import Throttle, network_of
from captive_portal.console.visit import KNOWN_COOKIE, TICKET_COOKIE, Visit

PATIENCE_S = 2.0  # shorter than the service's grace at its end: no wait is cut off


class SignInPace:
    """Attempts wait by user name and address together, so that nobody elsewhere can hold IT back; and more loosely
    by address alone, so that one machine can't try many names. A browser in which the account has signed in before
    waits for its own attempts only, so that nobody behind the same address holds IT back either. Who would wait long is
    told so instead."""

    def __init__(self, known: KnownBrowsers, *, free: int = 4) -> None:
        self._known = known
        self._by_name = Throttle(free=free, first_s=1.0, longest_s=30.0)
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
    """The same for second factors, by the account of the ticket."""

    def _key(self, visit: Visit) -> str:
        return f"{_ticket_names(visit)} {network_of(visit.address)}"

    def _known_as(self, visit: Visit) -> str | None:
        found = self._known.by_account(visit.cookies.get(KNOWN_COOKIE, ""), _ticket_names(visit), visit.now)
        return None if found is None else f"known {found}"


class PasskeyPace(SignInPace):
    """The same for passkeys that sign in alone, by the account that the key says it is for."""

    def _key(self, visit: Visit) -> str:
        return f"{_said_account(visit)} {network_of(visit.address)}"

    def _known_as(self, visit: Visit) -> str | None:
        found = self._known.by_account(visit.cookies.get(KNOWN_COOKIE, ""), _said_account(visit), visit.now)
        return None if found is None else f"known {found}"


class AddressPace:
    """What anybody may ask for waits by address; with `known`, a browser in which somebody has signed in before waits
    for itself only. Each good sign-in gives the browser another mark, and so begins its count anew."""

    def __init__(self, known: KnownBrowsers | None = None) -> None:
        self._known = known
        self._asked = Throttle(free=30, first_s=0.5, longest_s=10.0)

    def wait_s(self, visit: Visit) -> float | None:
        """How long this attempt waits; None when it is not made."""
        at_s, key = time.monotonic(), self._key(visit)
        return None if self._asked.ahead_s(key, at_s) > PATIENCE_S else self._asked.take(key, at_s)

    def retry_s(self, visit: Visit) -> int:
        """After how many seconds a refused attempt may be made."""
        return math.ceil(self._asked.ahead_s(self._key(visit), time.monotonic()))

    def succeeded(self, visit: Visit) -> None:
        """Asking is no success: only coming back would be, and that is counted as nothing."""

    def _key(self, visit: Visit) -> str:
        found = self._known and self._known.by_anybody(visit.cookies.get(KNOWN_COOKIE, ""), visit.now)
        return f"known {found}" if found else network_of(visit.address)


class SecondAskingPace(CodePace):
    """What is asked for between the password and the second factor waits as codes do, with more of it free."""

    def __init__(self, known: KnownBrowsers) -> None:
        super().__init__(known, free=30)

    def succeeded(self, visit: Visit) -> None:
        """Asking is no success here either."""


def _ticket_names(visit: Visit) -> str:
    return visit.cookies.get(TICKET_COOKIE, "")[:200].partition(".")[0]


def _said_account(visit: Visit) -> str:
    answer = read_answer(visit.form.get("passkey"))
    return answer.user_handle[:64] if answer is not None else ""
