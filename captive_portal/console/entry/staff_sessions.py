"""Who of staff is signed in just now and in which browser; IT signs them out, which is a leaf."""

from __future__ import annotations

from starlette.responses import Response

from captive_portal.auth.accounts import record_change
from captive_portal.console.entry.signin import drop_cookie
from captive_portal.console.visit import SESSION_COOKIE, Visit
from gateway.storage import staff


def show(visit: Visit) -> Response:
    """GET /sessions"""
    found = staff.all_sessions(visit.session, visit.services.place.owner_id, visit.now, visit.idle)
    return visit.page("staff_sessions.html", sessions=found, notice=visit.query.get("notice", ""))


def end(visit: Visit) -> Response:
    """POST /sessions/{id}/end"""
    found = staff.session_by_id(visit.session, visit.services.place.owner_id, visit.params["id"][:32])
    if found is None:
        return visit.go("/sessions?notice=ended")  # it has ended already
    account, is_this = found.staff, found.id == visit.member.session_id
    staff.end_session(visit.session, found.token_sha256)
    if account.id != visit.member.staff_id:
        record_change(visit.session, visit.services.place, "session_ended", account, visit.member.username, visit.now)
    if not is_this:
        return visit.go("/sessions?notice=ended")
    response = visit.go("/sign-in?notice=signed-out")
    drop_cookie(response, SESSION_COOKIE)
    return response
