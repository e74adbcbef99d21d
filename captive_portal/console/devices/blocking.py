"""Blocked devices: those that are kept out, keeping one out, and letting it in again."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.devices.admitting import MAC, end_of_day
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.access import blocking
from gateway.access.admission import parse_mac
from gateway.audit.periods import Period, parse_period
from gateway.clock import MUNICIPAL_ZONE
from gateway.storage import blocks

MAX_CHARS = 200
FIELDS = ("mac", "reason", "told", "until")
_PRIVATE = 0x02  # of the first octet: made up by the device itself
_REASON = N_("Write why the device is blocked")
_DAY = N_("Give the last day of the block")
_TOO_LONG = N_("At most 200 characters")
_CHARACTERS = N_("There are characters here that can’t be used")
REFUSED = {
    "past": N_("This day is past"),
    "too_long": N_("Choose an earlier day: what is known of the device is not kept for so long"),
}


def show(visit: Visit) -> Response:
    """GET /devices/blocked"""
    return visit.page(
        "blocked.html",
        blocks=blocks.in_force(visit.session, visit.services.place.owner_id, visit.now),
        is_private=is_private,
        notice=visit.query.get("notice", ""),
    )


def ask(visit: Visit) -> Response:
    """GET /devices/block: the form; `?mac=` fills it in."""
    typed = dict.fromkeys(FIELDS, "")
    typed["mac"] = parse_mac(visit.query.get("mac", "")[:MAX_CHARS]) or ""
    return _page(visit, typed, {})


def block(visit: Visit) -> Response:
    """POST /devices/block"""
    typed, problems = dict.fromkeys(FIELDS, ""), {}
    for name in FIELDS:
        typed[name], problem = clean_line(visit.form.get(name), MAX_CHARS, required=name == "reason")
        if problem is not None:
            problems[name] = {"missing": _REASON, "too_long": _TOO_LONG}.get(problem, _CHARACTERS)
    mac, until = parse_mac(typed["mac"]), end_of_day(typed["until"]) if typed["until"] else None
    if mac is None:
        problems["mac"] = MAC
    if typed["until"] and until is None:
        problems["until"] = _DAY
    if mac is None or problems:
        return _page(visit, typed, problems)
    done = blocked(visit, blocking.Wish(mac, typed["reason"], typed["told"], until))
    if isinstance(done, blocking.NotBlocked):
        return _page(visit, typed, {"until": REFUSED[done.reason]})
    return visit.go("/devices/blocked?notice=blocked")


def blocked(visit: Visit, wish: blocking.Wish) -> blocking.Blocked | blocking.NotBlocked:
    """Keep a device out, for no longer than what is known of it is kept."""
    keep, by = _keep(visit), visit.member.username
    return blocking.block(visit.session, visit.services.place, wish, keep=keep, by=by, now=visit.now)


def lift(visit: Visit) -> Response:
    """POST /devices/unblock"""
    mac = parse_mac(visit.form.get("mac")[:MAX_CHARS])
    place = visit.services.place
    if mac is None or not blocking.unblock(visit.session, place, mac, visit.member.username, visit.now):
        return visit.failed(HTTPStatus.NOT_FOUND, reason="ended")
    return visit.go("/devices/blocked?notice=lifted")


def is_private(mac: str) -> bool:
    """Whether a device has made its address up, and may make up another."""
    return bool(int(mac[:2], 16) & _PRIVATE)


def _keep(visit: Visit) -> Period:
    return parse_period(visit.services.settings.privacy.acceptances)


def _page(visit: Visit, typed: dict[str, str], problems: dict[str, str]) -> Response:
    latest = blocking.latest(_keep(visit), visit.now).astimezone(MUNICIPAL_ZONE) - timedelta(days=1)
    return visit.page(
        "block.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        typed=typed,
        problems={name: problems[name] for name in FIELDS if name in problems},
        latest=latest.date(),
        private=bool(typed["mac"]) and "mac" not in problems and is_private(typed["mac"]),
    )
