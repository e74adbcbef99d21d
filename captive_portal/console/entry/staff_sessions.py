"""Who of staff is signed in just now and in which browser; IT signs them out, which is a leaf."""

from __future__ import annotations

from starlette.responses import Response

from captive_portal.auth.accounts import record_change
from captive_portal.console.entry.signin import drop_cookie
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import SESSION_COOKIE, Visit
from gateway.storage import staff
from gateway.storage.keyset import Part
from gateway.storage.staff_models import StaffSession

TABLE = Table("/sessions", (Column("seen", N_("Last seen"), "moment"),))
NAME_MAX_CHARS = 80


def show(visit: Visit) -> Response:
    """GET /sessions"""
    name, problem = clean_line(visit.query.get("name", ""), NAME_MAX_CHARS)
    asked = TABLE.read(visit.query, {"name": name})
    part: Part[StaffSession] = Part((), is_first=True, is_last=True)
    if problem is None:
        owner_id = visit.services.place.owner_id
        part = staff.page_of_sessions(visit.session, owner_id, visit.now, visit.idle, name, asked.cut)
    shown = asked.shown(part, lambda row: (row.seen_at, row.id))
    return visit.page("staff_sessions.html", shown=shown, name=name, notice=visit.query.get("notice", ""))


def end(visit: Visit) -> Response:
    """POST /sessions/{id}/end"""
    if not signed_out(visit, visit.params["id"]):
        return visit.go("/sessions?notice=ended")  # another one, or it has ended already
    response = visit.go("/sign-in?notice=signed-out")
    drop_cookie(response, SESSION_COOKIE)
    return response


def signed_out(visit: Visit, session_id: str) -> bool:
    """End anybody's session, with its leaf when it is somebody else's. Whether it was the one of this visit."""
    found = staff.session_by_id(visit.session, visit.services.place.owner_id, session_id[:32])
    if found is None:
        return False
    account, is_this = found.staff, found.id == visit.member.session_id
    staff.end_session(visit.session, found.token_sha256)
    if account.id != visit.member.staff_id:
        record_change(visit.session, visit.services.place, "session_ended", account, visit.member.username, visit.now)
    return is_this
