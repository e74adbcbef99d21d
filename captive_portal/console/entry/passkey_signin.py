"""Signing in with a passkey: alone, which says who one is and is both factors, or after the password.

A browser fetches what it is to ask its key when its bearer presses the button, and posts the answer as a form. What
stands about a key (that its bearer was not verified, that it may be a copy) is told after its signature only.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.auth.accounts import has_ended
from captive_portal.auth.passkey_challenges import Challenges
from captive_portal.auth.passkeys import KnownKey, Refusal, RelyingParty, new_count, read_answer, request_options
from captive_portal.console.entry.signin import ENDED, STALE, SignInPages, code_page, late, note, refused
from captive_portal.console.look import N_
from captive_portal.console.visit import TICKET_COOKIE, Visit
from gateway.storage import passkeys, staff
from gateway.storage.engine import Session
from gateway.storage.passkey_models import Passkey
from gateway.storage.staff_models import Staff

log = logging.getLogger(__name__)

WRONG = N_("The passkey does not fit any account here. It may have been removed: sign in some other way.")
REFUSALS: dict[Refusal, str] = {
    "invalid": WRONG,
    "unverified": N_(
        "The passkey did not check that it is you, by PIN, finger or face. Sign in with the password first."
    ),
    "counter": N_("The passkey may have been copied, and was refused. Sign in some other way, remove it, and tell IT."),
}


class PasskeySignIn:
    """The pages; `entry` lets in and knows who has shown a password."""

    def __init__(self, party: RelyingParty, challenges: Challenges, entry: SignInPages) -> None:
        self._party = party
        self._challenges = challenges
        self._entry = entry

    def begin(self, visit: Visit) -> Response:
        """GET /sign-in/passkey: what to ask any key, for the browser that has our page."""
        challenge = self._challenges.new(_alone(visit), visit.now)
        return _options(request_options(self._party, challenge))

    def finish(self, visit: Visit) -> Response:
        """POST /sign-in/passkey"""
        answer = read_answer(visit.form.get("passkey"))
        if answer is None or not self._challenges.take(answer.challenge, _alone(visit), visit.now):
            return refused(visit, "", STALE)
        with visit.services.database.write() as session:
            bearer = passkeys.bearer_of(session, visit.services.place.owner_id, answer.credential_id)
            account = staff.lock_account(session, bearer) if bearer is not None else None
            key = passkeys.by_credential(session, bearer or "", answer.credential_id)
            if account is None or key is None or answer.user_handle != account.id or not _is_open(account):
                return refused(visit, "", WRONG)
            count = new_count(answer, self._party, answer.challenge, known(key), verified=True)
            if isinstance(count, str):
                if count != "invalid":  # of what nobody has signed there is no leaf: strangers could write them at will
                    _refuse(session, visit, account, "passkey", count)
                return refused(visit, "", REFUSALS[count])
            if has_ended(account, visit.now):
                note(session, visit, account, "passkey", "ended")
                return refused(visit, "", ENDED)
            key.sign_count, key.last_used_at = count, visit.now
            return self._entry.enter(session, visit, account, "passkey")

    def begin_second(self, visit: Visit) -> Response:
        """GET /sign-in/code/passkey: what to ask the keys of whoever has shown a password."""
        with visit.services.database.read() as session:
            account = self._entry.ticketed(session, visit)
            keys = [] if account is None else keys_at(session, account.id, self._party)
        if not keys:
            return visit.failed(HTTPStatus.FORBIDDEN, reason="stale")
        challenge = self._challenges.new(_second(visit), visit.now)
        return _options(request_options(self._party, challenge, keys))

    def finish_second(self, visit: Visit) -> Response:
        """POST /sign-in/code/passkey"""
        answer = read_answer(visit.form.get("passkey"))
        with visit.services.database.write() as session:
            account = self._entry.ticketed(session, visit)
            if account is None:
                return late(visit)
            if answer is None or not self._challenges.take(answer.challenge, _second(visit), visit.now):
                return code_page(session, visit, account, {"": STALE})
            key = passkeys.by_credential(session, account.id, answer.credential_id)
            count: int | Refusal = "invalid"
            if key is not None and answer.user_handle in ("", account.id):
                count = new_count(answer, self._party, answer.challenge, known(key), verified=False)
            if key is None or isinstance(count, str):
                reason = count if isinstance(count, str) else "invalid"
                _refuse(session, visit, account, "password+passkey", reason)
                return code_page(session, visit, account, {"": REFUSALS[reason]})
            key.sign_count, key.last_used_at = count, visit.now
            return self._entry.enter(session, visit, account, "password+passkey")


def keys_at(session: Session, staff_id: str, party: RelyingParty) -> list[KnownKey]:
    """The keys of an account that work at this console's address."""
    return [known(key) for key in passkeys.of_staff(session, staff_id) if key.rp_id == party.id]


def known(key: Passkey) -> KnownKey:
    """What is kept of a key, as it is checked."""
    return KnownKey(key.credential_id, key.public_key, key.sign_count, key.backup_eligible, key.transports)


def _refuse(session: Session, visit: Visit, account: Staff, method: str, reason: Refusal) -> None:
    note(session, visit, account, method, {"invalid": "wrong_key"}.get(reason, reason))
    if reason == "counter":
        log.warning("a passkey has counted less than before, as a copy of one does, and was refused")


def _is_open(account: Staff) -> bool:
    return account.password_hash is not None and account.disabled_at is None


def _alone(visit: Visit) -> str:
    return f"alone {visit.cookie}"


def _second(visit: Visit) -> str:
    return f"second {visit.cookies.get(TICKET_COOKIE, '')}"


def _options(text: str) -> Response:
    return Response(text, media_type="application/json")
