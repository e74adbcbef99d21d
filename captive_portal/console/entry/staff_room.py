"""Accounts of staff, for IT: who has one and how it stands, a new one by a one-time link, and changes to others'."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from captive_portal.auth import accounts, staff_keeping
from captive_portal.auth.accounts import ROLES, Link, normal_username
from captive_portal.auth.last_way_in import is_last_way_in
from captive_portal.auth.staff_keeping import Refusal
from captive_portal.console.devices.admitting import end_of_day
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.audit.scope import EVERYTHING, Scope
from gateway.clock import last_day
from gateway.storage import passkeys, staff
from gateway.storage.staff_models import Staff

UNIT_MAX_CHARS = 120
ROLE_NAMES = {"it": N_("IT"), "auditor": N_("Auditor"), "host": N_("Host")}
BAD_NAME = N_("Write 2 to 64 of a–z, æ, ø, å, digits and . _ @ -")
TAKEN = N_("There is an account with that name already.")
NO_ROLE = N_("Choose a role.")
UNIT_PROBLEMS = {
    "missing": N_("Write which unit the host makes courses for."),
    "too_long": N_("At most 120 characters"),
    "characters": N_("There are characters here that can’t be used"),
}
REFUSALS: Mapping[Refusal, str] = {
    "own": N_("This is your own account. Ask another of IT, or use the page of your account."),
    "last": N_(
        "This is the last account of IT that can be signed in to here: the way in when everything else fails. Others that have a last day don’t count."  # noqa: E501 - one text
    ),
    "provider": N_("What you want to change stands at the service where this person signs in. Change it there."),
    "ended": N_("The account’s last day is over. Give it another one first."),
    "needed": N_("This account must have a second factor. Give it a new link, by which another one is set up."),
    "nothing": N_("It stands so already. Nothing was changed."),
    "role": NO_ROLE,
    "unit": UNIT_PROBLEMS["missing"],
    "past": N_("This day is past"),
}
OF_A_FIELD: Mapping[Refusal, str] = {"role": "role", "unit": "unit", "past": "ends"}
NO_DAY = N_("Write the day as a date, or leave it empty")
QUESTIONS = ("suspend", "reset", "second-factor")


def show(visit: Visit) -> Response:
    """GET /staff"""
    return visit.page("staff.html", rows=rows(visit), **_shared(visit))


def new(visit: Visit) -> Response:
    """GET /staff/new"""
    return _form(visit)


def add(visit: Visit) -> Response:
    """POST /staff/new: make the account, and show its link once."""
    form = visit.form
    done = made(visit, form.get("username"), form.get("role"), form.get("unit"))
    return _link(visit, *done) if isinstance(done, tuple) else _form(visit, done)


def made(
    visit: Visit, username: str, role: str, unit: str, *, ends_at: datetime | None = None, scope: Scope = EVERYTHING
) -> tuple[str, Link] | Mapping[str, str]:
    """Make an account, as was written: its name and its link; else what is wrong, by field. Raises: UsageError."""
    name, problems = normal_username(username), dict[str, str]()
    line, wrong = clean_line(unit, UNIT_MAX_CHARS, required=True) if role == "host" else ("", None)
    if name is None:
        problems["username"] = BAD_NAME
    elif staff.by_username(visit.session, visit.services.place.owner_id, name) is not None:
        problems["username"] = TAKEN
    if role not in ROLES:
        problems["role"] = NO_ROLE
    if wrong is not None:
        problems["unit"] = UNIT_PROBLEMS[wrong]
    if problems or name is None:
        return problems
    by, place = visit.member.username, visit.services.place
    link = accounts.add_account(
        visit.session, place, name, role, visit.now, by=by, ends_at=ends_at, scope=scope, unit=line
    )
    return name, link


def one(visit: Visit) -> Response:
    """GET /staff/{id}"""
    account = account_of(visit, visit.params["id"])
    return visit.failed(HTTPStatus.NOT_FOUND) if account is None else _page(visit, account)


def change(visit: Visit) -> Response:
    """POST /staff/{id}: another role or unit."""
    role = visit.form.get("role")
    unit, wrong = clean_line(visit.form.get("unit"), UNIT_MAX_CHARS, required=True) if role == "host" else ("", None)
    held = hold(visit, visit.params["id"])
    if not isinstance(held, Staff):
        return _refused(visit, held)
    if wrong is not None:
        return _page(visit, held, HTTPStatus.UNPROCESSABLE_ENTITY, {"unit": UNIT_PROBLEMS[wrong]})
    place, by, console = visit.services.place, visit.member.username, visit.services.settings.console
    refusal = staff_keeping.change_role(visit.session, place, held, role, unit, console, visit.now, by=by)
    return _done(visit, refusal, "changed")


def change_end(visit: Visit) -> Response:
    """POST /staff/{id}/last-day: another last day, or none."""
    held = hold(visit, visit.params["id"])
    if not isinstance(held, Staff):
        return _refused(visit, held)
    written, place, console = visit.form.get("ends").strip(), visit.services.place, visit.services.settings.console
    if written == written_last_day(held):
        return _done(visit, "nothing", "")
    ends_at = end_of_day(written) if written else None
    if written and ends_at is None:
        return _page(visit, held, HTTPStatus.UNPROCESSABLE_ENTITY, {"ends": NO_DAY})
    by = visit.member.username
    refusal = staff_keeping.change_end(visit.session, place, held, ends_at, console, visit.now, by=by)
    return _done(visit, refusal, "end-changed")


def written_last_day(account: Staff) -> str:
    """The last day on which an account can be signed in to, as a form writes it; "" where it has no end."""
    return last_day(account.ends_at).isoformat() if account.ends_at is not None else ""


def ask(visit: Visit) -> Response:
    """GET /staff/{id}/suspend, /reset, /second-factor: what it would do; does nothing yet."""
    account, question = account_of(visit, visit.params["id"]), visit.path.rpartition("/")[2]
    if account is None or question not in QUESTIONS:
        return visit.failed(HTTPStatus.NOT_FOUND)
    return visit.page("staff_ask.html", account=account, question=question, roles=ROLE_NAMES)


def suspend(visit: Visit) -> Response:
    """POST /staff/{id}/suspend"""
    held = hold(visit, visit.params["id"])
    if not isinstance(held, Staff):
        return _refused(visit, held)
    place, by, console = visit.services.place, visit.member.username, visit.services.settings.console
    return _done(visit, staff_keeping.suspend(visit.session, place, held, console, visit.now, by=by), "suspended")


def reopen(visit: Visit) -> Response:
    """POST /staff/{id}/reopen"""
    held = hold(visit, visit.params["id"])
    if not isinstance(held, Staff):
        return _refused(visit, held)
    place, by = visit.services.place, visit.member.username
    return _done(visit, staff_keeping.reopen(visit.session, place, held, visit.now, by=by), "reopened")


def reset(visit: Visit) -> Response:
    """POST /staff/{id}/reset: a new link, shown once."""
    held = hold(visit, visit.params["id"])
    if not isinstance(held, Staff):
        return _refused(visit, held)
    place, by, console = visit.services.place, visit.member.username, visit.services.settings.console
    link = staff_keeping.renew_link(visit.session, place, held, console, visit.now, by=by)
    return _link(visit, held.username, link) if isinstance(link, Link) else _done(visit, link, "")


def remove_second_factor(visit: Visit) -> Response:
    """POST /staff/{id}/second-factor"""
    held = hold(visit, visit.params["id"])
    if not isinstance(held, Staff):
        return _refused(visit, held)
    place, by, console = visit.services.place, visit.member.username, visit.services.settings.console
    refusal = staff_keeping.remove_second_factor(visit.session, place, held, console, visit.now, by=by)
    return _done(visit, refusal, "factor-removed")


def rows(visit: Visit) -> list[Staff]:
    """The accounts that have a name, by name."""
    found = staff.accounts(visit.session, visit.services.place.owner_id)
    return [row for row in found if row.username != accounts.UNNAMED]


def account_of(visit: Visit, wanted: str) -> Staff | None:
    """The account with this id."""
    return next((row for row in rows(visit) if row.id == wanted), None)


def hold(visit: Visit, wanted: str) -> Staff | Refusal:
    """The account with this id, which whoever is signed in may change until the transaction ends."""
    if len(wanted) > 32 or not (wanted.isascii() and wanted.isalnum()):  # PostgreSQL refuses to compare with NUL
        return "unknown"
    return staff_keeping.hold(visit.session, visit.services.place, wanted, visit.member.staff_id)


def _done(visit: Visit, refusal: Refusal | None, notice: str) -> Response:
    return _refused(visit, refusal) if refusal is not None else visit.go(f"/staff/{visit.params['id']}?notice={notice}")


def _refused(visit: Visit, refusal: Refusal) -> Response:
    account = account_of(visit, visit.params["id"])
    if account is None or refusal == "unknown":
        return visit.failed(HTTPStatus.NOT_FOUND)
    field = OF_A_FIELD.get(refusal, "")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if field else HTTPStatus.CONFLICT
    return _page(visit, account, status, {field: REFUSALS[refusal]})


def _shared(visit: Visit) -> dict[str, Any]:
    return {
        "roles": ROLE_NAMES,
        "state": lambda row: accounts.state_of(row, visit.now),
        "elsewhere": visit.services.settings.oidc.label,
        "passkeys": passkeys.counts(visit.session, visit.services.place.owner_id),
        "needs": visit.services.settings.console.needs_second_factor,
        "notice": visit.query.get("notice", ""),
    }


def _page(
    visit: Visit, account: Staff, status: int = HTTPStatus.OK, problems: Mapping[str, str] | None = None
) -> Response:
    is_own = account.id == visit.member.staff_id
    is_last = is_last_way_in(visit.session, visit.services.place, account, visit.services.settings.console, visit.now)
    return visit.page(
        "staff_account.html",
        status,
        account=account,
        is_own=is_own,
        is_last=is_last,
        typed={
            "role": visit.form.get("role") or account.role,
            "unit": visit.form.get("unit")[:300] or account.unit,
            "ends": clean_line(visit.form.get("ends"), 10)[0] or written_last_day(account),
        },
        problems=problems or {},
        **_shared(visit),
    )


def _form(visit: Visit, problems: Mapping[str, str] | None = None) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    typed = {name: clean_line(visit.form.get(name), 300)[0] for name in ("username", "role", "unit")}
    return visit.page("staff_new.html", status, typed=typed, problems=problems or {}, **_shared(visit))


def _link(visit: Visit, username: str, link: Link) -> Response:
    """The link is in this answer and nowhere else: who loads the page again is told so."""
    url = link.url(visit.services.settings.console)
    response = visit.page("staff_link.html", username=username, url=url, expires_at=link.expires_at)
    response.headers["Cache-Control"] = "no-store"
    return response
