"""The outage switch of the guest networks: all closed, or everybody let through without accepting, with a notice."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import cast

from starlette.responses import Response

from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from captive_portal.i18n import LANGUAGE_NAMES
from gateway.access import outages as access
from gateway.access.course_plan import local_moment, local_text
from gateway.storage import outages
from gateway.storage.outages import Mode, NetworkRow

MAX_CHARS, MAX_NOTICE_CHARS = 200, 300
USUAL = timedelta(hours=4)
_MODE = N_("Choose what the network is switched to")
_REASON = N_("Write why the network is switched")
NOTICE = N_("Write what guests are told, in one language at least")
_UNTIL = N_("Give the day and time when the network is as usual again")
_TOO_LONG = N_("This is too long")
_CHARACTERS = N_("There are characters here that can’t be used")
_REFUSED = {
    "past": ("until", N_("This time is past")),
    "no_policy": ("mode", N_("The network’s group is not in the content filter, so nobody can be let through by it")),
}
_TOO_LATE = {
    "closed": N_("At most 60 days from now; somebody should look at it again then"),
    "rules_only": N_("At most 72 hours from now; somebody should look at it again then"),
}
assert (access.LONGEST["closed"].days, access.LONGEST["rules_only"].days) == (60, 3), "the messages say other numbers"


def ask(visit: Visit) -> Response:
    """GET /network/{network}/switch: switches nothing yet."""
    network = named(visit)
    if network is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    typed = {"mode": "", "reason": "", "until": local_text(visit.now + USUAL)}
    return _page(visit, network, typed | dict.fromkeys(_fields(visit), ""), {})


def switch(visit: Visit) -> Response:
    """POST /network/{network}/switch"""
    network = named(visit)
    if network is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    problems, mode = {}, visit.form.get("mode")
    typed = {"mode": mode if mode in access.LONGEST else "", "until": visit.form.get("until").strip()[:20]}
    for name, most in {"reason": MAX_CHARS, **dict.fromkeys(_fields(visit), MAX_NOTICE_CHARS)}.items():
        typed[name], problem = clean_line(visit.form.get(name), most, required=name == "reason")
        if problem is not None:
            problems[name] = {"missing": _REASON, "too_long": _TOO_LONG}.get(problem, _CHARACTERS)
    notices = {language: typed[field] for field, language in _fields(visit).items()}
    until = local_moment(typed["until"]) if len(typed["until"]) == len("2026-11-22T12:00") else None
    if not typed["mode"]:
        problems["mode"] = _MODE
    if not any(notices.values()):
        problems.setdefault(next(iter(_fields(visit))), NOTICE)
    if until is None:
        problems["until"] = _UNTIL
    if until is None or problems:
        return _page(visit, network, typed, problems)
    wish = access.Wish(cast(Mode, typed["mode"]), typed["reason"], until, notices)
    refused = switched(visit, network, wish)
    return _page(visit, network, typed, refused) if refused else visit.go("/network?notice=switched")


def switched(visit: Visit, network: NetworkRow, wish: access.Wish) -> dict[str, str]:
    """Switch a network; returns why it was not, by field."""
    place, by = visit.services.place, visit.member.username
    done = access.switch(visit.session, place, network.id, wish, by=by, now=visit.now)
    if done is None:
        return {}
    field, said = _REFUSED.get(done.reason, ("until", _TOO_LATE[wish.mode]))
    return {field: said}


def restore(visit: Visit) -> Response:
    """POST /network/{network}/restore: as usual again, before its time."""
    network = named(visit)
    place, by = visit.services.place, visit.member.username
    if network is None or not access.restore(visit.session, place, network.id, by=by, now=visit.now):
        return visit.go("/network")
    return visit.go("/network?notice=restored")


def named(visit: Visit) -> NetworkRow | None:
    """The guest network that the address names."""
    rows = outages.networks(visit.session, visit.services.place.owner_id, visit.now)
    return next((row for row in rows if row.id == visit.params["network"]), None)


def _fields(visit: Visit) -> dict[str, str]:
    """The field of each language that guests may choose."""
    return {f"notice-{language}": language for language in visit.services.settings.portal.languages}


def _page(visit: Visit, network: NetworkRow, typed: dict[str, str], problems: dict[str, str]) -> Response:
    order = ("mode", *_fields(visit), "until", "reason")
    return visit.page(
        "network_switch.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        network=network,
        typed=typed,
        problems={name: problems[name] for name in order if name in problems},
        notices=[(field, LANGUAGE_NAMES[language]) for field, language in _fields(visit).items()],
    )
