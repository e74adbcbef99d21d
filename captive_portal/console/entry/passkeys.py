"""One's own passkeys: which there are, another one, and one fewer.

The password is asked first, so that nobody makes a key which is then refused; what it gives is a challenge of five
minutes, for this browser and this password.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.auth import own_account
from captive_portal.auth.own_account import MOST_PASSKEYS, PASSKEY_NAME_MAX_CHARS
from captive_portal.auth.passkey_challenges import Challenges
from captive_portal.auth.passkeys import creation_options, new_key, read_answer
from captive_portal.console.entry.account import CHANGED_MEANWHILE, own_secrets, password_problems
from captive_portal.console.entry.passkey_signin import keys_at
from captive_portal.console.entry.signin import STALE, party_of
from captive_portal.console.entry.tokens import NAME_PROBLEMS as TOKEN_NAME_PROBLEMS
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.storage import passkeys
from gateway.storage.engine import Session
from gateway.storage.passkey_models import Passkey

NAME_PROBLEMS = {**TOKEN_NAME_PROBLEMS, "missing": N_("Write what you call the key")}
FULL = N_("You have 10 passkeys. Remove those that are not in use.")
PROBLEMS = {
    "changed": CHANGED_MEANWHILE,
    "known": N_("This passkey is registered already."),
    "full": FULL,
    "invalid": N_("The passkey does not fit what was asked, so it was not saved. Try again."),
    "unverified": N_("The passkey did not check that it is you, by PIN, finger or face, so it was not saved."),
    "shut": N_("The passkeys that would be left were made for another address and let nobody in. Remove those first."),
    "last": N_("This is the last second factor of the account, and the account needs one. Set up another one first."),
}
assert (MOST_PASSKEYS, PASSKEY_NAME_MAX_CHARS) == (10, 80), "the messages above say other numbers"


class PasskeyPages:
    """The pages. For whom a key is made is asked anew each time: the municipality's name changes while all runs."""

    def __init__(self, challenges: Challenges) -> None:
        self._challenges = challenges

    def show(self, visit: Visit) -> Response:
        """GET /account/passkeys"""
        return self._page(visit)

    def begin(self, visit: Visit) -> Response:
        """POST /account/passkeys: the name and the password; the page that it answers asks the key."""
        own, party = own_secrets(visit), party_of(visit)
        if own is None or party is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        name, wrong = clean_line(visit.form.get("name"), PASSKEY_NAME_MAX_CHARS, required=True)
        with visit.services.database.read() as session:
            known, count = keys_at(session, visit.member.staff_id, party), len(_of(session, visit))
        problems = {}
        if wrong is not None:
            problems["name"] = NAME_PROBLEMS[wrong]
        problems |= password_problems(visit, own)
        if count >= MOST_PASSKEYS:
            problems[""] = FULL
        if problems:
            return self._page(visit, problems, name)
        challenge = self._challenges.new(_holder(visit, own.password_hash), visit.now)
        options = creation_options(party, visit.member.staff_id, visit.member.username, challenge, known)
        return visit.page("account_passkey.html", name=name, options=options, party=party)

    def add(self, visit: Visit) -> Response:
        """POST /account/passkeys/add: what the key answered."""
        own, party = own_secrets(visit), party_of(visit)
        name, wrong = clean_line(visit.form.get("name"), PASSKEY_NAME_MAX_CHARS, required=True)
        if own is None or party is None or wrong is not None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        answer = read_answer(visit.form.get("passkey"))
        if answer is None or not self._challenges.take(answer.challenge, _holder(visit, own.password_hash), visit.now):
            return self._page(visit, {"": STALE}, name)
        key = new_key(answer, party, answer.challenge)
        if isinstance(key, str):
            return self._page(visit, {"": PROBLEMS[key]}, name)
        place, staff_id = visit.services.place, visit.member.staff_id
        with visit.services.database.write() as session:
            outcome = own_account.add_passkey(
                session, place, staff_id, own.password_hash, party.id, key, name, visit.now
            )
        return (
            visit.go(f"{_HOME}?notice=added") if outcome == "done" else self._page(visit, {"": PROBLEMS[outcome]}, name)
        )

    def ask(self, visit: Visit) -> Response:
        """GET /account/passkeys/{id}/remove"""
        return self._asking(visit)

    def remove(self, visit: Visit) -> Response:
        """POST /account/passkeys/{id}/remove"""
        own = own_secrets(visit)
        if own is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        if problems := password_problems(visit, own):
            return self._asking(visit, problems)
        member, party = visit.member, party_of(visit)
        with visit.services.database.write() as session:
            outcome = own_account.remove_passkey(
                session,
                visit.services.place,
                member.staff_id,
                own.password_hash,
                visit.params["id"],
                party.id if party is not None else "",
                member.session_id,
                visit.now,
                needed=visit.services.settings.console.needs_second_factor(member.role),
            )
        if outcome == "unknown":
            return visit.failed(HTTPStatus.NOT_FOUND)
        return (
            visit.go(f"{_HOME}?notice=removed") if outcome == "done" else self._asking(visit, {"": PROBLEMS[outcome]})
        )

    def _page(self, visit: Visit, problems: Mapping[str, str] | None = None, name: str = "") -> Response:
        if own_secrets(visit) is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        return visit.page(
            "account_passkeys.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
            keys=_own(visit),
            party=party_of(visit),
            name=name,
            problems=problems or {},
            notice=visit.query.get("notice", ""),
        )

    def _asking(self, visit: Visit, problems: Mapping[str, str] | None = None) -> Response:
        found = next((key for key in _own(visit) if key.id == visit.params["id"]), None)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return visit.page("account_passkey_remove.html", status, key=found, problems=problems or {})


_HOME = "/account/passkeys"


def _own(visit: Visit) -> Sequence[Passkey]:
    with visit.services.database.read() as session:
        return _of(session, visit)


def _of(session: Session, visit: Visit) -> Sequence[Passkey]:
    return passkeys.of_staff(session, visit.member.staff_id)


def _holder(visit: Visit, password_hash: str) -> str:
    return f"new {visit.cookie} {password_hash}"
